"""The whole body as a small video for any gesture: a row a joint, with what it does in a frame."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.joints import parents
from posevid_jax.errors import InputError
from posevid_jax.features import motion, resampling
from posevid_jax.features.inputs import Masked
from posevid_jax.features.pose_body import Body, units

# A walk over the body from one hand across the head to the other, then down the trunk to the feet:
# joints that move together stand side by side. Other names follow in the order of the file.
_ARM = ('hand_tip', 'pinky', 'index', 'thumb', 'hand', 'wrist', 'elbow', 'shoulder')
_LEG = ('hip', 'knee', 'ankle', 'foot', 'heel', 'foot_index', 'big_toe', 'small_toe')
_WALK = (
    *(f'right_{joint}' for joint in _ARM),
    *('right_ear', 'right_eye', 'head', 'nose', 'neck', 'left_eye', 'left_ear'),
    *(f'left_{joint}' for joint in reversed(_ARM)),
    *('upper_spine', 'thorax', 'spine', 'belly', 'mid_hip'),
    *(f'{side}_{joint}' for side in ('right', 'left') for joint in _LEG),
)

# Frames over which a joint's motion is measured, and factors that bring each channel near 1.
_LAGS = ((1, 6.0), (4, 2.0))
_BONE = 2.0

# Joints that a network can tell apart and afford to: two windows of 24.
_MOST = 48


def neighbours(joints: int) -> int:
    """How many rows stand for one, where there are so many joints as of hands and faces too."""
    return -(-joints // _MOST)


def order(joint_names: Sequence[str]) -> list[int]:
    """The numbers of the joints in the order of the walk over the body.

    Raises:
      InputError: there is no skeleton.
    """
    if not joint_names:
        raise InputError('features.layout: found joints with clips that have no skeleton')
    place = {name: number for number, name in enumerate(_WALK)}
    numbers = range(len(joint_names))
    return sorted(numbers, key=lambda j: place.get(joint_names[j], len(_WALK)))


def rows(batch: dict[str, Array], joint_names: Sequence[str], features: ConfigDict) -> Masked:
    """The skeleton as a video with one row a joint.

    The channels of a joint are its place from where the body's middle is in the median over the
    clip, in body sizes; the way from the joint that it hangs on; its motion over one frame and over
    four; and a one for the joint that it is, as attention knows rows by their distance only, of
    more than 48 joints for the few of its `neighbours` that it is listed with.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect` `[B]`.
      joint_names: of the J joints, accepted by `order`.
      features: `config.features`: `depth`, `frames` and `smooth` are read.

    Returns:
      values `[B, L, J, 1, C]` and mask `[B, L, J, 1]`, L = `features.frames` or, if that is 0, T;
      C = 4 D + ceil(J / `neighbours(J)`) in D dimensions.
    """
    body = Body(batch, joint_names, depth=features.depth == 'on')
    inverse, known = units(body)
    place = (body.joints.at - body.home[:, None, None]) * inverse[:, None, None, None]
    seen = body.joints.seen & known[:, None, None]
    joints, dimensions = place.shape[2:]
    x = place.reshape(*place.shape[:2], -1)
    mask = jnp.repeat(seen, dimensions, axis=-1)
    if features.frames:
        x, mask = resampling.resample(x, mask, features.frames)
    x, mask = motion.smooth(x, mask, features.smooth)
    place = x.reshape(*x.shape[:2], joints, dimensions)
    seen = mask[..., ::dimensions]
    found = parents(joint_names)
    hangs_on = [joint_names.index(found.get(name, name)) for name in joint_names]
    bone = (place - place[:, :, hangs_on]) * seen[:, :, hangs_on, None]
    moved = [_moved(place, seen, lag) * factor for lag, factor in _LAGS]
    share = neighbours(joints)
    which = np.repeat(np.eye(-(-joints // share), dtype=np.float32), share, axis=0)[:joints]
    which = jnp.broadcast_to(which, (*place.shape[:2], *which.shape))
    values = jnp.concatenate([place, bone * _BONE, *moved, which], axis=-1)
    walk = np.array(order(joint_names))
    values = jnp.where(seen[..., None], values, 0.0)[:, :, walk, None]
    return Masked(values, seen[:, :, walk, None])


def _moved(place: Array, seen: Array, frames: int) -> Array:
    """What each place `[B, T, J, D]` changes over so many frames around it, held at the ends."""
    last = place.shape[1] - 1
    frame = np.arange(place.shape[1])
    after = np.minimum(frame + -(-frames // 2), last)
    before = np.maximum(frame - frames // 2, 0)
    both = seen[:, after] & seen[:, before]
    return jnp.where(both[..., None], place[:, after] - place[:, before], 0.0)
