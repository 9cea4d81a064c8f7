"""Clips in a mirror: what they look like, when they may be used, and how they are judged."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.joints import COCO_17
from posevid_jax.errors import InputError
from posevid_jax.features import mirroring
from posevid_jax.features.scaling import neutral_scaler
from posevid_jax.models import classifier
from tests import toy
from tests.features import poses

FRAMES = 16


def test_left_is_right_and_a_mirror_in_a_mirror_shows_the_clip():
    batch = jax.tree.map(jnp.asarray, poses.batch(COCO_17, missing=0.2))
    seen = mirroring.image(batch, COCO_17)
    left, right = (COCO_17.index(f'{side}_wrist') for side in ('left', 'right'))
    there = batch['skeleton_mask'][:, :, left]
    np.testing.assert_array_equal(seen['skeleton_mask'][:, :, right], there)
    x = np.where(there, 1 - batch['skeleton'][:, :, left, 0], 0)
    np.testing.assert_allclose(seen['skeleton'][:, :, right, 0], x)
    again = mirroring.image(seen, COCO_17)
    np.testing.assert_allclose(again['skeleton'], batch['skeleton'], atol=1e-6)


def waving(hands, classes, joints=COCO_17):
    """Clips in which, by class, a hand goes up and down, in and out, or to either side."""
    rng = np.random.default_rng(0)
    n = 96
    at = np.full((n, FRAMES, len(joints), 2), np.nan)
    for name, place in (('shoulder', (0.1, 0.4)), ('hip', (0.08, 0.6)), ('wrist', (0.2, 0.5))):
        for joint, sign in ((f'left_{name}', 1), (f'right_{name}', -1)):
            if joint in joints:
                at[:, :, joints.index(joint)] = 0.5 + sign * place[0], place[1]
    ways = {'up': (0, -1), 'down': (0, 1), 'left': (-1, 0), 'right': (1, 0)}
    way = np.array([ways[classes[k % len(classes)]] for k in range(n)])
    moved = 0.15 * np.linspace(0, 1, FRAMES)[None, :, None] * way[:, None]
    for clip in range(n):
        hand = f'{hands[clip // len(classes) % len(hands)]}_wrist'
        at[clip, :, joints.index(hand)] += moved[clip]
    at += 0.01 * rng.normal(size=at.shape)
    skeleton = np.concatenate([at, 0 * at], -1).astype(np.float32)
    return from_arrays(
        source='toy', features=np.zeros((n, FRAMES, 0)), label=np.arange(n) % len(classes),
        skeleton=skeleton, joint_names=joints, class_names=classes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ('hands', 'classes', 'same'),
    [
        (('left', 'right'), ('up', 'down'), True),
        (('right',), ('up', 'down'), False),  # nobody uses the other hand
        (('left', 'right'), ('left', 'right'), False),  # one class is the other in a mirror
    ],
)
def test_a_gesture_is_the_same_in_a_mirror_where_the_clips_show_it(hands, classes, same):
    config = toy.config(features__source='pose', features__depth='off').features
    assert mirroring.is_same_gesture(waving(hands, classes), config) == same


def test_joints_without_partners_or_clips_of_few_groups_show_nothing():
    config = toy.config(features__source='pose', features__depth='off').features
    clips = waving(('left', 'right'), ('up', 'down'))
    assert not mirroring.is_same_gesture(
        waving(('left',), ('up', 'down'), tuple(j for j in COCO_17 if j != 'right_wrist')), config
    )
    assert not mirroring.is_same_gesture(clips.select(np.arange(3)), config)


def test_a_clip_is_judged_as_its_mirror_image_is_and_in_training_as_it_is():
    changes = {'features__source': 'pose', 'features__depth': 'off', 'features__zscore': 'none'}
    both, alone = (
        classifier.build(
            toy.config(features__mirror=mirror, **changes), num_classes=2, joint_names=COCO_17
        )
        for mirror in ('on', 'off')
    )
    batch = jax.tree.map(jnp.asarray, poses.batch(COCO_17))
    seen, scaler = mirroring.image(batch, COCO_17), neutral_scaler(400)
    variables = jax.jit(alone.init)(jax.random.key(0), scaler, batch)

    def judge(model, **options):
        return jax.jit(lambda batch: model(variables, scaler, batch, **options)[0].logits)

    one, other = map(judge(alone), (batch, seen))
    assert np.abs(one - other).max() > 1e-3
    for found in map(judge(both), (batch, seen)):
        np.testing.assert_allclose(found, (one + other) / 2, rtol=1e-5, atol=1e-5)
    rng = jax.random.key(1)
    np.testing.assert_array_equal(*(judge(m, rng=rng)(batch) for m in (both, alone)))


def test_what_cannot_be_mirrored_is_refused():
    for changes, joints, message in (
        (
            {'source': 'archive'},
            COCO_17,
            r'features\.mirror: found on with features.source=archive',
        ),
        ({'zscore': 'per_video'}, COCO_17, r'features.zscore=per_video, expected off'),
        ({}, COCO_17[:-1], r'features\.mirror: found left_ankle without right_ankle'),
        ({'mirror': 'yes'}, COCO_17, r"features\.mirror: found 'yes', expected one of auto"),
    ):
        keys = {'source': 'pose', 'mirror': 'on', 'depth': 'off'} | changes
        config = toy.config(**{f'features__{key}': value for key, value in keys.items()})
        with pytest.raises(InputError, match=message):
            classifier.build(config, num_classes=2, joint_names=joints)
