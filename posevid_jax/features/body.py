"""Numbers of each frame about hands and mouth, computed from the skeleton in the body's frame."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.features import motion
from posevid_jax.features.body_frame import SHOULDERS, body_frame, check_joints, length

SIDES = ('left', 'right')
NEEDED = (
    *SHOULDERS,
    *(f'{side}_{joint}' for side in SIDES for joint in ('elbow', 'wrist')),
    'nose',
)
_FINGERS = ('index', 'pinky', 'thumb')

# Where a skeleton lacks them, mouth and hand are guessed: on the way from the nose to the middle
# of the shoulders, and beyond the wrist in the forearm's direction. Least squares over real clips.
_MOUTH_FROM_NOSE = 0.21
_HAND_FROM_WRIST = 0.28


class Point(NamedTuple):
    """A place in the body's frame: x, y in shoulder widths, and where it was observed, `[B, T]`."""

    x: Array
    y: Array
    observed: Array


Columns = dict[str, tuple[Array, Array]]
"""Values and mask `[B, T]` by name."""


def check(joint_names: Sequence[str]) -> None:
    """Raises InputError when these joints are not enough."""
    check_joints('features.source: body', joint_names, NEEDED)


def names(joint_names: Sequence[str]) -> tuple[str, ...]:
    """Names of the features of a skeleton with these joints, in their order.

    Those of the hand that is nearer to the mouth begin with `near_`, of the other with `far_`.

    Raises:
      InputError: a joint is missing that cannot be done without.
    """
    check(joint_names)
    found: list[str] = []
    example = {
        'skeleton': jnp.zeros((1, 1, len(joint_names), 4)),
        'skeleton_mask': jnp.zeros((1, 1, len(joint_names)), bool),
        'aspect': jnp.ones(1),
        'fps': jnp.ones(1),
    }
    jax.eval_shape(lambda batch: found.extend(_columns(batch, joint_names, 1)), example)
    return tuple(found)


def features(
    batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int
) -> tuple[Array, Array]:
    """The features of a batch.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect`, `fps` `[B]`.
      joint_names: of the J joints, accepted by `check`.
      scale_frames: see `body_frame`.

    Returns:
      values and mask `[B, T, F]`, F as in `names`. Lengths are in shoulder widths, speeds in those
      per second, positive away from the mouth; angles in half turns; x points to the side of the
      hand, y down; visibilities from 0 to 1. A value is observed where all it is made of is.
    """
    values, masks = zip(*_columns(batch, joint_names, scale_frames).values(), strict=True)
    observed = jnp.stack(masks, axis=-1)
    return jnp.where(observed, jnp.stack(values, axis=-1), 0.0), observed


def _columns(batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int) -> Columns:
    x, y, observed = body_frame(batch, joint_names, scale_frames)
    visibility = batch['skeleton'][..., 3].transpose(2, 0, 1)
    joints = {name: number for number, name in enumerate(joint_names)}

    def point(*names: str) -> Point | None:
        """The middle of the joints; None where the skeleton has not all of them."""
        if not all(name in joints for name in names):
            return None
        numbers = [joints[name] for name in names]
        n = len(numbers)
        return Point(
            sum(x[j] for j in numbers) / n,
            sum(y[j] for j in numbers) / n,
            functools.reduce(jnp.logical_and, [observed[j] for j in numbers]),
        )

    def seen(*names: str) -> tuple[Array, Array]:
        numbers = [joints[name] for name in names if name in joints]
        return (
            sum(visibility[j] for j in numbers) / len(numbers),
            functools.reduce(jnp.logical_and, [observed[j] for j in numbers]),
        )
    nose = point('nose')
    corners = point('mouth_left', 'mouth_right')
    mouth = corners or Point(
        nose.x * (1 - _MOUTH_FROM_NOSE), nose.y * (1 - _MOUTH_FROM_NOSE), nose.observed
    )
    hands = []
    for side, outward in zip(SIDES, (1.0, -1.0), strict=True):
        shoulder, elbow, wrist = (point(f'{side}_{j}') for j in ('shoulder', 'elbow', 'wrist'))
        fingers = [point(f'{side}_{j}') for j in _FINGERS if f'{side}_{j}' in joints]
        reach = _HAND_FROM_WRIST
        hand = point(*(f'{side}_{j}' for j in _FINGERS if f'{side}_{j}' in joints)) if fingers else Point(
            wrist.x + reach * (wrist.x - elbow.x), wrist.y + reach * (wrist.y - elbow.y),
            wrist.observed & elbow.observed,
        )
        columns = {}
        ends = {'wrist': wrist, 'index': point(f'{side}_index'), 'hand': hand}
        for name, end in ends.items():
            if end is None: continue
            m = end.observed & mouth.observed
            dx, dy = end.x - mouth.x, end.y - mouth.y
            d = length(dx, dy)
            v, vm = motion.velocity(d[..., None], m[..., None], batch['fps'])
            columns |= {f'{name}_x': (outward * dx, m), f'{name}_y': (dy, m), f'{name}_distance': (d, m),
                        f'{name}_speed': (v[..., 0], vm[..., 0])}
        fm = elbow.observed & wrist.observed
        fx, fy = outward * (wrist.x - elbow.x), wrist.y - elbow.y
        fl = length(fx, fy); fl = jnp.where(fl > 0, fl, 1.0)
        ux, uy = outward * (shoulder.x - elbow.x), shoulder.y - elbow.y
        mx, my = outward * (mouth.x - elbow.x), mouth.y - elbow.y
        ang = lambda ax, ay, bx, by: jnp.arctan2(jnp.abs(ax * by - ay * bx), ax * bx + ay * by) / jnp.pi
        columns |= {
            'elbow_angle': (ang(fx, fy, ux, uy), fm & shoulder.observed),
            'forearm_x': (fx / fl, fm), 'forearm_y': (fy / fl, fm),
            'forearm_aim': (ang(fx, fy, mx, my), fm & mouth.observed),
            'elbow_height': (shoulder.y - elbow.y, elbow.observed & shoulder.observed),
            'elbow_out': (outward * (elbow.x - shoulder.x), elbow.observed & shoulder.observed),
            'wrist_visibility': seen(f'{side}_wrist'),
            **({'index_visibility': seen(f'{side}_index')} if f'{side}_index' in joints else {}),
        }
        hands.append(columns)
    left, right = hands
    d = [h['hand_distance'] for h in hands]
    import os
    order = os.environ.get('ORDER', 'frame')
    if order == 'frame':
        left_near = d[0][1] & (~d[1][1] | (d[0][0] <= d[1][0]))
    else:
        from posevid_jax.features.pooling import masked_quantiles
        q = {'min': 0.0, 'q10': .1, 'q25': .25, 'median': .5}[order]
        a, b = (jnp.where(m.any(1), masked_quantiles(v[..., None], m[..., None], (q,))[:, 0, 0], jnp.inf) for v, m in d)
        left_near = jnp.broadcast_to((a <= b)[:, None], d[0][0].shape)
    columns = {}
    for prefix, first, second in (('near', left, right), ('far', right, left)):
        for name in left:
            columns[f'{prefix}_{name}'] = tuple(jnp.where(left_near, f, s) for f, s in zip(first[name], second[name]))
    side = jnp.where(left_near, 1.0, -1.0)
    face = point('left_ear', 'right_ear') or point('left_eye', 'right_eye')
    if face is not None:
        m = face.observed & nose.observed
        columns |= {'head_yaw': (side * (nose.x - face.x), m), 'head_pitch': (nose.y - face.y, m)}
    columns |= {'mouth_x': (side * mouth.x, mouth.observed), 'mouth_y': (mouth.y, mouth.observed)}
    if corners is not None:
        a, b = point('mouth_left'), point('mouth_right')
        columns |= {'mouth_width': (length(a.x - b.x, a.y - b.y), corners.observed),
         'mouth_nose': (length(mouth.x - nose.x, mouth.y - nose.y), corners.observed & nose.observed)}
    columns['mouth_visibility'] = seen('mouth_left', 'mouth_right') if corners else seen('nose')
    a, b = (point(s) for s in SHOULDERS)
    columns['shoulder_width'] = (length(a.x - b.x, a.y - b.y), a.observed & b.observed)
    return columns
