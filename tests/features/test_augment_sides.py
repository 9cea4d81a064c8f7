"""Left and right exchanged, of joints and of the archive's features."""

import numpy as np

from posevid_jax.data.hand_mouth import hand_mouth_features
from tests.features.augmenting import (
    ARM,
    BATCH,
    JOINT,
    NAMES,
    SIZE,
    apply,
)


def test_mirrored_features_are_those_of_the_mirrored_skeleton():
    got = apply(mirror=1.0)
    skeleton = np.where(got['skeleton_mask'][..., None], got['skeleton'], np.nan)
    expected, _ = hand_mouth_features(skeleton, BATCH['fps'], BATCH['aspect'])
    np.testing.assert_array_equal(got['mask'], np.isfinite(expected))
    np.testing.assert_allclose(got['features'], np.nan_to_num(expected), atol=2e-4)
    assert not np.allclose(got['features'], BATCH['features'], atol=0.01)
    left, right = JOINT['left_wrist'], JOINT['right_wrist']
    seen = BATCH['skeleton_mask'][:, :, right]
    np.testing.assert_allclose(
        got['skeleton'][:, :, left, 0][seen], 1 - BATCH['skeleton'][:, :, right, 0][seen]
    )
    np.testing.assert_array_equal(
        got['skeleton'][:, :, left, 1:], BATCH['skeleton'][:, :, right, 1:]
    )


def test_mirroring_twice_is_the_identity():
    twice = apply(apply(mirror=1.0), mirror=1.0)
    for key, value in BATCH.items():
        # 1 - (1 - x) has the rounding error of 1.
        np.testing.assert_allclose(twice[key], value, atol=1.2e-7 * (key == 'skeleton'), rtol=0)


def test_a_clip_is_mirrored_whole_with_its_video_or_not_at_all():
    got = apply(mirror=0.5)
    mirrored = apply(mirror=1.0)
    same = np.zeros(SIZE, int)
    for key in ('features', 'skeleton', 'video_mean', 'video_std'):
        for row in range(SIZE):
            one = np.array_equal(got[key][row], BATCH[key][row])
            assert one or np.array_equal(got[key][row], mirrored[key][row])
            same[row] += one
    assert set(same) == {0, 4}
    vx, other = NAMES.index('l15_vx'), NAMES.index('l16_vx')
    np.testing.assert_array_equal(mirrored['video_mean'][:, vx], -BATCH['video_mean'][:, other])
    np.testing.assert_array_equal(mirrored['video_std'][:, vx], BATCH['video_std'][:, other])


def test_swapped_hands_have_the_features_of_the_skeleton_with_swapped_arms():
    got = apply(hand_swap=1.0)
    expected = np.array(BATCH['skeleton'])
    for part in ARM:
        pair = [JOINT[f'left_{part}'], JOINT[f'right_{part}']]
        expected[:, :, pair] = BATCH['skeleton'][:, :, pair[::-1]]
    np.testing.assert_array_equal(got['skeleton'], expected)
    skeleton = np.where(got['skeleton_mask'][..., None], got['skeleton'], np.nan)
    features, _ = hand_mouth_features(skeleton, BATCH['fps'], BATCH['aspect'])
    lost = ['Ear_' in name for name in NAMES]
    assert sum(lost) == 2 and not got['mask'][..., lost].any()
    known = ~np.array(lost)
    np.testing.assert_array_equal(got['mask'][..., known], np.isfinite(features)[..., known])
    np.testing.assert_allclose(
        got['features'][..., known], np.nan_to_num(features)[..., known], atol=1e-6
    )
