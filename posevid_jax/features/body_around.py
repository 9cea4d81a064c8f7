"""What happened around each frame: how near the hand came just before and after it, and how long
ago or ahead it is at the mouth.

A hand at the mouth is one frame's business; that a gesture goes on while the hand sinks, and that
one begins, shows only in the frames around. In a live stream what comes after a clip is missing.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Columns = dict[str, tuple[Array, Array]]
"""Values and mask `[B, T]` by name."""

Block = tuple[tuple[str, ...], Array, Array]
"""F names, values and mask `[F, B, T]`."""

# The nearer hand's features whose lowest and highest values around a frame are told.
_LOWEST = ('near_hand_distance', 'near_hand_y', 'near_forearm_off_mouth')
_HIGHEST = ('near_hand_y', 'near_forearm_off_mouth')
# So many frames on one side, beside the frame itself: a second of a usual recording.
_SECOND = 30
# How near the hand came is told for half a second to three as well.
_REACHES = (15, 30, 60, 90)

# Shoulder widths from the mouth within which the nearer hand is on a visit there.
_VISITS = (0.35, 0.6, 1.0)
# Seconds after which a visit is as far as can be: it may be out of the frames that are known.
_FARTHEST = 2.5

_SIDES = ('before', 'after')


def surroundings(columns: Columns, fps: Array) -> Block:
    """The features of a frame that are made of others in the frames around it.

    Of the nearer hand's distance, height and forearm the lowest and highest values of some frames
    before and after, the frame itself among them: `near_hand_y_lowest_30_before`. Of its visits
    to the mouth, by how near one must be, the seconds since and until one, 0 during it, and the
    length of the one it is on, else 0: `visit_0.6_since`, `_until`, `_length`; 2.5 s stands for
    all that is further.

    Args:
      columns: of the near hand and the mouth.
      fps: `[B]` frames per second.

    Returns:
      F names, values and mask `[F, B, T]`: extremes observed where one of their frames is, visits
      where the mouth is.
    """
    (extremes, *one), (visits, *other) = _extremes(columns), _visits(columns, fps)
    values, masks = (jnp.concatenate(parts) for parts in zip(one, other, strict=True))
    return (*extremes, *visits), values, masks


def _extremes(columns: Columns) -> Block:
    _, hand = columns['near_hand_distance']  # without a hand no arm is the near one
    taken = [(name, 'lowest', 1.0) for name in _LOWEST]
    taken += [(name, 'highest', -1.0) for name in _HIGHEST]
    x = [jnp.where(columns[n][1] & hand, sign * columns[n][0], jnp.inf) for n, _, sign in taken]
    names, lowest = [], []
    for reach, both in zip(_REACHES, _lowest(_both_ways(jnp.stack(x))), strict=True):
        told = taken if reach == _SECOND else taken[:1]
        for side, low in zip(_SIDES, _undo(both), strict=True):
            names += [f'{name}_{what}_{reach}_{side}' for name, what, _ in told]
            lowest.append(low[: len(told)])
    low = jnp.concatenate(lowest)
    sign = np.array([-1.0 if '_highest_' in name else 1.0 for name in names], np.float32)
    known = jnp.isfinite(low)
    return tuple(names), jnp.where(known, low * sign[:, None, None], 0.0), known


def _visits(columns: Columns, fps: Array) -> Block:
    distance, seen = columns['near_hand_distance']
    visit = jnp.stack([seen & (distance < limit) for limit in _VISITS])  # [V, B, T]
    since, until = _undo(_frames_since(_both_ways(jnp.stack([visit, ~visit]))))  # [2, V, B, T]
    since, until = (jnp.minimum(x / fps[:, None], _FARTHEST) for x in (since, until))
    values = {
        'since': since[0],
        'until': until[0],
        'length': jnp.where(visit, since[1] + until[1], 0.0),
    }
    names = tuple(f'visit_{limit}_{what}' for what in values for limit in _VISITS)
    values = jnp.concatenate(list(values.values()))
    return names, values, jnp.broadcast_to(columns['mouth_y'][1], values.shape)


def _both_ways(x: Array) -> Array:
    """`[..., T]` forwards and backwards, `[2, ..., T]`, so that one pass looks either way."""
    return jnp.stack([x, x[..., ::-1]])


def _undo(both: Array) -> tuple[Array, Array]:
    """What looked back and what looked ahead, in the order of the frames."""
    return both[0], both[1][..., ::-1]


def _lowest(x: Array) -> list[Array]:
    """For each of `_REACHES`, the lowest of every frame `[..., T]` and so many before it.

    Windows of twice the length are made of two, so few passes do; `lax.reduce_window` starts every
    window anew on a CPU.
    """
    found, length = [], 1
    for reach in _REACHES:
        while 2 * length <= reach + 1:
            x = jnp.minimum(x, _later(x, length))
            length *= 2
        found.append(jnp.minimum(x, _later(x, reach + 1 - length)))
    return found


def _later(x: Array, frames: int) -> Array:
    """`[..., T]` so many frames later, infinite where nothing comes from."""
    before = [(0, 0)] * (x.ndim - 1) + [(frames, 0)]
    return jnp.pad(x, before, constant_values=jnp.inf)[..., : x.shape[-1]]


def _frames_since(event: Array) -> Array:
    """Frames since the last one `[..., T]` of an event, very many where none was."""
    number = jnp.broadcast_to(jnp.arange(event.shape[-1]), event.shape)
    return number - lax.cummax(jnp.where(event, number, -(2**30)), axis=event.ndim - 1)
