"""Micro-batches: the step of the whole batch, in less memory; augmented or not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.features import augment
from posevid_jax.features.inputs import Inputs, Masked
from posevid_jax.features.scaling import fit_scaler
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import classifier, families, video_swin
from posevid_jax.training import optim, steps
from posevid_jax.training import state as states
from tests import toy

# No dropout: its keys differ between parts.
OFF = {'model__dropout': 0.0, 'model__video_swin__drop_path': 0.0}
CONFIGS = {
    'stat_pool': toy.config('stat_pool', **OFF),
    'ce': toy.config('stat_pool', train__loss='ce', **OFF),
    'swin': toy.config('video_swin', model__size='toy', features__pack='light', **OFF),
}
# Every augmentation but mixup, whose partners are those of a device.
AUGMENTED = toy.config(
    augment__mirror=0.5,
    augment__hand_swap=0.5,
    augment__warp=0.4,
    augment__shift=0.3,
    augment__crop=0.3,
    augment__frame_drop=0.1,
    augment__joint_drop=0.2,
    augment__scale=0.2,
    augment__rotate=10.0,
    augment__jitter=0.01,
    **OFF,
)


@pytest.fixture(autouse=True)
def toy_size(monkeypatch):
    size = {'embed_dim': 8, 'depths': (1, 1), 'num_heads': (1, 2)}
    monkeypatch.setitem(video_swin.SIZES, 'toy', size)


def joints(batch, scaler):
    """The skeleton for a network that pools over time: compiles faster than one that does not."""
    mask = jnp.broadcast_to(batch['skeleton_mask'][..., None], batch['skeleton'].shape)
    return Inputs(channels=Masked(batch['skeleton'], mask))


def run(config, kind, micro_batches, num_steps=3, read=None):
    example = toy.batch(size=16)
    names = tuple(toy.JOINTS)
    model = classifier.build(config, num_classes=2, joint_names=names)
    model = dataclasses.replace(model, read=read or model.read)
    schedule = optim.learning_rate(config.train, 4)
    optimizer = optim.optimizer(config.train, schedule, families.of(config))
    scaler = fit_scaler(example['features'], example['mask'])
    state = jax.jit(lambda: states.create(model, optimizer, scaler, example, config.seed))()
    parallel = Parallel(kind)
    step = steps.make_train_step(
        model,
        optimizer,
        schedule,
        config.train,
        micro_batches=micro_batches,
        augment=augment.build(
            config.augment, feature_names=(), joint_names=toy.JOINTS, num_classes=2
        ),
    )
    step = parallel.compile_train(step)
    history = []
    for index in range(num_steps):
        # The last clips of a batch are padding, so the parts weigh differently.
        batch = toy.batch(size=16, seed=index)
        batch['valid'][-5:] = 0
        key = jax.random.key(0)
        state, metrics = jax.block_until_ready(step(state, parallel.split(batch), key))
        history.append(jax.device_get(metrics))
    return state, history


def check_same_steps(config, kind, parts, **options):
    whole, expected = run(config, 'jit', 1, **options)
    state, history = run(config, kind, parts, **options)
    for found, wanted in zip(history, expected, strict=True):
        for key in wanted:
            np.testing.assert_allclose(found[key], wanted[key], rtol=2e-4, err_msg=key)
    for found, wanted in zip(jax.tree.leaves(state), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-4)
    return expected


@pytest.mark.parametrize(
    ('name', 'kind', 'parts'),
    [('stat_pool', 'jit', 4), ('stat_pool', 'jit', 16), ('ce', 'pmap', 2), ('swin', 'jit', 4)],
)
def test_parts_make_the_step_of_the_whole_batch(name, kind, parts):
    check_same_steps(CONFIGS[name], kind, parts)


def test_clips_are_augmented_in_the_same_way_in_parts_and_on_two_devices():
    augmented = check_same_steps(AUGMENTED, 'pmap', 2, read=joints)
    _, history = run(CONFIGS['stat_pool'], 'jit', 1, read=joints)
    assert history[0]['loss'] != pytest.approx(float(augmented[0]['loss']), rel=1e-3)


def test_partners_of_a_mixture_do_not_depend_on_parts():
    config = toy.config('stat_pool', augment__mixup=1.0, **OFF)
    mixed = check_same_steps(config, 'jit', 4)
    _, history = run(CONFIGS['stat_pool'], 'jit', 1)
    assert history[0]['loss'] != pytest.approx(float(mixed[0]['loss']), rel=1e-3)


def test_dropout_differs_between_parts():
    config = toy.config('stat_pool', model__dropout=0.5, train__learning_rate=0.0)
    _, whole = run(config, 'jit', 1, num_steps=1)
    _, parts = run(config, 'jit', 4, num_steps=1)
    assert whole[0]['loss'] != pytest.approx(float(parts[0]['loss']), rel=1e-6)


def test_batch_statistics_pass_from_part_to_part():
    config = toy.config('stat_pool', model__stat_pool__batch_norm=True, **OFF)
    state, _ = run(config, 'jit', 4)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.batch_stats))
    once, _ = run(config, 'jit', 1)
    first = jax.tree.leaves(state.batch_stats)[0]
    assert not np.allclose(first, jax.tree.leaves(once.batch_stats)[0])
