"""The body's own frame: joints relative to the shoulders, in units of the body's size.

Depth is left out: as estimated from one camera it is noise here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import jax.numpy as jnp
from jax import Array

from posevid_jax.errors import InputError
from posevid_jax.features.pooling import masked_median, root

SHOULDERS = ('left_shoulder', 'right_shoulder')

# Shoulder widths from the nose to the middle of the shoulders of a person who faces the camera;
# when the person turns aside the shoulders narrow and this length stays.
_WIDTHS_PER_NECK = 1.45


class Point(NamedTuple):
    """A place in the body's frame, `[B, T]` each or with more axes in front.

    Attributes:
      x, y: shoulder widths from the middle of the shoulders, to the right and down in the picture;
        where not observed, anything finite.
      visibility: 0..1.
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


def body_frame(batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int) -> Point:
    """All joints in the body's frame.

    The unit is robust against turns of the body and jumps of the tracker: the larger of shoulder
    width and 1.45 neck lengths (shoulders to nose, where the skeleton has one), then the median of
    the frames around, inside the clip.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, x and y in fractions of the picture; `skeleton_mask`
        `[B, T, J]`; `aspect` `[B]` width / height of the picture.
      joint_names: of the J joints, the shoulders among them.
      scale_frames: length of the window of the median, odd so that it is centred.

    Returns:
      a Point of `[J, B, T]`: joints apart and frames side by side, so that what is computed of a
      few joints is computed of many numbers in a row. Observed where the joint, both shoulders and
      the unit are.
    """
    skeleton, aspect = batch['skeleton'], batch['aspect']
    chex.assert_rank([skeleton, batch['skeleton_mask'], aspect], [4, 3, 1])
    x, y, _, visibility = skeleton.transpose(3, 2, 0, 1)  # [J, B, T] each
    mask = batch['skeleton_mask'].transpose(2, 0, 1)
    x = x * aspect[:, None]
    left, right = (joint_names.index(name) for name in SHOULDERS)
    center_x, center_y = 0.5 * (x[left] + x[right]), 0.5 * (y[left] + y[right])
    size = length(x[left] - x[right], y[left] - y[right])
    if 'nose' in joint_names:
        nose = joint_names.index('nose')
        neck = length(x[nose] - center_x, y[nose] - center_y)
        size = jnp.where(mask[nose], jnp.maximum(size, _WIDTHS_PER_NECK * neck), size)
    framed = mask[left] & mask[right]  # [B, T]
    unit = rolling_median(size, framed, scale_frames)
    observed = mask & framed & (unit > 0)
    unit = jnp.where(unit > 0, unit, 1.0)
    return Point((x - center_x) / unit, (y - center_y) / unit, visibility, observed)


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
