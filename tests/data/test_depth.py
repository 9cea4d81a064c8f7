import dataclasses

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.depth import carries_information
from posevid_jax.data.joints import COCO_17, JOINT_MAPS, parents


def moving(joints=COCO_17, seed=0, missing=0.1, aspect=1.6):
    """Bodies of rigid bones that turn in space, each about an axis and at a speed of its own."""
    rng = np.random.default_rng(seed)
    n, frames = 6, 20
    places = {joint: rng.normal(size=(n, frames, 3)) for joint in joints}
    found = parents(joints)
    done = set(joints) - set(found)
    while len(done) < len(joints):
        for joint, parent in found.items():
            if joint not in done and parent in done:
                start, turn = rng.normal(size=(2, n, 1, 3))
                way = np.cos(start + turn * np.arange(frames)[:, None] / 6)
                way /= np.linalg.norm(way, axis=-1, keepdims=True)
                places[joint] = places[parent] + way * rng.uniform(0.05, 0.3)
                done.add(joint)
    at = np.stack([places[joint] for joint in joints], axis=2)
    at = at / [aspect, 1, aspect]  # x and z are shares of the width, y of the height
    skeleton = np.concatenate([at, np.ones((*at.shape[:3], 1))], axis=-1)
    skeleton[rng.random(at.shape[:3]) < missing] = np.nan
    return from_arrays(
        source='toy', features=np.zeros((n, frames, 0)), label=np.arange(n) % 2,
        skeleton=skeleton, joint_names=joints, aspect=np.full(n, aspect),
    )  # fmt: skip


def with_depth(clips, z):
    skeleton = clips.skeleton.copy()
    skeleton[..., 2] = np.where(clips.skeleton_mask, z, 0)
    return dataclasses.replace(clips, skeleton=skeleton)


@pytest.mark.parametrize('joints', ['coco_17', 'kinect_20'])
def test_measured_depth_carries_information(joints):
    assert carries_information(moving(JOINT_MAPS[joints]))


@pytest.mark.parametrize('aspect', [0.1, 0.5, 2.0, 10.0])
def test_the_shape_of_the_picture_is_reckoned_with(aspect):
    clips = moving(aspect=aspect, missing=0)
    assert carries_information(clips)


@pytest.mark.parametrize('deviation', [0.0, 0.01, 0.05, 0.3, 3.0])
def test_noise_and_zeros_carry_none(deviation):
    clips = moving()
    noise = np.random.default_rng(1).normal(size=clips.skeleton.shape[:3]) * deviation
    assert not carries_information(with_depth(clips, noise))


def test_measured_depth_with_little_noise_still_does():
    clips = moving()
    noise = np.random.default_rng(1).normal(size=clips.skeleton.shape[:3]) * 0.005
    assert carries_information(with_depth(clips, clips.skeleton[..., 2] + noise))


def test_there_is_none_without_a_skeleton_bones_or_anybody():
    clips = moving()
    bare = from_arrays(source='toy', features=np.zeros((2, 5, 1)), label=np.arange(2))
    assert not carries_information(bare)
    unknown = tuple(f'joint_{k}' for k in range(17))
    assert not carries_information(dataclasses.replace(clips, joint_names=unknown))
    nobody = dict(skeleton=0 * clips.skeleton, skeleton_mask=0 * clips.skeleton_mask > 0)
    assert not carries_information(dataclasses.replace(clips, **nobody))


def test_each_joint_hangs_on_the_first_that_there_is():
    found = parents(('nose', 'neck', 'left_shoulder', 'left_elbow', 'left_hip', 'mid_hip'))
    assert found == {
        'nose': 'neck', 'neck': 'mid_hip', 'left_shoulder': 'neck', 'left_elbow': 'left_shoulder',
        'left_hip': 'mid_hip',
    }  # fmt: skip
    assert parents(('nose', 'left_shoulder', 'left_hip', 'left_wrist')) == {
        'left_shoulder': 'nose', 'left_hip': 'left_shoulder',
    }  # fmt: skip
    assert parents(('joint_0', 'joint_1')) == {}
    for joints in JOINT_MAPS.values():  # every chain ends
        hangs = parents(joints)
        for joint in hangs:
            for _ in range(12):
                joint = hangs.get(joint, '')
            assert not joint
