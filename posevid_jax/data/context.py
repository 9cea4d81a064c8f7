"""The frames around each clip, from its archive or from other clips of the same video."""

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.video_stats import rows_of_videos
from posevid_jax.errors import InputError


def context(clips: Clips, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """The skeleton before and after each clip.

    Args:
      clips: any set with a skeleton.
      frames: how many to take on either side of a clip.

    Returns:
      [N, 2 frames, J, 4] f32, 0 where missing, and mask [N, 2 frames, J]. Missing are frames that
      no clip holds, unless the archive has context of its own (`Clips.context_skeleton`).

    Raises:
      InputError: the archive's context is shorter, or it has none and clips do not say where in
        their video they start.
    """
    if clips.context_skeleton is not None:
        stored = clips.context_skeleton.shape[1] // 2
        if stored < frames:
            raise InputError(
                f'{clips.videos[0]}: context_skeleton: found {stored} frames on either side, '
                f'expected the {frames} of features.context, or none'
            )
        inner = slice(stored - frames, stored + frames)
        skeleton, mask = np.asarray(clips.context_skeleton), np.asarray(clips.context_mask)
        return skeleton[:, inner], mask[:, inner]
    if (clips.start_frame == UNKNOWN_FRAME).any():
        raise InputError(
            f'{clips.videos[0]}: start_frame: found clips without it, which features.context='
            f'{frames} needs; expected it, or context_skeleton'
        )
    skeleton = np.zeros((len(clips), 2 * frames, len(clips.joint_names), 4), np.float32)
    mask = np.zeros(skeleton.shape[:3], bool)
    for rows in rows_of_videos(clips):
        _fill(clips, rows, frames, skeleton, mask)
    return skeleton, mask


def _fill(
    clips: Clips, rows: np.ndarray, frames: int, skeleton: np.ndarray, mask: np.ndarray
) -> None:
    """Writes the context of the clips of one video."""
    assert clips.skeleton is not None and clips.skeleton_mask is not None
    length = clips.skeleton.shape[1]
    start = clips.start_frame[rows].astype(np.int64)
    start -= start.min()
    # The video from `frames` before its first clip to `frames` after its last one.
    video = np.zeros((start.max() + length + 2 * frames, *clips.skeleton.shape[2:]), np.float32)
    observed = np.zeros(video.shape[:2], bool)
    clips_of_video = (clips.skeleton[rows], clips.skeleton_mask[rows])
    for at, joints, seen in zip(start + frames, *clips_of_video, strict=True):
        clip = slice(at, at + length)
        video[clip] = np.where(seen[..., None], joints, video[clip])
        observed[clip] |= seen
    for row, at in zip(rows, start, strict=True):
        after = at + frames + length
        for whole, own in ((video, skeleton), (observed, mask)):
            own[row, :frames] = whole[at : at + frames]
            own[row, frames:] = whole[after : after + frames]
