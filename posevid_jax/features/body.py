"""Numbers of each frame about hands and mouth, from the skeleton in the body's frame.

Lengths are in shoulder widths, speeds in those per second, angles in half turns, visibilities from
0 to 1, times in seconds. x points to the side of the hand it is about, y down.
"""

import fnmatch
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.data.joints import HANDS_AND_MOUTH
from posevid_jax.errors import InputError
from posevid_jax.features import motion
from posevid_jax.features.body_around import Columns, surroundings
from posevid_jax.features.body_frame import (
    SHOULDERS,
    Point,
    Weights,
    check_joints,
    length,
    locate,
    mean_of,
)

SIDES = ('left', 'right')

_FINGERS = ('index', 'pinky', 'thumb')

# Where a skeleton lacks them, mouth and hand are guessed: on the way from the nose to the middle
# of the shoulders, and beyond the wrist in the forearm's direction. Shares fitted to real people.
_MOUTH_FROM_NOSE = 0.21
_HAND_FROM_WRIST = 0.28

_OUTWARD = np.array([1, -1], np.float32)[:, None, None]  # the sign of x on each of `SIDES`


def names(joint_names: tuple[str, ...], leave_out: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the features of a skeleton with these joints, in their order.

    Those of the hand nearer to the mouth begin with `near_`, those of the other with `far_`.

    Args:
      joint_names: all of them.
      leave_out: patterns of names that are left out, with `*` for anything.

    Raises:
      InputError: a joint is missing that cannot be done without, a pattern fits no name, or nothing
        is left.
    """
    found = _all_names(tuple(joint_names))
    for pattern in leave_out:
        if not fnmatch.filter(found, pattern):
            raise InputError(
                f'features.leave_out: found {pattern}, which fits none of {", ".join(found)}'
            )
    left = tuple(n for n in found if not any(fnmatch.fnmatchcase(n, p) for p in leave_out))
    if not left:
        raise InputError(f'features.leave_out: found {leave_out}, which leaves no feature')
    return left


@functools.cache
def _all_names(joint_names: tuple[str, ...]) -> tuple[str, ...]:
    if not joint_names:
        raise InputError(
            'features.source: found body with clips that have no skeleton, expected archive'
        )
    check_joints('features.source: body', joint_names, HANDS_AND_MOUTH)
    found: list[str] = []
    shapes = {
        'skeleton': jnp.zeros((1, 1, len(joint_names), 4)),
        'skeleton_mask': jnp.ones((1, 1, len(joint_names)), bool),
        'aspect': jnp.ones(1),
        'fps': jnp.ones(1),
    }
    jax.eval_shape(lambda batch: found.extend(_columns(batch, joint_names, 1)[0]), shapes)
    return tuple(found)


def features(
    batch: dict[str, Array],
    joint_names: Sequence[str],
    scale_frames: int,
    leave_out: Sequence[str] = (),
) -> tuple[Array, Array]:
    """The features of a batch.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect`, `fps` `[B]`.
      joint_names: of the J joints, accepted by `names`.
      scale_frames: see `body_frame.locate`.
      leave_out: see `names`.

    Returns:
      values and mask `[B, T, F]`, F as in `names`; observed where all that a value is made of is
      (of what happened around a frame, see `body_around`), 0 elsewhere.
    """
    found, values, observed = _columns(batch, joint_names, scale_frames)
    kept = np.array([found.index(name) for name in names(tuple(joint_names), leave_out)])
    values, observed = values[kept], observed[kept]
    return jnp.where(observed, values, 0.0).transpose(1, 2, 0), observed.transpose(1, 2, 0)


def mouth(joint_names: Sequence[str]) -> Weights:
    """The middle of its corners; of a skeleton without them, a place below the nose."""
    if 'mouth_left' in joint_names and 'mouth_right' in joint_names:
        return mean_of('mouth_left', 'mouth_right')
    return {'nose': 1 - _MOUTH_FROM_NOSE} | dict.fromkeys(SHOULDERS, _MOUTH_FROM_NOSE / 2)


def _hand(joint_names: Sequence[str], side: str) -> Weights:
    """The middle of its fingers; of a skeleton without any, a place beyond the wrist."""
    fingers = [f'{side}_{finger}' for finger in _FINGERS if f'{side}_{finger}' in joint_names]
    if fingers:
        return mean_of(*fingers)
    return {f'{side}_wrist': 1 + _HAND_FROM_WRIST, f'{side}_elbow': -_HAND_FROM_WRIST}


def _places(joint_names: Sequence[str]) -> tuple[dict[str, Weights], dict[str, Weights]]:
    """What the features are made of, by name: places on an arm, both sides of each in turn, and
    places on the head and shoulders."""
    arm: dict[str, Weights] = {}
    for joint in ('wrist', 'hand', 'index', 'elbow', 'shoulder'):
        for side in SIDES:
            name = f'{side}_{joint}'
            if joint == 'hand':
                arm[name] = _hand(joint_names, side)
            elif name in joint_names:
                arm[name] = {name: 1.0}
    middle = {'mouth': mouth(joint_names), 'nose': {'nose': 1.0}}
    for joint in ('ear', 'eye'):  # the further behind the nose, the more a turn shows
        pair = [f'{side}_{joint}' for side in SIDES]
        if all(name in joint_names for name in pair):
            middle['behind_nose'] = mean_of(*pair)
            break
    for name in ('mouth_left', 'mouth_right'):
        if name in joint_names:
            middle[name] = {name: 1.0}
    return arm, middle


def _columns(
    batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int
) -> tuple[tuple[str, ...], Array, Array]:
    """F names, values and mask `[F, B, T]`."""
    arm, middle = _places(joint_names)
    found = locate(batch, joint_names, [*arm.values(), *middle.values()], scale_frames)

    def at(place: int | slice) -> Point:
        return Point(*(part[place] for part in found))

    sided = {
        name.removeprefix('left_'): at(slice(number, number + 2))  # [2, B, T]: left, right
        for number, name in enumerate(arm)
        if name.startswith('left_')
    }
    head = {name: at(len(arm) + number) for number, name in enumerate(middle)}  # [B, T]
    arms = _arms(sided, head['mouth'], batch['fps'])
    left_near = _first_is_nearer(*arms['hand_distance'])

    def choose(pair: Array) -> Array:  # [K, 2, B, T] to [2 K, B, T]: near, far
        left, right = pair[:, 0], pair[:, 1]
        return jnp.concatenate(
            [jnp.where(left_near, left, right), jnp.where(left_near, right, left)]
        )

    heads = _head(head, sided['shoulder'], jnp.where(left_near, *_OUTWARD))
    names = (*(f'near_{k}' for k in arms), *(f'far_{k}' for k in arms), *heads)
    values, masks = (
        jnp.concatenate(
            [
                choose(jnp.stack([column[part] for column in arms.values()])),
                jnp.stack([column[part] for column in heads.values()]),
            ]
        )
        for part in (0, 1)
    )
    columns = {name: (values[k], masks[k]) for k, name in enumerate(names)}
    around, *blocks = surroundings(columns, batch['fps'])
    values, masks = (jnp.concatenate(part) for part in zip((values, masks), blocks, strict=True))
    return names + around, values, masks


def _first_is_nearer(distance: Array, observed: Array) -> Array:
    """Whether the first of two distances `[2, B, T]` is the smaller one, of those observed."""
    return observed[0] & (~observed[1] | (distance[0] <= distance[1]))


def _arms(at: dict[str, Point], mouth: Point, fps: Array) -> Columns:
    """What is about each arm, `[2, B, T]`."""
    columns: Columns = {}
    for name in ('wrist', 'hand', 'index'):
        if name not in at:
            continue
        end = at[name]
        x, y, observed = _from_to(mouth, end)
        distance = length(x, y)
        speed, moving = motion.velocity(
            distance.transpose(1, 2, 0), observed.transpose(1, 2, 0), fps
        )
        columns |= {
            f'{name}_x': (x * _OUTWARD, observed),
            f'{name}_y': (y, observed),
            f'{name}_distance': (distance, observed),
            f'{name}_speed': (speed.transpose(2, 0, 1), moving.transpose(2, 0, 1)),
            f'{name}_visibility': (end.visibility, end.observed),
        }
    upper, forearm = _from_to(at['elbow'], at['shoulder']), _from_to(at['elbow'], at['wrist'])
    size = length(*forearm[:2])
    size = jnp.where(size > 0, size, 1.0)
    return columns | {
        'elbow_x': (upper[0] * -_OUTWARD, upper[2]),
        'elbow_y': (-upper[1], upper[2]),
        'elbow_angle': _angle(upper, forearm),
        'forearm_x': (forearm[0] * _OUTWARD / size, forearm[2]),
        'forearm_y': (forearm[1] / size, forearm[2]),
        'forearm_off_mouth': _angle(forearm, _from_to(at['elbow'], mouth)),
    }


def _head(at: dict[str, Point], shoulders: Point, outward: Array) -> Columns:
    """What is about head and mouth, `[B, T]`; x times `outward` points to the near hand's side."""
    mouth, nose = at['mouth'], at['nose']
    columns = {
        'mouth_x': (outward * mouth.x, mouth.observed),
        'mouth_y': (mouth.y, mouth.observed),
        'mouth_visibility': (mouth.visibility, mouth.observed),
    }
    if 'behind_nose' in at:
        yaw, pitch, observed = _from_to(at['behind_nose'], nose)
        columns |= {'head_yaw': (outward * yaw, observed), 'head_pitch': (pitch, observed)}
    lengths = {'shoulder_width': [Point(*(part[side] for part in shoulders)) for side in (0, 1)]}
    if 'mouth_left' in at and 'mouth_right' in at:
        lengths = {
            'mouth_width': (at['mouth_left'], at['mouth_right']),
            'mouth_below_nose': (nose, mouth),
        } | lengths
    for name, ends in lengths.items():
        x, y, observed = _from_to(*ends)
        columns[name] = (length(x, y), observed)
    return columns


def _from_to(start: Point, end: Point) -> tuple[Array, Array, Array]:
    """x, y and mask of the way between two points."""
    return end.x - start.x, end.y - start.y, start.observed & end.observed


def _angle(
    first: tuple[Array, Array, Array], second: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    """Between two vectors, in half turns: 0 = the same direction, 1 = opposite; and mask."""
    (ax, ay, a), (bx, by, b) = first, second
    across, along = jnp.abs(ax * by - ay * bx), ax * bx + ay * by
    # atan2 has no derivative where both are 0.
    nowhere = (across == 0) & (along == 0)
    return jnp.arctan2(across, jnp.where(nowhere, 1.0, along)) / jnp.pi, a & b
