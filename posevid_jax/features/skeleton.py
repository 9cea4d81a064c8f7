"""The skeleton as rows of a small video: one row a joint, neighbours on the body side by side."""

from collections.abc import Sequence

import chex
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.errors import InputError
from posevid_jax.features import motion
from posevid_jax.features.pooling import masked_median

CHANNELS = ('x', 'y', 'vx', 'vy', 'visibility', 'observed')

# A walk over the body from one hand across the head to the other, then down: joints that move
# together stand in one patch or window. Other names follow in the order of the file.
_WALK = (
    *('right_pinky', 'right_index', 'right_thumb', 'right_wrist', 'right_elbow', 'right_shoulder'),
    *('right_ear', 'right_eye_outer', 'right_eye', 'right_eye_inner', 'mouth_right', 'nose'),
    *('neck', 'mouth_left', 'left_eye_inner', 'left_eye', 'left_eye_outer', 'left_ear'),
    *('left_shoulder', 'left_elbow', 'left_wrist', 'left_thumb', 'left_index', 'left_pinky'),
    *('mid_hip', 'right_hip', 'left_hip', 'right_knee', 'left_knee', 'right_ankle', 'left_ankle'),
)


def walk(joint_names: Sequence[str]) -> np.ndarray:
    """Numbers of the joints in the order of the walk over the body, `[J]`.

    Raises:
      InputError: there is no skeleton, or it lacks the shoulders that set its place and scale.
    """
    for needed in ('left_shoulder', 'right_shoulder'):
        if needed not in joint_names:
            raise InputError(
                f'features.layout: skeleton needs the joint {needed}; '
                f'the clips have {", ".join(joint_names) or "no skeleton"}'
            )
    place = {name: number for number, name in enumerate(_WALK)}
    return np.array(
        sorted(range(len(joint_names)), key=lambda j: place.get(joint_names[j], len(_WALK))),
        np.int32,
    )


def body_frame(
    skeleton: Array, mask: Array, aspect: Array, shoulders: tuple[int, int]
) -> tuple[Array, Array]:
    """Joint places relative to the shoulders, in shoulder widths.

    The origin is the middle of the shoulders of each frame; the unit is the median distance of the
    shoulders over the clip, which a turn of the body or a jump of the tracker hardly moves. Depth
    is left out: as estimated from one camera it is noise here.

    Args:
      skeleton: `[B, T, J, 4]`.
      mask: `[B, T, J]`.
      aspect: `[B]` width / height of the picture, which x and y are fractions of.
      shoulders: the numbers of the two shoulders.

    Returns:
      `[B, T, J, 2]` places and mask `[B, T, J]`, where joint and shoulders were observed.
    """
    chex.assert_rank([skeleton, mask, aspect], [4, 3, 1])
    xy = skeleton[..., :2] * jnp.stack([aspect, jnp.ones_like(aspect)], -1)[:, None, None]
    left, right = (xy[:, :, joint] for joint in shoulders)  # [B, T, 2]
    framed = mask[:, :, shoulders[0]] & mask[:, :, shoulders[1]]  # [B, T]
    width = jnp.sqrt(((left - right) ** 2).sum(-1))
    unit = masked_median(width[..., None], framed[..., None])[:, None, None]  # [B, 1, 1, 1]
    observed = mask & framed[..., None] & (unit[..., 0] > 0)
    places = (xy - 0.5 * (left + right)[:, :, None]) / jnp.where(unit > 0, unit, 1.0)
    return jnp.where(observed[..., None], places, 0.0), observed


def rows(batch: dict[str, Array], joint_names: Sequence[str]) -> tuple[Array, Array]:
    """The skeleton as a video with one row a joint.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect`, `fps` `[B]`.
      joint_names: of the J joints, accepted by `walk`.

    Returns:
      values `[B, T, J, 1, C]`, C as in `CHANNELS`, and mask `[B, T, J, 1]`.
    """
    shoulders = (joint_names.index('left_shoulder'), joint_names.index('right_shoulder'))
    places, observed = body_frame(
        batch['skeleton'], batch['skeleton_mask'], batch['aspect'], shoulders
    )
    flat = places.reshape(*places.shape[:2], -1)  # [B, T, 2J]
    speed, _ = motion.velocity(flat, jnp.repeat(observed, 2, axis=-1), batch['fps'])
    visibility = batch['skeleton'][..., 3:] * observed[..., None]
    values = jnp.concatenate(
        [places, speed.reshape(places.shape), visibility, observed[..., None]], axis=-1
    )
    order = walk(joint_names)
    return values[:, :, order, None], observed[:, :, order, None]
