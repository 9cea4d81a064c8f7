"""The skeleton as rows of a small video: one row a joint, neighbours on the body side by side."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.features import motion
from posevid_jax.features.body_frame import SHOULDERS, Weights, check_joints, locate

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
    check_joints('features.layout: skeleton', joint_names, SHOULDERS)
    place = {name: number for number, name in enumerate(_WALK)}
    return np.array(
        sorted(range(len(joint_names)), key=lambda j: place.get(joint_names[j], len(_WALK))),
        np.int32,
    )


def rows(
    batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int
) -> tuple[Array, Array]:
    """The skeleton as a video with one row a joint.

    Args:
      batch: `skeleton` `[B, T, J, 4]`, `skeleton_mask` `[B, T, J]`, `aspect`, `fps` `[B]`.
      joint_names: of the J joints, accepted by `walk`.
      scale_frames: see `body_frame.locate`.

    Returns:
      values `[B, T, J, 1, C]`, C as in `CHANNELS`, and mask `[B, T, J, 1]`.
    """
    places: list[Weights] = [{joint_names[int(joint)]: 1.0} for joint in walk(joint_names)]
    x, y, visibility, observed = (
        part.transpose(1, 2, 0)  # [B, T, J]
        for part in locate(batch, joint_names, places, scale_frames)
    )
    channels = [
        x,
        y,
        motion.velocity(x, observed, batch['fps'])[0],
        motion.velocity(y, observed, batch['fps'])[0],
        visibility,
        jnp.ones_like(x),
    ]
    values = jnp.where(observed[..., None], jnp.stack(channels, axis=-1), 0.0)
    return values[:, :, :, None], observed[..., None]
