"""Sub-clips of a clip, from what is read to what is said of it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from posevid_jax.errors import InputError
from posevid_jax.features import subclips
from posevid_jax.features.columns import CONTEXT
from posevid_jax.features.inputs import Inputs, Masked
from posevid_jax.features.scaling import neutral_scaler
from posevid_jax.models import classifier, video_swin
from posevid_jax.training import state as states
from posevid_jax.training import steps
from tests import toy
from tests.features import poses

AROUND, LENGTH, STRIDE = 4, 5, 2
FIRST = (0, 2, 4)  # of a clip of 9 frames: the next would start at 6 and end at 11
# Of the toy's 8 frames: 3 sub-clips, so that the median is not the mean.
SHORT = {'features__subclip': 4, 'features__subclip_stride': 2}


def test_subclips_are_stretches_of_their_clip():
    x = np.arange(2 * 9 * 3).reshape(2, 9, 3)
    found = subclips.cut(jnp.asarray(x), LENGTH, STRIDE)
    np.testing.assert_array_equal(found, [clip[at : at + LENGTH] for clip in x for at in FIRST])


def test_a_subclips_has_the_label_of_most_of_its_frames():
    frames = jnp.array(
        [
            [0, 0, 1, 1, 0, 0, 0],
            [1, 1, -1, 0, -1, -1, -1],
            [2, 2, 0, 1, 1, 0, 0],
        ]
    )
    found = subclips.labels(frames, jnp.array([0, 2, 1]), 3, length=4, stride=3)
    # as many of two classes; all unknown, so the clip's
    np.testing.assert_array_equal(found, [[1, 0], [1, 0], [2, 1]])
    shares = subclips.shares(frames, jnp.array([0, 2, 1]), 3, length=4, stride=3)
    np.testing.assert_allclose(
        np.array(shares) * 12,
        [
            [[6, 6, 0], [9, 3, 0]],
            [[4, 8, 0], [12, 0, 0]],
            [[3, 3, 6], [6, 6, 0]],
        ],
        atol=1e-5,
    )
    unknown = (jnp.full((2, 7), -1), jnp.array([0, 2]), 3, 4, 3)
    np.testing.assert_array_equal(subclips.labels(*unknown), [[0, 0], [2, 2]])
    np.testing.assert_array_equal(subclips.shares(*unknown), np.eye(3)[[[0, 0], [2, 2]]])


def test_the_configuration_says_what_a_subclip_is_taught():
    batch = toy.batch()
    batch['frame_label'][:, ::3] = 1 - batch['frame_label'][:, ::3]
    target = {}
    for name in ('most', 'share'):
        config = toy.config(**SHORT, train__subclip_label=name)
        model = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
        target[name] = np.asarray(
            model.subclip_targets(batch, jnp.zeros((len(batch['fps']), 3, 1)))
        )
    assert target['most'].shape == target['share'].shape[:2]
    mixed = (target['share'] % 1 > 0).any(axis=2)
    assert mixed.any()
    clear = np.abs(target['share'][..., 1] - 0.5) > 0.1
    np.testing.assert_array_equal(target['most'][clear], target['share'].argmax(2)[clear])
    with pytest.raises(
        InputError, match=r"train\.subclip_label: found 'half', expected one of most"
    ):
        classifier.build(
            toy.config(train__subclip_label='half'), num_classes=2, joint_names=toy.JOINTS
        )


@pytest.mark.parametrize('context', [AROUND, 0])
def test_a_subclips_is_read_as_a_clip_between_the_frames_beside_it(context):
    whole = poses.batch(frames=9 + 2 * context, missing=0.1)
    clip = slice(context, context + 9)
    around = np.r_[:context, clip.stop : clip.stop + context]
    joints = {name: whole[name] for name in CONTEXT}
    batch = whole | {name: x[:, clip] for name, x in joints.items()}
    if context:
        batch |= {CONTEXT[name]: x[:, around] for name, x in joints.items()}

    def read(batch, **options):
        options |= {'features__zscore': 'none', 'features__scale_frames': 99}
        return jax.jit(poses.reader(**options))(batch, neutral_scaler(1))

    frames, observed = read(whole).channels
    found = read(
        batch, features__context=context, features__subclip=LENGTH, features__subclip_stride=STRIDE
    )
    count = len(frames)
    x, mask, beside, known = (
        part.reshape(count, len(FIRST), *part.shape[1:]) for part in (*found.channels, *found.clip)
    )
    for number, first in enumerate(FIRST):
        at = context + first
        np.testing.assert_allclose(x[:, number], frames[:, at : at + LENGTH], atol=1e-5)
        np.testing.assert_array_equal(mask[:, number], observed[:, at : at + LENGTH])
        beyond = at + LENGTH
        # Without context all that the clip holds on that side.
        sides = (slice(first if context else 0, at), slice(beyond, beyond + AROUND))
        for side, mean, seen in zip(
            sides,
            np.split(beside[:, number], 2, axis=1),
            np.split(known[:, number], 2, axis=1),
            strict=True,
        ):
            values = np.where(observed, frames, 0)[:, side, :, 0].sum(axis=1)
            many = observed[:, side, :, 0].sum(axis=1)
            np.testing.assert_allclose(mean, values / np.maximum(many, 1), atol=1e-4)
            np.testing.assert_array_equal(seen, many > 0)


def test_one_subclips_as_long_as_its_clip_has_nothing_beside_it():
    batch = poses.batch()
    frames = batch['skeleton'].shape[1]
    found = poses.reader(features__subclip=frames)(batch, neutral_scaler(1))
    x, (beside, known) = found.channels.values, found.clip
    assert x.shape[:2] == batch['skeleton'].shape[:2]
    assert beside.shape == known.shape == (len(x), 2 * x.shape[2])
    assert not known.any() and not np.any(beside)


def make(**options):
    config = toy.config(**options)
    return classifier.build(config, num_classes=2, joint_names=()), config


def test_a_clip_has_the_median_of_what_is_said_of_its_subclips():
    batch, scaler = toy.batch(), neutral_scaler(toy.batch()['features'].shape[-1])
    model, config = make(**SHORT)
    variables = jax.jit(lambda: model.init(jax.random.key(0), scaler, batch))()
    outputs, _ = jax.jit(lambda: model(variables, scaler, batch))()
    inputs = jax.jit(lambda: model.read(batch, scaler))()
    judge = jax.jit(lambda of_clip: model.network.apply(variables, of_clip, train=False))
    count = subclips.count(config.features, batch['features'].shape[1])
    each = []
    for clip in range(len(batch['fps'])):
        rows = slice(clip * count, (clip + 1) * count)
        of_clip = Inputs(
            channels=Masked(*(part[rows] for part in inputs.channels)),
            clip=Masked(*(part[rows] for part in inputs.clip)),
        )
        each.append(judge(of_clip))
    np.testing.assert_allclose(outputs.subclip_logits, each, atol=1e-5)
    np.testing.assert_allclose(outputs.logits, np.median(each, axis=1), atol=1e-5)
    assert np.ptp(each, axis=1).min() > 0  # or any of them would do


def test_video_swin_and_its_statistics_judge_the_same_subclips(monkeypatch):
    tiny = {'embed_dim': 8, 'depths': (1, 1), 'num_heads': (1, 2)}
    monkeypatch.setitem(video_swin.SIZES, 'toy', tiny)
    batch, scaler = toy.batch(), neutral_scaler(toy.batch()['features'].shape[-1])
    model, _ = make(
        model='video_swin',
        model__size='toy',
        model__video_swin__statistics=True,
        train__frame_loss=1.0,
        **SHORT,
    )
    variables = jax.jit(lambda: model.init(jax.random.key(0), scaler, batch))()
    params = variables['params']
    statistics, _ = make(**SHORT)
    alone = variables | {'params': params['statistics']}
    expected, _ = jax.jit(lambda: statistics(alone, scaler, batch))()
    params['frame_head'] = params['head']  # the logits of frames are then those of the head
    found, _ = jax.jit(lambda: model(variables, scaler, batch))()
    of_frames = subclips.cut(found.frame_logits, *model.subclip).mean(axis=1)
    of_frames = of_frames.reshape(found.subclip_logits.shape)
    np.testing.assert_allclose(found.subclip_logits, of_frames + expected.subclip_logits, atol=1e-5)
    np.testing.assert_allclose(found.logits, np.median(found.subclip_logits, axis=1), atol=1e-5)


@pytest.mark.parametrize('mixed', [False, True])
def test_every_subclips_is_trained_with_its_own_label_and_a_mixed_one_with_its_clips(mixed):
    batch, scaler = toy.batch(), neutral_scaler(toy.batch()['features'].shape[-1])
    model, config = make(**SHORT)
    batch['frame_label'] = np.random.default_rng(0).integers(-1, 2, batch['frame_label'].shape)
    if mixed:
        batch['target'] = np.random.default_rng(1).dirichlet((1, 1), len(batch['label']))
    optimizer = optax.sgd(0.0)
    state = jax.jit(lambda: states.create(model, optimizer, scaler, batch, seed=0))()
    outputs, _ = jax.jit(lambda: model(state.variables, scaler, batch))()
    logits = outputs.subclip_logits[..., 0]
    if mixed:
        share = batch['target'][:, 1:]
    else:
        share = subclips.labels(batch['frame_label'], batch['label'], 2, *model.subclip)
        assert 0 < share.mean() < 1
        assert (share != batch['label'][:, None]).any()
    each = np.logaddexp(0, logits) - share * logits  # binary cross-entropy
    step = steps.make_train_step(
        model, optax.with_extra_args_support(optimizer), lambda _: 0.0, config.train
    )
    _, metrics = jax.jit(step)(state, batch, jax.random.key(0))
    weight = batch['weight'] * batch['valid']
    expected = (weight * each.mean(axis=1)).sum() / weight.sum()
    np.testing.assert_allclose(metrics['loss'], expected, rtol=1e-5)


def test_subclips_longer_than_clips_are_refused():
    with pytest.raises(InputError, match=r'features\.subclip: found 17 frames with clips of 16'):
        subclips.check(toy.config(features__subclip=17).features, 16)
    subclips.check(toy.config(features__subclip=16).features, 16)
