"""Features of the whole body against plain NumPy, and what must not matter to them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.data.joints import COCO_17, JOINT_MAPS
from posevid_jax.errors import InputError
from posevid_jax.features import pose
from tests.features import poses

SIDES = ('left', 'right')
HIPS = ('left_hip', 'right_hip')
SHOULDERS = ('left_shoulder', 'right_shoulder')
FRAMES = 20
compute = jax.jit(pose.features, static_argnums=(1, 2))
# What each joint of COCO hangs on; shoulders on the nose, since there is no neck.
BONES = {
    f'{side}_{joint}': parent.replace('SIDE', side)
    for side in SIDES
    for joint, parent in {
        'ear': 'nose', 'shoulder': 'nose', 'elbow': 'SIDE_shoulder', 'wrist': 'SIDE_elbow',
        'hip': 'SIDE_shoulder', 'knee': 'SIDE_hip', 'ankle': 'SIDE_knee',
    }.items()
}  # fmt: skip
ANGLES = {
    'elbow': ('shoulder', 'wrist'), 'shoulder': ('hip', 'elbow'),
    'hip': ('shoulder', 'knee'), 'knee': ('hip', 'ankle'),
}  # fmt: skip


def features(batch, names=COCO_17, depth=True):
    values, mask = map(np.asarray, compute(batch, names, depth))
    assert np.isfinite(values).all() and not values[~mask].any()
    return values, mask


def hide(batch, names, joints, frames=slice(None)):
    for joint in joints:
        batch['skeleton_mask'][:, frames, names.index(joint)] = False
        batch['skeleton'][:, frames, names.index(joint)] = 0
    return batch


def plain(batch, clip, middle, size):
    """One clip: each feature by name, `[T]`, NaN where it is missing.

    Args:
      middle: the joints whose mean is the middle of the body.
      size: (function from joint names to their mean places) to the size of the body by frame.
    """
    aspect, fps = float(batch['aspect'][clip]), float(batch['fps'][clip])
    seen = batch['skeleton_mask'][clip]
    at = batch['skeleton'][clip, ..., :3].astype(float) * [aspect, 1, aspect]
    at[~seen] = np.nan

    def of(*joints):
        return np.mean([at[:, COCO_17.index(joint)] for joint in joints], axis=0)

    def length(x):
        return np.linalg.norm(x, axis=-1)

    unit = np.nanmedian(size(of))
    center = of(*middle)
    place = (at - center[:, None]) / unit
    found = {f'path_{a}': c for a, c in zip('xyz', path(center, unit), strict=True)}
    across = np.nansum(of('left_shoulder') - of('right_shoulder'), axis=0)
    angle = math.atan2(across[2], across[0])
    turn = np.array(
        [[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]]
    )
    rows = {'place_{}_{}': place, 'turned_{}_{}': place @ turn.T}

    def change(x, seconds):
        lag = round(seconds * fps)
        rate = np.full_like(x, np.nan)
        rate[lag:] = (x[lag:] - x[:-lag]) * fps / lag
        return rate

    rows |= {f'velocity_{{}}_{{}}_{s}': change(place, s) for s in (0.1, 0.3)}
    rows['acceleration_{}_{}_0.1'] = change(change(place, 0.1), 0.1)
    for form, x in rows.items():
        for j, joint in enumerate(COCO_17):
            found |= {form.format(joint, axis): x[:, j, k] for k, axis in enumerate('xyz')}

    for side in SIDES:
        ends = {'head': 'nose'} | {
            f'{s}_{j}': f'{s}_{j}' for s in SIDES for j in ('shoulder', 'hip')
        }
        for name, joint in ends.items():
            found[f'distance_{side}_hand_{name}'] = length(of(f'{side}_wrist') - of(joint)) / unit
        for corner, (one, other) in ANGLES.items():
            u, v = (of(f'{side}_{joint}') - of(f'{side}_{corner}') for joint in (one, other))
            found[f'angle_{side}_{corner}'] = np.arccos((u * v).sum(-1) / length(u) / length(v))
    for name, joint in (('hands', 'wrist'), ('feet', 'ankle')):
        found[f'distance_{name}'] = length(of(f'left_{joint}') - of(f'right_{joint}')) / unit
    for joint, parent in BONES.items():
        way = of(joint) - of(parent)
        way /= length(way)[:, None]
        found |= {f'bone_{joint}_{axis}': way[:, k] for k, axis in enumerate('xyz')}
    return found


def path(center, unit):
    return ((center - np.nanmedian(center, axis=0)) / unit).T


def trunk(of):
    return np.linalg.norm(of(*SHOULDERS) - of(*HIPS), axis=-1)


def shoulders(of):
    return 1.4 * np.linalg.norm(of('left_shoulder') - of('right_shoulder'), axis=-1)


def assert_as_plain(batch, middle, size):
    names = pose.names(COCO_17, True)
    values, mask = features(batch)
    assert values.shape[-1] == len(names)
    for clip in range(len(values)):
        expected = plain(batch, clip, middle, size)
        assert set(expected) == set(names)
        for f, name in enumerate(names):
            wanted = expected[name]
            np.testing.assert_array_equal(mask[clip, :, f], ~np.isnan(wanted), name)
            np.testing.assert_allclose(
                values[clip, :, f], np.nan_to_num(wanted), rtol=2e-3, atol=2e-3, err_msg=name
            )


def test_all_features_are_those_of_a_plain_loop():
    assert_as_plain(poses.batch(COCO_17, frames=FRAMES, missing=0.1), HIPS, trunk)


@pytest.mark.parametrize('hidden', [slice(None), slice(0, FRAMES // 2 + 1)])
def test_a_body_whose_hips_are_not_seen_in_half_of_the_frames_is_measured_by_its_shoulders(hidden):
    batch = poses.batch(COCO_17, frames=FRAMES)
    assert_as_plain(hide(batch, COCO_17, HIPS, hidden), SHOULDERS, shoulders)


def test_hips_that_are_seen_in_half_of_the_frames_do():
    batch = poses.batch(COCO_17, frames=FRAMES)
    assert_as_plain(hide(batch, COCO_17, HIPS, slice(0, FRAMES // 2)), HIPS, trunk)


def test_frames_without_anybody_do_not_count_against_the_hips():
    batch = poses.batch(COCO_17, frames=FRAMES)
    hide(batch, COCO_17, HIPS, slice(0, 4))
    assert_as_plain(hide(batch, COCO_17, COCO_17, slice(8, FRAMES)), HIPS, trunk)


def test_a_body_without_hips_and_shoulders_is_measured_by_what_there_is():
    batch = poses.batch(COCO_17, frames=FRAMES)
    hide(batch, COCO_17, (*HIPS, *SHOULDERS))
    values, mask = features(batch)
    columns = [pose.names(COCO_17, True).index(f'place_{j}_{a}') for j in COCO_17 for a in 'xyz']
    places = values[..., columns].reshape(*values.shape[:2], -1, 3)
    seen = mask[..., columns].reshape(places.shape)[..., 0]
    np.testing.assert_array_equal(seen, batch['skeleton_mask'])
    np.testing.assert_allclose(places.sum(2), 0, atol=1e-3)  # their mean is the middle
    away = np.sqrt((places**2).sum(-1).sum(-1) / seen.sum(-1))
    np.testing.assert_allclose(np.median(away, axis=1), 1, rtol=1e-3)


def test_place_and_size_in_the_picture_matter_to_the_path_alone():
    batch = poses.batch(COCO_17, frames=FRAMES, missing=0.1)
    walk = np.random.default_rng(1).random((3, FRAMES, 1, 4))  # another place in each frame
    moved = {**batch, 'skeleton': (0.4 * batch['skeleton'] + walk).astype(np.float32)}
    is_path = np.array([name.startswith('path') for name in pose.names(COCO_17, True)])
    (values, mask), (found, found_mask) = features(batch), features(moved)
    np.testing.assert_array_equal(mask, found_mask)
    # Velocities and accelerations of random places are in the hundreds.
    np.testing.assert_allclose(values[..., ~is_path], found[..., ~is_path], rtol=1e-2, atol=2e-2)
    assert np.abs(values - found)[..., is_path][mask[..., is_path]].mean() > 0.1


@pytest.mark.parametrize('angle', [0.5, 2.0, math.pi])
def test_turning_about_the_vertical_does_not_matter_in_the_turned_frame(angle):
    batch = poses.batch(COCO_17, frames=FRAMES, missing=0.1)
    x, y, z, visibility = np.moveaxis(batch['skeleton'], -1, 0)
    cos, sin = math.cos(angle), math.sin(angle)
    turned = np.stack([cos * x + sin * z, y, cos * z - sin * x, visibility], -1)
    (values, mask), (found, found_mask) = (
        features(batch),
        features({**batch, 'skeleton': turned.astype(np.float32)}),
    )
    np.testing.assert_array_equal(mask, found_mask)
    names = pose.names(COCO_17, True)
    for what, same in (('turned', True), ('place', False), ('angle', True)):
        columns = [name.startswith(what) for name in names]
        assert np.allclose(values[..., columns], found[..., columns], atol=2e-3) == same, what


def test_without_depth_z_is_not_read():
    batch = poses.batch(COCO_17)
    other = {**batch, 'skeleton': batch['skeleton'] * np.array([1, 1, 7, 1], np.float32)}
    names = pose.names(COCO_17, False)
    assert not any(name.startswith('turned') or '_z' in name for name in names)
    for one, two in zip(features(batch, depth=False), features(other, depth=False), strict=True):
        np.testing.assert_array_equal(one, two)


UNKNOWN = tuple(f'joint_{k}' for k in range(5))
SKELETONS = {
    name: JOINT_MAPS[name]
    for name in ('coco_17', 'body_25', 'kinect_20', 'h36m_17', 'mediapipe_33')
} | {'unknown': UNKNOWN}


@pytest.mark.parametrize('skeleton', SKELETONS)
def test_any_skeleton_has_finite_features_of_unique_names(skeleton):
    joints = SKELETONS[skeleton]
    names = pose.names(joints, True)
    assert len(set(names)) == len(names)
    found = {name.split('_')[0] for name in names}
    everywhere = {'place', 'path', 'velocity', 'acceleration'}
    if skeleton == 'unknown':
        assert found == everywhere
    else:
        assert found == everywhere | {'turned', 'distance', 'bone', 'angle'}
        assert {'distance_hands', 'distance_feet', 'distance_left_hand_head'} <= set(names)
    values, mask = features(poses.batch(joints, missing=0.2), joints)
    assert values.shape == mask.shape == (3, 9, len(names))
    for name, values_seen, seen in zip(names, values.any((0, 1)), mask.any((0, 1)), strict=True):
        # Neither 0.3 s nor two changes of three missing joints need fit into nine frames.
        assert values_seen == seen and (seen or name.endswith(('_0.3', '_0.1'))), name


@pytest.mark.parametrize('skeleton', JOINT_MAPS)
def test_names_are_unique_in_every_joint_map(skeleton):
    names = pose.names(JOINT_MAPS[skeleton], False)
    assert len(set(names)) == len(names)


def test_gradients_are_finite_even_where_joints_coincide():
    batch = poses.batch(COCO_17, missing=0.3)
    batch['skeleton'][0] = 0.5
    batch['skeleton'][1, :, 5:] = 0.25  # some of them

    def total(skeleton):
        return pose.features({**batch, 'skeleton': skeleton}, COCO_17, True)[0].sum()

    grad = jax.jit(jax.grad(total))(jnp.asarray(batch['skeleton']))
    assert np.isfinite(grad).all() and np.asarray(grad)[2].any()


def test_a_clip_of_one_frame_and_one_without_anybody():
    names = pose.names(COCO_17, True)
    _, mask = features(poses.batch(COCO_17, frames=1))
    moves = np.array([name.startswith(('velocity', 'acceleration')) for name in names])
    assert mask[..., ~moves].all() and not mask[..., moves].any()
    values, mask = features(poses.batch(COCO_17, missing=1.0))
    assert not mask.any() and not values.any()


def test_features_are_left_out_by_pattern():
    batch = poses.batch(COCO_17)
    patterns = ('velocity_*', '*_wrist_*')
    kept = pose.names(COCO_17, True, patterns)
    assert not any(name.startswith('velocity') or '_wrist_' in name for name in kept)
    everything = pose.names(COCO_17, True)
    columns = [everything.index(name) for name in kept]
    found = jax.jit(lambda: pose.features(batch, COCO_17, True, patterns))()
    for some, whole in zip(found, features(batch), strict=True):
        np.testing.assert_allclose(some, whole[..., columns], rtol=1e-4, atol=1e-3)


def test_what_leaves_no_feature_is_one_line():
    with pytest.raises(InputError, match=r'features\.source: found pose .*expected archive'):
        pose.names((), True)
    with pytest.raises(InputError, match=r'features\.leave_out: found .*leaves no feature'):
        pose.names(COCO_17, True, ('*',))
