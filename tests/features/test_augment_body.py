"""Joints dropped, and bodies turned, scaled and shaken."""

import numpy as np
import pytest

from posevid_jax.config import get_config
from posevid_jax.errors import InputError
from posevid_jax.features import augment
from tests.features.augmenting import (
    BATCH,
    FRAMES,
    SHOULDERS,
    apply,
    distances,
    heights,
    make_batch,
)


def test_dropped_joints_are_missing_all_along_and_the_shoulders_stay():
    got = apply(read='skeleton', joint_drop=0.25)
    lost = ~got['skeleton_mask'].any(1)  # [B, J]
    assert 0.15 < lost.mean() < 0.35 and not lost[:, SHOULDERS].any()
    np.testing.assert_array_equal(got['skeleton_mask'], BATCH['skeleton_mask'] & ~lost[:, None])


def test_a_rotation_turns_the_body_about_its_middle_and_keeps_every_distance():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', rotate=20.0)
    np.testing.assert_allclose(distances(got), distances(batch), atol=1e-5)
    angle = []
    for one in (batch, got):
        left, right = (heights(one)[:, :, joint] for joint in SHOULDERS)
        angle.append(np.arctan2(*np.moveaxis(left - right, -1, 0)[::-1]))
    turned = np.degrees(angle[1] - angle[0])
    np.testing.assert_allclose(turned, turned[:, :1].repeat(FRAMES, 1), atol=1e-2)
    assert np.abs(turned).max() < 20 and turned.min() < -5 and turned.max() > 5
    middle = [np.median(heights(one)[:, :, SHOULDERS].mean(2), 1) for one in (batch, got)]
    np.testing.assert_allclose(*middle, atol=0.01)
    np.testing.assert_array_equal(got['skeleton'][..., 2:], batch['skeleton'][..., 2:])


def test_a_scale_changes_every_distance_of_a_clip_by_one_factor():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', scale=0.5)
    pair = (slice(None), slice(None), *SHOULDERS)
    factor = distances(got)[pair] / distances(batch)[pair]  # [B, T]
    np.testing.assert_allclose(factor, factor[:, :1].repeat(FRAMES, 1), rtol=1e-4)
    assert factor.min() >= 1 / 1.5 and factor.max() <= 1.5
    assert factor.min() < 0.9 and factor.max() > 1.1
    np.testing.assert_allclose(
        distances(got), factor[:, :1, None, None] * distances(batch), atol=1e-5
    )
    np.testing.assert_allclose(
        got['skeleton'][..., 2], factor[:, :1, None] * batch['skeleton'][..., 2], rtol=1e-4
    )


def test_a_turn_about_the_vertical_keeps_heights_and_every_distance_in_space():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', turn=40.0)
    before, after = (  # in heights of the picture
        np.concatenate([heights(b), b['aspect'][:, None, None, None] * b['skeleton'][..., 2:3]], -1)
        for b in (batch, got)
    )
    np.testing.assert_allclose(after[..., 1], before[..., 1], atol=1e-6)
    apart = [np.linalg.norm(at[:, :, :, None] - at[:, :, None], axis=-1) for at in (before, after)]
    np.testing.assert_allclose(*apart, atol=1e-5)
    way = [at[:, :, SHOULDERS[0]] - at[:, :, SHOULDERS[1]] for at in (before, after)]
    turned = np.degrees(np.diff([np.arctan2(w[..., 2], w[..., 0]) for w in way], axis=0)[0])
    turned = (turned + 180) % 360 - 180
    np.testing.assert_allclose(turned, turned[:, :1].repeat(FRAMES, 1), atol=1e-2)
    assert np.abs(turned).max() < 40 and turned.min() < -5 and turned.max() > 5


def test_a_stretch_changes_width_height_and_depth_by_factors_of_their_own():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', stretch=0.3)
    factors = []
    for axis in range(3):
        apart = [np.diff(b['skeleton'][..., axis], axis=2) for b in (batch, got)]
        if axis == 2:
            apart = [b['skeleton'][..., 2] for b in (batch, got)]
        factor = (apart[0] * apart[1]).sum((1, 2)) / (apart[0] ** 2).sum((1, 2))  # [B]
        np.testing.assert_allclose(apart[1], factor[:, None, None] * apart[0], atol=1e-5)
        factors.append(factor)
    factors = np.array(factors)
    assert factors.min() >= 1 / 1.3 and factors.max() <= 1.3 and factors.std(1).min() > 0.02
    assert np.abs(np.diff(factors, axis=0)).max(1).min() > 0.02


def test_a_shear_moves_joints_sideways_by_a_share_of_how_high_they_are():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', shear=0.3)
    before, after = heights(batch), heights(got)
    np.testing.assert_allclose(after[..., 1], before[..., 1], atol=1e-6)
    moved, high = (np.diff(x, axis=2) for x in ((after - before)[..., 0], before[..., 1]))
    amount = (moved * high).sum((1, 2)) / (high**2).sum((1, 2))  # [B]
    np.testing.assert_allclose(moved, amount[:, None, None] * high, atol=1e-5)
    assert np.abs(amount).max() < 0.3 and amount.min() < -0.03 and amount.max() > 0.03
    middle = [b[:, :, list(SHOULDERS)].mean(2)[..., 0] for b in (before, after)]
    np.testing.assert_allclose(*np.median(middle, axis=2), atol=0.05)


def test_jitter_is_noise_in_shoulder_widths():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', jitter=0.05)
    noise = heights(got) - heights(batch)
    width = np.median(distances(batch)[:, :, SHOULDERS[0], SHOULDERS[1]], axis=1)
    relative = noise / width[:, None, None, None]
    np.testing.assert_allclose(relative.std((0, 1, 2)), 0.05, rtol=0.05)
    np.testing.assert_allclose(relative.std((1, 2, 3)), 0.05, rtol=0.1)
    assert np.abs(np.corrcoef(relative[..., 0].ravel(), relative[..., 1].ravel())[0, 1]) < 0.05


def test_a_body_without_shoulders_cannot_be_turned():
    config = get_config().augment
    config.rotate = 5.0
    with pytest.raises(InputError, match=r'augment\.rotate: needs the joints left_shoulder'):
        augment.build(config, feature_names=(), joint_names=('nose',), num_classes=2)
