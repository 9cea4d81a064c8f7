"""The training step: same numbers on one device and on two, and only valid rows count."""

import jax
import numpy as np
import pytest

from posevid_jax.features.scaling import fit_scaler
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import classifier, families, video_swin
from posevid_jax.training import losses, optim, steps
from posevid_jax.training import state as states
from tests import toy

TOY_SIZE = {'embed_dim': 8, 'depths': (1, 1), 'num_heads': (1, 2)}


@pytest.fixture(autouse=True)
def toy_size(monkeypatch):
    monkeypatch.setitem(video_swin.SIZES, 'toy', TOY_SIZE)


def make(kind, config, example):
    """The compiled step, a fresh state, and the layout over devices."""
    model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
    schedule = optim.learning_rate(config.train, 4)
    optimizer = optim.optimizer(config.train, schedule, families.of(config))
    scaler = fit_scaler(example['features'], example['mask'])
    parallel = Parallel(kind)
    state = jax.jit(lambda: states.create(model, optimizer, scaler, example, config.seed))()
    step = steps.make_train_step(model, optimizer, schedule, config.train)
    return parallel.compile_train(step), state, parallel


def run(kind, config, num_steps=5):
    step, state, parallel = make(kind, config, toy.batch())
    history = []
    for index in range(num_steps):
        batch = parallel.split(toy.batch(seed=index))
        state, metrics = jax.block_until_ready(step(state, batch, jax.random.key(0)))
        history.append(jax.device_get(metrics))
    return state, history


# Batch norm sees other statistics of padded rows and dropout other keys on two devices: both off.
DETERMINISTIC = {'model__dropout': 0.0, 'model__video_swin__drop_path': 0.0}
MODELS = [
    toy.config('stat_pool', **DETERMINISTIC),
    toy.config(
        'stat_pool',
        train__loss='focal',
        features__pack='full',
        features__subclip=4,
        **DETERMINISTIC,
    ),
    toy.config('stat_pool', train__loss='ce', model__stat_pool__batch_norm=True, **DETERMINISTIC),
    toy.config('video_swin', model__size='toy', features__pack='light', **DETERMINISTIC),
    toy.config(
        'video_swin',
        model__size='toy',
        features__layout='skeleton',
        train__frame_loss=0.5,
        train__smooth_loss=0.25,
        **DETERMINISTIC,
    ),
]
NAMES = ['stat_pool', 'focal_subclips', 'ce_batch_norm', 'swin', 'swin_skeleton_frames']


# The grid takes the same way as the skeleton, with less to differ in.
@pytest.mark.parametrize('config', MODELS[:3] + MODELS[4:], ids=NAMES[:3] + NAMES[4:])
def test_two_devices_do_what_one_does(config):
    one, one_history = run('jit', config)
    two, two_history = run('pmap', config)
    for a, b in zip(one_history, two_history, strict=True):
        for key in a:
            np.testing.assert_allclose(a[key], b[key], rtol=2e-4, err_msg=key)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4)
    # Both devices end with the very same state.
    for path, leaf in jax.tree_util.tree_leaves_with_path(two):
        shards = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        assert len(shards) == 2, path
        np.testing.assert_array_equal(shards[0], shards[1], err_msg=str(path))


@pytest.mark.parametrize('kind', ['jit', 'pmap'])
def test_what_fills_a_batch_changes_nothing(kind):
    config = toy.config()
    example = toy.batch()
    step, state, parallel = make(kind, config, example)
    noise = {key: np.array(value) for key, value in example.items()}
    noise['features'][-1] += 100 * noise['mask'][-1]
    noise['label'][-1] = 1 - noise['label'][-1]
    copies = [jax.tree.map(np.asarray, state) for _ in range(2)]
    results = [
        step(copy, parallel.split(batch), jax.random.key(0))
        for copy, batch in zip(copies, (example, noise), strict=True)
    ]
    jax.tree.map(np.testing.assert_array_equal, *jax.device_get(results))


@pytest.mark.parametrize('config', [MODELS[0], MODELS[4]], ids=[NAMES[0], NAMES[4]])
def test_loss_is_the_weighted_mean_over_the_valid_clips(config):
    example = toy.batch()
    step, state, _ = make('jit', config, example)
    model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
    outputs, _ = jax.jit(lambda *given: model(*given))(state.variables, state.scaler, example)

    def bce(logit, label):
        return np.log1p(np.exp(np.where(label == 1, -1, 1) * np.asarray(logit, np.float64)))

    each = bce(outputs.logits[:, 0], example['label'])
    if config.train.frame_loss:
        label = example['frame_label']
        frames = np.ma.array(bce(outputs.frame_logits, label), mask=label < 0).mean(axis=1)
        each = each + config.train.frame_loss * frames
        logits = np.asarray(outputs.frame_logits, np.float64)
        log_probs = -np.log1p(np.exp(np.stack([logits, -logits])))  # [K, B, T]
        changes = np.minimum(np.abs(np.diff(log_probs)), 4)
        each = each + config.train.smooth_loss * (changes**2).mean(axis=(0, 2))
    expected = np.average(each, weights=example['weight'] * example['valid'])
    right = (np.asarray(outputs.logits[:, 0]) > 0) == example['label']
    accuracy = np.average(right, weights=example['valid'])
    after, metrics = step(state, example, jax.random.key(0))
    assert metrics['loss'] == pytest.approx(expected, rel=1e-5)
    assert metrics['accuracy'] == pytest.approx(accuracy)
    assert after.epoch.means()['loss'] == pytest.approx(expected, rel=1e-5)
    assert after.epoch.clips == example['valid'].sum()


def test_jumps_between_subclips_are_part_of_the_loss():
    example, loss = toy.batch(), {}
    for weight in (0.0, 0.25):
        config = toy.config(
            features__subclip=4,
            features__subclip_stride=2,
            train__smooth_loss=weight,
            **DETERMINISTIC,
        )
        step, state, _ = make('jit', config, example)
        model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
        outputs, _ = jax.jit(lambda *given, of=model: of(*given))(
            state.variables, state.scaler, example
        )
        loss[weight] = step(state, example, jax.random.key(0))[1]['loss']
    jumps = losses.per_example_jumps(outputs.subclip_logits)
    expected = 0.25 * np.average(jumps, weights=example['weight'] * example['valid'])
    assert expected > 1e-3
    assert loss[0.25] - loss[0.0] == pytest.approx(expected, rel=1e-3)


def test_dropout_differs_between_steps_and_between_devices():
    config = toy.config(model__dropout=0.5, train__learning_rate=0.0)
    example = toy.batch()
    example['valid'][:] = 1
    for key in example:
        example[key][4:] = example[key][:4]  # both devices get the same clips
    step, state, parallel = make('pmap', config, example)
    model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
    half = {key: value[:4] for key, value in example.items()}
    variables, scaler = jax.device_get((state.variables, state.scaler))

    def loss(step_index, device):
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), step_index), device)
        outputs, _ = model(variables, scaler, half, rng=key)
        each = losses.per_example(outputs.logits, half['label'], config.train)
        return np.average(each, weights=half['weight'])

    for index in range(2):
        state, metrics = step(state, parallel.split(example), jax.random.key(0))
        assert metrics['loss'] == pytest.approx((loss(index, 0) + loss(index, 1)) / 2, rel=1e-4)
    assert len({float(loss(index, device)) for index in range(2) for device in range(2)}) == 4


def test_input_gradient_reaches_every_observed_cell_and_frame():
    for config in (MODELS[0], MODELS[3]):
        example = toy.batch(size=2)
        _, state, _ = make('jit', config, example)
        model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)

        def score(features, model=model, state=state, example=example):
            batch = example | {'features': features}
            return model(state.variables, state.scaler, batch)[0].logits.sum()

        grad = np.asarray(jax.jit(jax.grad(score))(example['features']))
        np.testing.assert_array_equal(grad != 0, example['mask'])
