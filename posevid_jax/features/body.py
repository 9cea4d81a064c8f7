"""Numbers of each frame about hands and mouth, from the skeleton in the body's frame.

Lengths are in shoulder widths, speeds in those per second, angles in half turns, visibilities from
0 to 1. x points to the side of the hand it is about, y down.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.features import motion
from posevid_jax.features.body_frame import Point, body_frame, check_joints, length

SIDES = ('left', 'right')
NEEDED = ('nose', *(f'{s}_{j}' for s in SIDES for j in ('shoulder', 'elbow', 'wrist')))
READS = ('skeleton', 'skeleton_mask', 'aspect', 'fps')
"""What is read of a batch."""

_FINGERS = ('index', 'pinky', 'thumb')

# Where a skeleton lacks them, mouth and hand are guessed: on the way from the nose to the middle
# of the shoulders, and beyond the wrist in the forearm's direction. Shares fitted to real people.
_MOUTH_FROM_NOSE = 0.21
_HAND_FROM_WRIST = 0.28

Columns = dict[str, tuple[Array, Array]]
"""Values and mask `[B, T]` by name."""


class Figure:
    """A batch of skeletons in the body's frame, by the names of their parts."""

    def __init__(self, batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int):
        """Arguments as for `body_frame`; the joints include `NEEDED`."""
        self._all = body_frame(batch, joint_names, scale_frames)
        self._number = {name: number for number, name in enumerate(joint_names)}

    def has(self, *names: str) -> bool:
        """Whether the skeleton has all of the joints."""
        return all(name in self._number for name in names)

    def mean(self, names: Sequence[str], weights: Sequence[float] | None = None) -> Point:
        """The weighted mean place of joints, observed where all of them are."""
        points = [Point(*(part[self._number[name]] for part in self._all)) for name in names]
        weights = weights or [1.0] * len(points)
        x, y, visibility = (
            sum(w * p[i] for w, p in zip(weights, points, strict=True)) / sum(weights)
            for i in range(3)
        )
        observed = functools.reduce(jnp.logical_and, [p.observed for p in points])
        return Point(x, y, visibility, observed)

    def mouth(self) -> Point:
        """The middle of its corners; of a skeleton without them, a place below the nose."""
        if self.has('mouth_left', 'mouth_right'):
            return self.mean(['mouth_left', 'mouth_right'])
        nose, rest = self.mean(['nose']), 1 - _MOUTH_FROM_NOSE  # the shoulders' middle is at 0
        return nose._replace(x=rest * nose.x, y=rest * nose.y)

    def hand(self, side: str) -> Point:
        """The middle of its fingers; of a skeleton without any, a place beyond the wrist."""
        fingers = [f'{side}_{finger}' for finger in _FINGERS if self.has(f'{side}_{finger}')]
        if fingers:
            return self.mean(fingers)
        wrist, elbow = self.mean([f'{side}_wrist']), self.mean([f'{side}_elbow'])
        return Point(
            x=wrist.x + _HAND_FROM_WRIST * (wrist.x - elbow.x),
            y=wrist.y + _HAND_FROM_WRIST * (wrist.y - elbow.y),
            visibility=wrist.visibility,
            observed=wrist.observed & elbow.observed,
        )


def check(joint_names: Sequence[str]) -> None:
    """Raises InputError when these joints are not enough."""
    check_joints('features.source: body', joint_names, NEEDED)


@functools.cache
def names(joint_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the features of a skeleton with these joints, in their order.

    Those of the hand nearer to the mouth begin with `near_`, those of the other with `far_`.

    Raises:
      InputError: a joint is missing that cannot be done without.
    """
    check(joint_names)
    found: list[str] = []
    shapes = {
        'skeleton': jnp.zeros((1, 1, len(joint_names), 4)),
        'skeleton_mask': jnp.ones((1, 1, len(joint_names)), bool),
        'aspect': jnp.ones(1),
        'fps': jnp.ones(1),
    }
    jax.eval_shape(lambda batch: found.extend(_columns(batch, joint_names, 1)), shapes)
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
      values and mask `[B, T, F]`, F as in `names`; observed where all that a value is made of is, 0
      elsewhere.
    """
    values, masks = zip(*_columns(batch, joint_names, scale_frames).values(), strict=True)
    observed = jnp.stack(masks, axis=-1)
    return jnp.where(observed, jnp.stack(values, axis=-1), 0.0), observed


def _columns(batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int) -> Columns:
    figure = Figure(batch, joint_names, scale_frames)
    left, right = (
        _arm(figure, side, outward, batch['fps'])
        for side, outward in zip(SIDES, (1.0, -1.0), strict=True)
    )
    left_near = _first_is_nearer(left['hand_distance'], right['hand_distance'])

    def choose(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
        return tuple(jnp.where(left_near, a, b) for a, b in zip(first, second, strict=True))

    near = {f'near_{name}': choose(left[name], right[name]) for name in left}
    far = {f'far_{name}': choose(right[name], left[name]) for name in left}
    return near | far | _head(figure, jnp.where(left_near, 1.0, -1.0))


def _first_is_nearer(first: tuple[Array, Array], second: tuple[Array, Array]) -> Array:
    """Whether the first of two distances is the smaller one, of those observed, `[B, T]`."""
    return first[1] & (~second[1] | (first[0] <= second[0]))


def _arm(figure: Figure, side: str, outward: float, fps: Array) -> Columns:
    """What is about one arm; `outward` is the sign of x on its side."""
    mouth, hand = figure.mouth(), figure.hand(side)
    shoulder, elbow, wrist = (
        figure.mean([f'{side}_{joint}']) for joint in ('shoulder', 'elbow', 'wrist')
    )
    ends = {'wrist': wrist, 'hand': hand}
    if figure.has(f'{side}_index'):
        ends['index'] = figure.mean([f'{side}_index'])
    columns: Columns = {}
    for name, end in ends.items():
        x, y, observed = _from_to(mouth, end)
        distance = length(x, y)
        # [B, T, 1]: the speed of one feature
        speed, moving = motion.velocity(distance[..., None], observed[..., None], fps)
        columns |= {
            f'{name}_x': (outward * x, observed),
            f'{name}_y': (y, observed),
            f'{name}_distance': (distance, observed),
            f'{name}_speed': (speed[..., 0], moving[..., 0]),
            f'{name}_visibility': (end.visibility, end.observed),
        }
    upper, forearm = _from_to(elbow, shoulder), _from_to(elbow, wrist)
    direction = length(*forearm[:2])
    direction = jnp.where(direction > 0, direction, 1.0)
    return columns | {
        'elbow_x': (-outward * upper[0], upper[2]),
        'elbow_y': (-upper[1], upper[2]),
        'elbow_angle': _angle(upper, forearm),
        'forearm_x': (outward * forearm[0] / direction, forearm[2]),
        'forearm_y': (forearm[1] / direction, forearm[2]),
        'forearm_off_mouth': _angle(forearm, _from_to(elbow, mouth)),
    }


def _head(figure: Figure, outward: Array) -> Columns:
    """What is about head and mouth; `outward` `[B, T]` is the sign of x on the near hand's side."""
    mouth, nose = figure.mouth(), figure.mean(['nose'])
    columns = {
        'mouth_x': (outward * mouth.x, mouth.observed),
        'mouth_y': (mouth.y, mouth.observed),
        'mouth_visibility': (mouth.visibility, mouth.observed),
    }
    for joint in ('ear', 'eye'):  # the further behind the nose, the more a turn shows
        pair = [f'{side}_{joint}' for side in SIDES]
        if figure.has(*pair):
            yaw, pitch, observed = _from_to(figure.mean(pair), nose)
            columns |= {'head_yaw': (outward * yaw, observed), 'head_pitch': (pitch, observed)}
            break
    if figure.has('mouth_left', 'mouth_right'):
        corners = (figure.mean([f'mouth_{side}']) for side in SIDES)
        for name, ends in {'width': corners, 'below_nose': (nose, mouth)}.items():
            x, y, observed = _from_to(*ends)
            columns[f'mouth_{name}'] = (length(x, y), observed)
    x, y, observed = _from_to(*(figure.mean([f'{side}_shoulder']) for side in SIDES))
    return columns | {'shoulder_width': (length(x, y), observed)}


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
