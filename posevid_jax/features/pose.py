"""Numbers of each frame about the whole body, for any gesture and any skeleton with named joints.

Lengths are in body sizes, speeds in those per second, angles in radians. x points to the right of
the picture, y down, z away from the camera. Groups of features, by the first word of their names:

    place         of each joint, from the body's middle
    turned        the same in a frame turned with the shoulders, where there is depth
    path          of the body's middle, from its median in the clip
    distance      between hands, and from hands to head, shoulders and hips, and between the feet
    bone          direction of each, a unit vector
    angle         at elbows, shoulders, hips and knees
    velocity      of each joint over 0.1 s and 0.3 s
    acceleration  of each joint over 0.1 s
"""

import fnmatch
import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.data.joints import parents
from posevid_jax.errors import InputError
from posevid_jax.features.pose_body import Body, Points, length, units

SIDES = ('left', 'right')

_ANGLES = (
    ('elbow', 'shoulder', 'wrist'), ('shoulder', 'hip', 'elbow'),
    ('hip', 'shoulder', 'knee'), ('knee', 'hip', 'ankle'),
)  # fmt: skip
_HANDS = ('hand', 'index', 'wrist')
_HEADS = ('nose', 'head', 'neck')
_FEET = ('foot', 'ankle', 'foot_index')

_VELOCITY_SECONDS = (0.1, 0.3)
_ACCELERATION_SECONDS = 0.1


class Block(NamedTuple):
    """Features side by side: N names, values and mask `[B, T, N]`."""

    names: tuple[str, ...]
    values: Array
    mask: Array


def names(
    joint_names: tuple[str, ...], depth: bool, leave_out: Sequence[str] = ()
) -> tuple[str, ...]:
    """Names of the features of a skeleton with these joints, in their order.

    Args:
      joint_names: all of them.
      depth: whether z is read.
      leave_out: patterns of names that are left out, with `*` for anything.

    Raises:
      InputError: there is no skeleton, or nothing is left.
    """
    if not joint_names:
        raise InputError(
            'features.source: found pose with clips that have no skeleton, expected archive'
        )
    found = _all_names(joint_names, depth)
    left = tuple(found[k] for k in _kept(found, leave_out))
    if not left:
        raise InputError(f'features.leave_out: found {leave_out}, which leaves no feature')
    return left


@functools.cache
def _all_names(joint_names: tuple[str, ...], depth: bool) -> tuple[str, ...]:
    found: list[str] = []
    shapes = {
        'skeleton': jnp.zeros((1, 2, len(joint_names), 4)),
        'skeleton_mask': jnp.ones((1, 2, len(joint_names)), bool),
        'aspect': jnp.ones(1),
        'fps': jnp.ones(1),
    }

    def note(batch: dict[str, Array]) -> None:
        for block in _blocks(batch, joint_names, depth):
            found.extend(block.names)

    jax.eval_shape(note, shapes)
    return tuple(found)


def _kept(names: Sequence[str], leave_out: Sequence[str]) -> list[int]:
    """The numbers of the names that fit none of the patterns."""
    return [
        k
        for k, name in enumerate(names)
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in leave_out)
    ]


def features(
    batch: dict[str, Array],
    joint_names: Sequence[str],
    depth: bool,
    leave_out: Sequence[str] = (),
) -> tuple[Array, Array]:
    """The features of a batch.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect`, `fps` `[B]`.
      joint_names: of the J joints, accepted by `names`.
      depth: whether z is read.
      leave_out: see `names`.

    Returns:
      values and mask `[B, T, F]`, F as in `names`; observed where all that a value is made of is, 0
      elsewhere.
    """
    blocks = _blocks(batch, joint_names, depth)
    kept = [(block, np.array(_kept(block.names, leave_out), int)) for block in blocks]
    values = jnp.concatenate([block.values[..., some] for block, some in kept], axis=-1)
    mask = jnp.concatenate([block.mask[..., some] for block, some in kept], axis=-1)
    return jnp.where(mask, values, 0.0), mask


def _blocks(batch: dict[str, Array], joint_names: Sequence[str], depth: bool) -> list[Block]:
    body = Body(batch, joint_names, depth)
    places = _relative(body.joints, body)
    blocks = [_of_joints('place', places, body)]
    if depth and all(f'{side}_shoulder' in joint_names for side in SIDES):
        blocks.append(_of_joints('turned', _turned(places, body), body))
    blocks += [_path(body), _distances(body), _bones(body), _angles(body)]
    for seconds in _VELOCITY_SECONDS:
        moved = _change(places, seconds, batch['fps'])
        blocks.append(_of_joints('velocity', moved, body, f'_{seconds:g}'))
    first = _change(places, _ACCELERATION_SECONDS, batch['fps'])
    second = _change(first, _ACCELERATION_SECONDS, batch['fps'])
    blocks.append(_of_joints('acceleration', second, body, f'_{_ACCELERATION_SECONDS:g}'))
    return blocks


def _relative(points: Points, body: Body) -> Points:
    """Points `[B, T, J, D]` from the body's middle, in its sizes."""
    inverse, known = units(body)
    at = (points.at - body.middle.at[:, :, None]) * inverse[:, None, None, None]
    return Points(at, points.seen & body.middle.seen[..., None] & known[:, None, None])


def _of_joints(what: str, points: Points, body: Body, after: str = '') -> Block:
    names = [f'{what}_{joint}_{axis}{after}' for joint in body.names for axis in body.axes]
    return _flat(names, points)


def _flat(names: Sequence[str], points: Points) -> Block:
    """Points `[B, T, N, D]`, side by side."""
    at, seen = points
    mask = jnp.broadcast_to(seen[..., None], at.shape)
    return Block(tuple(names), *(x.reshape(*at.shape[:2], len(names)) for x in (at, mask)))


def _turned(places: Points, body: Body) -> Points:
    """Places turned about the vertical so that, over the clip, the shoulders lie along x."""
    left, right = (body.at(f'{side}_shoulder') for side in SIDES)
    seen = left.seen & right.seen
    across = jnp.where(seen[..., None], left.at - right.at, 0.0).sum(1)  # [B, 3]
    width = length(across[:, ::2])
    known = width > 0
    width = jnp.where(known, width, 1.0)
    cos = jnp.where(known, across[:, 0] / width, 1.0)[:, None, None]
    sin = jnp.where(known, across[:, 2] / width, 0.0)[:, None, None]
    x, y, z = jnp.moveaxis(places.at, -1, 0)
    return Points(jnp.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1), places.seen)


def _path(body: Body) -> Block:
    inverse, known = units(body)
    at, seen = body.middle
    moved = (at - body.home[:, None]) * inverse[:, None, None]
    seen = seen & known[:, None]
    return _flat([f'path_{axis}' for axis in body.axes], Points(moved[:, :, None], seen[..., None]))


def _distances(body: Body) -> Block:
    pairs: dict[str, tuple[str, str]] = {}
    head = body.first('', _HEADS)
    hands = [body.first(f'{side}_', _HANDS) for side in SIDES]
    for side, hand in zip(SIDES, hands, strict=True):
        others = {'head': head} | {
            f'{s}_{joint}': f'{s}_{joint}' for s in SIDES for joint in ('shoulder', 'hip')
        }
        for name, joint in others.items():
            if hand and joint and body.has(joint):
                pairs[f'distance_{side}_hand_{name}'] = (hand, joint)
    feet = [body.first(f'{side}_', _FEET) for side in SIDES]
    for name, (left, right) in (('hands', hands), ('feet', feet)):
        if left and right:
            pairs[f'distance_{name}'] = (left, right)
    inverse, known = units(body)
    a, b = (body.each([pair[k] for pair in pairs.values()]) for k in range(2))
    distance = length(a.at - b.at) * inverse[:, None, None]
    return Block(tuple(pairs), distance, a.seen & b.seen & known[:, None, None])


def _bones(body: Body) -> Block:
    found = parents(body.names)
    a, b = body.each(list(found.values())), body.each(list(found))
    way = b.at - a.at
    size = length(way)[..., None]
    unit = jnp.where(size > 0, way / jnp.where(size > 0, size, 1.0), 0.0)
    names = [f'bone_{joint}_{axis}' for joint in found for axis in body.axes]
    return _flat(names, Points(unit, a.seen & b.seen))


def _angles(body: Body) -> Block:
    found = {
        f'angle_{side}_{corner}': [f'{side}_{joint}' for joint in (corner, one, other)]
        for side in SIDES
        for corner, one, other in _ANGLES
        if body.has(*(f'{side}_{joint}' for joint in (corner, one, other)))
    }
    at, a, b = (body.each([joints[k] for joints in found.values()]) for k in range(3))
    value = _angle(a.at - at.at, b.at - at.at)
    return Block(tuple(found), value, at.seen & a.seen & b.seen)


def _angle(a: Array, b: Array) -> Array:
    """Between vectors `[..., D]`, 0 to pi: from their difference and sum at the same length, which
    is exact for small angles too (Kahan 2006, "How Futile are Mindless Assessments of Roundoff").
    """
    a, b = a * length(b)[..., None], b * length(a)[..., None]
    apart, along = length(a - b), length(a + b)
    nowhere = (apart == 0) & (along == 0)  # where atan2 has no derivative
    return 2 * jnp.arctan2(apart, jnp.where(nowhere, 1.0, along))


def _change(points: Points, seconds: float, fps: Array) -> Points:
    """What points `[B, T, J, D]` changed since so many seconds ago, per second."""
    total = points.at.shape[1]
    lag = jnp.maximum(jnp.round(seconds * fps), 1).astype(jnp.int32)  # [B]
    before = jnp.arange(total) - lag[:, None]  # [B, T]
    there = jnp.maximum(before, 0)
    then = jnp.take_along_axis(points.at, there[:, :, None, None], axis=1)
    seen = jnp.take_along_axis(points.seen, there[:, :, None], axis=1)
    seen = seen & points.seen & (before >= 0)[:, :, None]
    rate = fps / lag
    return Points((points.at - then) * rate[:, None, None, None], seen)
