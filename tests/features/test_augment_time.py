"""Time moved, cut, bent and thinned out."""

import jax
import numpy as np

from posevid_jax.config import get_config
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.features import augment
from tests.features.augmenting import BATCH, FRAMES, NAMES, SIZE, apply, counting, make_batch


def test_a_shift_moves_frames_and_their_labels_together():
    got = apply(counting(), shift=0.3)
    shifts = set()
    for row in range(SIZE):
        seen = got['mask'][row, :, 0]
        frame = got['features'][row, seen, 0] - 1
        (by,) = set(frame - np.flatnonzero(seen))
        shifts.add(by)
        inside = (np.arange(FRAMES) + by >= 0) & (np.arange(FRAMES) + by < FRAMES)
        np.testing.assert_array_equal(seen, inside)
        np.testing.assert_array_equal(got['frame_label'][row, seen], frame)
        assert (got['frame_label'][row, ~seen] == -1).all()
        assert not got['features'][row, ~seen].any()
        kept = BATCH['skeleton'][row, frame.astype(int)]
        np.testing.assert_array_equal(got['skeleton'][row, seen], kept)
    assert min(shifts) < -2 and max(shifts) > 2 and max(map(abs, shifts)) <= 7


def test_a_crop_leaves_one_stretch_in_place():
    got = apply(counting(), crop=0.5)
    lengths, firsts = set(), set()
    for row in range(SIZE):
        seen = np.flatnonzero(got['mask'][row, :, 0])
        lengths.add(len(seen))
        firsts.add(seen[0])
        np.testing.assert_array_equal(seen, seen[0] + np.arange(len(seen)))
        np.testing.assert_array_equal(got['features'][row, seen, 0], seen + 1)
        label = np.where(np.isin(np.arange(FRAMES), seen), np.arange(FRAMES), -1)
        np.testing.assert_array_equal(got['frame_label'][row], label)
        assert not got['skeleton_mask'][row, label < 0].any()
    assert min(lengths) >= FRAMES / 2 and len(lengths) > 4 and len(firsts) > 4


def test_a_warp_interpolates_along_a_smooth_tempo():
    name = NAMES.index('left_hand_height')
    got = apply(counting(), warp=0.4)
    seen = got['mask'][..., name]
    position = np.where(seen, got['features'][..., name] - 1, np.nan)
    tempo = np.diff(position)
    assert np.nanmin(tempo) > 0.6 and np.nanmax(tempo) < 1.4
    assert np.nanmin(tempo) < 0.75 and np.nanmax(tempo) > 1.25
    assert np.nanmax(np.abs(np.diff(tempo))) < 0.4 * 2 * np.pi / FRAMES + 1e-5
    np.testing.assert_allclose(position[:, FRAMES // 2], FRAMES // 2, atol=1e-5)
    near = np.abs(position - np.round(position)) < 0.49  # not halfway between two frames
    np.testing.assert_array_equal(got['frame_label'][seen & near], np.round(position[seen & near]))
    assert (got['frame_label'][~seen] == -1).all() and (~seen).any()


def test_a_warp_observes_what_lies_between_two_observed_frames():
    batch = counting()
    batch['mask'] = np.random.default_rng(0).random(batch['mask'].shape) > 0.3
    batch['features'] = batch['features'] * batch['mask']
    whole = apply(counting(), warp=0.4)
    got = apply(batch, warp=0.4)
    for name in ('left_hand_height', 'occlusion_flag'):
        f = NAMES.index(name)
        position = whole['features'][..., NAMES.index('left_hand_height')] - 1
        before = np.clip(np.floor(position), 0, FRAMES - 1).astype(int)
        after = np.clip(np.ceil(position), 0, FRAMES - 1).astype(int)
        if name == 'occlusion_flag':  # 0 or 1, nothing between
            before = after = np.clip(np.round(position), 0, FRAMES - 1).astype(int)
        row = np.arange(SIZE)[:, None]
        near = np.abs(position - np.floor(position) - 0.5) > 0.01
        near &= np.abs(position - np.round(position)) > 0.001
        expected = batch['mask'][row, before, f] & batch['mask'][row, after, f]
        expected &= whole['mask'][..., f]
        np.testing.assert_array_equal(got['mask'][..., f][near], expected[near])
        kept = got['mask'][..., f]
        np.testing.assert_array_equal(
            got['features'][..., f][kept], whole['features'][..., f][kept]
        )


def test_warped_velocities_are_those_of_the_warped_skeleton():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, warp=0.4)
    skeleton = np.where(got['skeleton_mask'][..., None], got['skeleton'], np.nan)
    expected, _ = hand_mouth_features(skeleton, BATCH['fps'], BATCH['aspect'])
    both = got['mask'] & np.isfinite(expected)
    moving = [i for i, name in enumerate(NAMES) if name.endswith(('_vx', '_vy'))]
    for name in moving:
        seen = both[..., name]
        error = np.abs(got['features'][..., name] - expected[..., name])[seen]
        assert error.mean() < 0.02 * np.abs(expected[..., name])[seen].mean()
    still = [i for i, name in enumerate(NAMES) if name.endswith('_height')]
    heights = np.where(both, expected, 0)[..., still]
    np.testing.assert_allclose(got['features'][..., still], heights, atol=0.01)


def test_accelerations_change_with_the_square_of_the_tempo():
    names = ('l15_vx', 'l15_ax', 'l16_vx', 'l16_ax')
    config = get_config().augment
    config.warp = 0.4
    warp = augment.build(config, feature_names=names, joint_names=(), num_classes=2)
    shape = (SIZE, FRAMES, 4)
    batch = {key: BATCH[key] for key in ('frame_label', 'row')}
    batch |= {'features': np.ones(shape, np.float32), 'mask': np.ones(shape, bool)}
    got = jax.device_get(warp(batch, jax.random.key(0)))
    np.testing.assert_allclose(got['features'][..., 1], got['features'][..., 0] ** 2, rtol=1e-5)
    assert got['features'][..., 0].std() > 0.1


def test_dropped_frames_are_missing_whole_and_keep_their_labels():
    got = apply(frame_drop=0.25)
    lost = BATCH['mask'].any(-1) & ~got['mask'].any(-1)
    assert 0.15 < lost.mean() < 0.35
    for mask in ('mask', 'skeleton_mask'):
        np.testing.assert_array_equal(got[mask], BATCH[mask] & ~lost[..., None])
    np.testing.assert_array_equal(got['frame_label'], BATCH['frame_label'])
