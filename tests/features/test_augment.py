"""Augmentation against plain numpy and by its properties."""

import functools

import jax
import numpy as np
import pytest

from configs import default
from posevid_jax.data import synthetic
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.errors import InputError
from posevid_jax.features import augment, inputs

SIZE, FRAMES = 16, 24
JOINT = {name: number for number, name in enumerate(MEDIAPIPE_33)}
SHOULDERS = [JOINT['left_shoulder'], JOINT['right_shoulder']]
ARM = ('shoulder', 'elbow', 'wrist', 'pinky', 'index', 'thumb')


def moving_skeleton(seed=0):
    """[SIZE, FRAMES, 33, 4] joints on slow, smooth paths around a body."""
    rng = np.random.default_rng(seed)
    rest = rng.uniform(0.3, 0.7, (SIZE, 1, 33, 3))
    rest[:, :, SHOULDERS] = [[0.6, 0.5, 0], [0.4, 0.52, 0]]
    size, phase = rng.uniform(0, 0.05, (2, SIZE, 1, 33, 3))
    time = np.linspace(0, 2, FRAMES)[:, None, None]
    xyz = rest + size * np.sin(time + 100 * phase)
    visibility = rng.uniform(0.6, 1, (SIZE, FRAMES, 33, 1))
    return np.concatenate([xyz, visibility], -1).astype(np.float32)


def make_batch(seed=0, missing=0.1):
    """A batch whose features are those of its skeleton, and the names of the features."""
    rng = np.random.default_rng(seed)
    skeleton = moving_skeleton(seed)
    skeleton[rng.random(skeleton.shape[:3]) < missing] = np.nan
    fps = np.full(SIZE, 30, np.float32)
    aspect = rng.uniform(0.6, 1.8, SIZE).astype(np.float32)
    features, names = hand_mouth_features(skeleton, fps, aspect)
    mask, seen = np.isfinite(features), np.isfinite(skeleton).all(-1)
    batch = {
        'features': np.where(mask, features, 0),
        'mask': mask,
        'skeleton': np.where(seen[..., None], skeleton, 0),
        'skeleton_mask': seen,
        'label': rng.integers(0, 2, SIZE).astype(np.int32),
        'frame_label': rng.integers(-1, 2, (SIZE, FRAMES)).astype(np.int8),
        'fps': fps,
        'aspect': aspect,
        'weight': rng.uniform(0.5, 2, SIZE).astype(np.float32),
        'valid': np.ones(SIZE, np.float32),
        'row': rng.permutation(100)[:SIZE].astype(np.int32),
        'video_mean': rng.normal(size=(SIZE, len(names))).astype(np.float32),
        'video_std': rng.uniform(0.5, 2, (SIZE, len(names))).astype(np.float32),
    }
    return batch, names


BATCH, NAMES = make_batch()
READS = {
    'features': {'feature_names': NAMES, 'joint_names': ()},
    'skeleton': {'feature_names': (), 'joint_names': MEDIAPIPE_33},
    'both': {'feature_names': NAMES, 'joint_names': MEDIAPIPE_33},
}
TIME = {'shift': 0.3, 'crop': 0.3, 'warp': 0.4, 'frame_drop': 0.1}
SIDES = {'mirror': 0.5, 'hand_swap': 0.5}
BODY = {'joint_drop': 0.2, 'scale': 0.3, 'rotate': 20.0, 'jitter': 0.02}


def build(read='both', num_classes=2, **amounts):
    config = default.get_config().augment
    config.update(amounts)
    return augment.build(config, num_classes=num_classes, **READS[read])


@functools.cache
def compiled(read, amounts):
    return jax.jit(build(read, **dict(amounts)))


def apply(batch=BATCH, read='both', seed=0, **amounts):
    function = compiled(read, tuple(amounts.items()))
    return jax.device_get(function(batch, jax.random.key(seed)))


def counting(batch=BATCH):
    """The batch with the number of the frame as its features and labels, all observed."""
    frame = np.broadcast_to(np.arange(FRAMES)[:, None], BATCH['features'].shape[1:])
    return batch | {
        'features': np.broadcast_to(frame + 1, BATCH['features'].shape).astype(np.float32),
        'mask': np.ones_like(BATCH['mask']),
        'frame_label': np.broadcast_to(frame[:, 0], (SIZE, FRAMES)).astype(np.int8),
    }


def heights(batch):
    """[B, T, J, 2] joints in heights of the picture."""
    return batch['skeleton'][..., :2] * np.stack(
        [batch['aspect'], np.ones(SIZE)], -1)[:, None, None]  # fmt: skip


def test_nothing_is_built_when_everything_is_off():
    assert build() is None


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
    config = default.get_config().augment
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


def test_dropped_joints_are_missing_all_along_and_the_shoulders_stay():
    got = apply(read='skeleton', joint_drop=0.25)
    lost = ~got['skeleton_mask'].any(1)  # [B, J]
    assert 0.15 < lost.mean() < 0.35 and not lost[:, SHOULDERS].any()
    np.testing.assert_array_equal(got['skeleton_mask'], BATCH['skeleton_mask'] & ~lost[:, None])


def distances(batch):
    xy = heights(batch)
    return np.linalg.norm(xy[:, :, :, None] - xy[:, :, None], axis=-1)


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


def test_jitter_is_noise_in_shoulder_widths():
    batch, _ = make_batch(missing=0.0)
    got = apply(batch, read='skeleton', jitter=0.05)
    noise = heights(got) - heights(batch)
    width = np.median(distances(batch)[:, :, SHOULDERS[0], SHOULDERS[1]], axis=1)
    relative = noise / width[:, None, None, None]
    np.testing.assert_allclose(relative.std((0, 1, 2)), 0.05, rtol=0.05)
    np.testing.assert_allclose(relative.std((1, 2, 3)), 0.05, rtol=0.1)
    assert np.abs(np.corrcoef(relative[..., 0].ravel(), relative[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize('read', READS)
def test_everything_together_stays_finite_and_0_where_missing(read):
    amounts = TIME | SIDES | {'mixup': 1.0} | (BODY if read == 'skeleton' else {})
    batch = dict(BATCH)
    batch['skeleton_mask'] = BATCH['skeleton_mask'] & (np.arange(SIZE) > 3)[:, None, None]
    batch['mask'] = BATCH['mask'] & (np.arange(SIZE) > 3)[:, None, None]
    batch['skeleton'] = batch['skeleton'] * batch['skeleton_mask'][..., None]
    batch['features'] = batch['features'] * batch['mask']
    for seed in range(3):
        got = apply(batch, read, seed, **amounts)
        assert set(got) == set(batch) | {'target'}
        for key, value in batch.items():
            assert got[key].shape == value.shape and got[key].dtype == value.dtype, key
            assert np.isfinite(got[key]).all(), key
        assert not got['features'][~got['mask']].any()
        assert not got['skeleton'][~got['skeleton_mask']].any()
        assert got['features'].any() and got['skeleton'].any()


def test_a_clip_depends_on_seed_and_row_alone():
    amounts = TIME | SIDES | BODY
    whole = apply(read='skeleton', **amounts)
    shuffled = np.random.default_rng(0).permutation(SIZE)
    part = {key: value[shuffled][:5] for key, value in BATCH.items()}
    got = apply(part, 'skeleton', **amounts)
    for key in BATCH:
        np.testing.assert_array_equal(got[key], whole[key][shuffled][:5], err_msg=key)
    again = apply(read='skeleton', seed=1, **amounts)
    assert not np.array_equal(again['skeleton'], whole['skeleton'])
    other_rows = apply(BATCH | {'row': BATCH['row'] + 100}, 'skeleton', **amounts)
    assert not np.array_equal(other_rows['skeleton'], whole['skeleton'])


def test_two_devices_make_the_batch_of_one():
    amounts = TIME | SIDES | BODY
    function = build('skeleton', **amounts)
    halves = {key: value.reshape(2, -1, *value.shape[1:]) for key, value in BATCH.items()}
    two = jax.device_get(jax.pmap(function, in_axes=(0, None))(halves, jax.random.key(0)))
    one = apply(read='skeleton', **amounts)
    for key in BATCH:
        # The draws are the same; a program for fewer rows may round another way.
        got = two[key].reshape(one[key].shape)
        close = 1e-6 * (key == 'skeleton')
        np.testing.assert_allclose(got, one[key], atol=close, rtol=0, err_msg=key)


def test_what_an_operation_does_is_the_same_whichever_others_are_on():
    alone = apply(counting(), 'features', shift=0.3)
    mirrored = apply(counting(), 'features', shift=0.3, mirror=1.0)
    np.testing.assert_array_equal(alone['frame_label'], mirrored['frame_label'])


def mixup_case():
    batch, _ = make_batch()
    batch['fps'][:2] = 25
    batch['valid'][-3:] = 0
    return batch, apply(batch, mixup=1.0)


def test_mixtures_are_of_two_clips_in_the_shares_of_the_target():
    batch, got = mixup_case()
    share = np.take_along_axis(got['target'], batch['label'][:, None], 1)[:, 0]
    np.testing.assert_allclose(got['target'].sum(1), 1, rtol=1e-6)
    assert (share >= 0.5).all() and (share < 0.999).sum() > 2
    np.testing.assert_array_equal(got['label'], batch['label'])
    observed = batch['mask']
    for row in np.flatnonzero(share < 0.999):
        # The partner is the clip of the other class that explains features, mask and labels.
        explained = []
        for other in np.flatnonzero(batch['label'] != batch['label'][row]):

            def mixed(array, row=row, other=other):
                return share[row] * array[row] + (1 - share[row]) * array[other]

            mask = observed[row] & observed[other]
            features = np.where(mask, mixed(batch['features']), 0)
            if not np.array_equal(mask, got['mask'][row]) or not np.allclose(
                features, got['features'][row], atol=1e-4
            ):
                continue
            explained.append(other)
            labels = batch['frame_label'][[row, other]]
            np.testing.assert_array_equal(
                got['frame_label'][row], np.where(labels[0] == labels[1], labels[0], -1)
            )
            for name in ('video_mean', 'video_std'):
                np.testing.assert_allclose(got[name][row], mixed(batch[name]), atol=1e-5)
            seen = batch['skeleton_mask'][row] & batch['skeleton_mask'][other]
            np.testing.assert_array_equal(got['skeleton_mask'][row], seen)
            np.testing.assert_allclose(
                heights(got)[row][seen], mixed(heights(batch))[seen], atol=1e-5
            )
        assert len(explained) == 1


def test_fillers_and_other_frame_rates_are_never_mixed_in():
    batch, got = mixup_case()
    changed = {key: np.array(value) for key, value in batch.items()}
    for key in ('features', 'skeleton', 'video_mean'):
        changed[key][-3:] *= 100
    changed['label'][-3:] = 1 - changed['label'][-3:]
    again = apply(changed, mixup=1.0)
    for key in got:
        np.testing.assert_array_equal(again[key][:-3], got[key][:-3], err_msg=key)
        np.testing.assert_array_equal(again[key][-3:], changed.get(key, again[key])[-3:])
    slow = {key: np.array(value) for key, value in batch.items()}
    slow['features'][:2] *= 100  # the two of 25 frames per second
    again = apply(slow, mixup=1.0)
    np.testing.assert_array_equal(again['features'][2:], got['features'][2:])
    share = np.take_along_axis(got['target'], batch['label'][:, None], 1)[:, 0]
    np.testing.assert_array_equal(share[-3:], 1)


def test_most_clips_stay_alone_when_alpha_is_small():
    got = apply(mixup=0.01)
    assert (got['target'].max(1) > 0.99).sum() > SIZE / 2
    single = {key: value[:1] for key, value in BATCH.items()}
    got = apply(single, mixup=1.0)
    np.testing.assert_allclose(got['features'], single['features'], atol=1e-5)
    assert got['target'][0, BATCH['label'][0]] == pytest.approx(1)


def test_targets_have_a_share_for_every_class():
    batch = BATCH | {'label': (np.arange(SIZE) % 3).astype(np.int32)}
    mix = jax.jit(build(num_classes=3, mixup=1.0))
    target = np.asarray(mix(batch, jax.random.key(0))['target'])
    assert target.shape == (SIZE, 3)
    np.testing.assert_array_equal(target.argmax(1), batch['label'])
    assert ((target > 0).sum(1) <= 2).all() and ((target > 0).sum(1) == 2).any()


@pytest.mark.parametrize('zscore', ['global', 'per_video'])
def test_every_array_of_a_batch_has_been_thought_of(zscore):
    """A new column must say what a mirror, a warp and a mixture do to it, then be named here."""
    config = default.get_config()
    config.features.zscore = zscore
    config.features.layout = 'skeleton'
    config.model.name = 'video_swin'
    clips = synthetic.make_clips(num_videos=2, clips_per_video=1, num_frames=4, seed=0)
    assert set(inputs.host_arrays(clips, config)) | {'valid'} <= set(BATCH)


@pytest.mark.parametrize(
    ('read', 'amounts', 'named'),
    [
        ('both', {'mirror': 1.5}, r'augment\.mirror: found 1\.5, expected 0 to 1$'),
        ('both', {'shift': -0.1}, r'augment\.shift: found -0\.1'),
        ('both', {'warp': float('nan')}, r'augment\.warp: found nan'),
        ('features', {'rotate': 5.0}, r'augment\.rotate: cannot move the features'),
        ('both', {'jitter': 0.1}, r'augment\.jitter: cannot move the features'),
        ('features', {'scale': 0.1}, r'augment\.scale'),
        ('features', {'joint_drop': 0.1}, r'augment\.joint_drop'),
    ],
)
def test_what_cannot_be_right_is_one_line(read, amounts, named):
    with pytest.raises(InputError, match=named):
        build(read, **amounts)


@pytest.mark.parametrize('key', ['mirror', 'hand_swap', 'warp'])
def test_features_without_a_meaning_are_refused(key):
    config = default.get_config().augment
    config[key] = 0.5
    with pytest.raises(InputError, match=rf'augment\.{key}: cannot tell .* feature_0'):
        augment.build(config, feature_names=('feature_0',), joint_names=(), num_classes=2)


def test_a_body_without_shoulders_cannot_be_turned():
    config = default.get_config().augment
    config.rotate = 5.0
    with pytest.raises(InputError, match=r'augment\.rotate: needs the joints left_shoulder'):
        augment.build(config, feature_names=(), joint_names=('nose',), num_classes=2)
