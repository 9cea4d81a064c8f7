"""What only a whole video knows: the mean and deviation of its features."""

import numpy as np

from posevid_jax.data.clips import UNKNOWN_FRAME, Clips


def per_video_stats(clips: Clips) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature over the observed frames of each clip's video.

    Clips of a video may overlap: a frame of the video counts once. Clips that do not say where they
    start count in full.

    Returns:
      (mean, std), both [N, F] f32; the deviation divides by the count. A feature never observed in
      a video gets 0 and 0.
    """
    n, t, f = clips.features.shape
    mean, std = np.zeros((2, n, f), np.float32)
    by_video = np.argsort(clips.video, kind='stable')
    for rows in np.split(by_video, np.flatnonzero(np.diff(clips.video[by_video])) + 1):
        values, observed = _timeline(clips, rows, t)
        count = np.maximum(observed.sum(0), 1)  # [F]
        center = values.sum(0) / count
        residual = np.where(observed, values - center, 0)
        mean[rows] = center
        std[rows] = np.sqrt(np.square(residual).sum(0) / count)
    return mean, std


def _timeline(clips: Clips, rows: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct frames of one video: values [frames, F] f64, 0 where unobserved, and mask."""
    start = clips.start_frame[rows].astype(np.int64)
    # Clips without a position get one of their own, past every known frame.
    unknown = start == UNKNOWN_FRAME
    start[unknown] = start.max() + t * np.arange(1, unknown.sum() + 1)
    frames, position = np.unique(start[:, None] + np.arange(t), return_inverse=True)
    values = np.zeros((len(frames), clips.features.shape[2]))
    observed = np.zeros(values.shape, bool)
    per_clip = zip(
        position.reshape(len(rows), t), clips.features[rows], clips.mask[rows], strict=True
    )
    for at, x, mask in per_clip:
        values[at] = np.where(mask, x, values[at])
        observed[at] |= mask
    return values, observed
