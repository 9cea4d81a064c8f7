"""The body's own frame: places relative to the shoulders, in units of the body's size.

Depth is left out: as estimated from one camera it is noise here.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from posevid_jax.errors import InputError
from posevid_jax.features.pooling import masked_median, root

SHOULDERS = ('left_shoulder', 'right_shoulder')

# Shoulder widths from the nose to the middle of the shoulders of a person who faces the camera;
# when the person turns aside the shoulders narrow and this length stays.
_WIDTHS_PER_NECK = 1.45

Weights = Mapping[str, float]
"""A place as a weighted mean of joints, by name; the weights sum to 1."""


class Point(NamedTuple):
    """Places in the body's frame, `[..., B, T]` each.

    Attributes:
      x, y: shoulder widths from the middle of the shoulders, to the right and down in the picture;
        where not observed, anything finite.
      visibility: 0..1, the mean of the joints'.
      observed: bool.
    """

    x: Array
    y: Array
    visibility: Array
    observed: Array


def check_joints(key: str, joint_names: Sequence[str], needed: Sequence[str]) -> None:
    """Raises InputError when the clips lack a joint, or a skeleton, that `key` needs."""
    for name in needed:
        if name not in joint_names:
            raise InputError(
                f'{key}: needs the joint {name}; '
                f'the clips have {", ".join(joint_names) or "no skeleton"}'
            )


def mean_of(*joints: str) -> Weights:
    """The place in the middle of joints."""
    return dict.fromkeys(joints, 1 / len(joints))


def locate(
    batch: dict[str, Array],
    joint_names: Sequence[str],
    places: Sequence[Weights],
    scale_frames: int,
) -> Point:
    """Places in the body's frame.

    All are computed by one small matrix product, which is fast, and fast to compile.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, x and y in fractions of the picture; `skeleton_mask`
        `[B, T, J]`; `aspect` `[B]` width / height of the picture.
      joint_names: of the J joints, the shoulders among them.
      places: K of them, of these joints.
      scale_frames: see `body_size`.

    Returns:
      a Point of `[K, B, T]`; observed where all joints of the place, both shoulders and the unit
      are.
    """
    skeleton, mask, aspect = batch['skeleton'], batch['skeleton_mask'], batch['aspect']
    chex.assert_rank([skeleton, mask, aspect], [4, 3, 1])
    weights = np.array([[place.get(name, 0) for name in joint_names] for place in places])
    middle = np.isin(joint_names, SHOULDERS) / len(SHOULDERS)

    def combine(weights: np.ndarray, joints: Array) -> Array:
        """[K, J] by [B, T, J] to [K, B, T]."""
        return jnp.einsum(
            'kj,btj->kbt', weights.astype(np.float32), joints, precision=lax.Precision.HIGHEST
        )

    visible = np.abs(weights) / np.abs(weights).sum(1, keepdims=True)
    missing = combine((weights != 0) | (middle != 0), (~mask).astype(jnp.float32))
    unit = body_size(batch, joint_names, scale_frames)  # [B, T]
    inverse = jnp.where(unit > 0, 1 / jnp.where(unit > 0, unit, 1.0), 0.0)
    return Point(
        x=combine(weights - middle, skeleton[..., 0]) * (inverse * aspect[:, None]),
        y=combine(weights - middle, skeleton[..., 1]) * inverse,
        visibility=combine(visible, skeleton[..., 3]),
        observed=(missing == 0) & (unit > 0),
    )


def body_size(batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int) -> Array:
    """The body's size in heights of the picture, `[B, T]`; 0 where unknown.

    Robust against turns of the body and jumps of the tracker: the larger of shoulder width and 1.45
    neck lengths (shoulders to nose, where the skeleton has one), then the median of `scale_frames`
    frames around, inside the clip.
    """
    x, y, mask = batch['skeleton'][..., 0], batch['skeleton'][..., 1], batch['skeleton_mask']
    x = x * batch['aspect'][:, None, None]
    left, right = (joint_names.index(name) for name in SHOULDERS)
    size = length(x[..., left] - x[..., right], y[..., left] - y[..., right])
    if 'nose' in joint_names:
        nose = joint_names.index('nose')
        neck = length(
            x[..., nose] - 0.5 * (x[..., left] + x[..., right]),
            y[..., nose] - 0.5 * (y[..., left] + y[..., right]),
        )
        size = jnp.where(mask[..., nose], jnp.maximum(size, _WIDTHS_PER_NECK * neck), size)
    return rolling_median(size, mask[..., left] & mask[..., right], scale_frames)


def length(x: Array, y: Array) -> Array:
    """Of vectors, with a derivative of 0 where it is 0."""
    return root(x**2 + y**2)


def rolling_median(x: Array, mask: Array, frames: int) -> Array:
    """Median of the observed frames of a centred window, cut off at the ends of the clip.

    Args:
      x, mask: `[B, T]`.
      frames: length of the window, odd.

    Returns:
      `[B, T]`; 0 where the window holds no observed frame.
    """
    total = x.shape[1]
    reach = frames // 2
    if reach >= total - 1:  # every window is the whole clip
        return jnp.broadcast_to(masked_median(x[..., None], mask[..., None]), x.shape)

    def windows(values: Array) -> Array:
        padded = jnp.pad(values, ((0, 0), (reach, reach)))
        return jnp.stack([padded[:, i : i + total] for i in range(frames)], axis=1)

    return masked_median(windows(x), windows(mask))  # [B, frames, T] to [B, T]
