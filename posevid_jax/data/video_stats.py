"""Mean and deviation of features over whole videos."""

from collections.abc import Callable, Iterator

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME

Read = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

# Whole videos are read together until they have so many clips.
_BLOCK = 1024


def per_video_stats(clips: Clips, read: Read | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each feature over the observed frames of each clip's video.

    Clips of a video may overlap: a frame of the video counts once. Clips that do not say where they
    start count in full.

    Args:
      clips: any set.
      read: gives the features and mask [n, T, F] of the clips with row numbers [n]; None reads the
        clips' own.

    Returns:
      (mean, std), both [N, F] f32; the deviation divides by the count. A feature never observed in
      a video gets 0 and 0.
    """

    def own(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return clips.features[rows], clips.mask[rows]

    mean, std = [], []
    for block in _blocks(rows_of_videos(clips)):
        features, mask = (read or own)(np.concatenate(block))
        ends = np.cumsum([len(rows) for rows in block])[:-1]
        parts = (np.split(array, ends) for array in (features, mask))
        for rows, *clip_arrays in zip(block, *parts, strict=True):
            values, observed = _timeline(clips.start_frame[rows], *clip_arrays)
            count = np.maximum(observed.sum(0), 1)  # [F]
            mean.append(values.sum(0) / count)
            residual = np.where(observed, values - mean[-1], 0)
            std.append(np.sqrt(np.square(residual).sum(0) / count))
    # Videos are numbered as they come here.
    mean, std = np.stack(mean).astype(np.float32), np.stack(std).astype(np.float32)
    return mean[clips.video], std[clips.video]


def rows_of_videos(clips: Clips) -> list[np.ndarray]:
    """The rows of the clips of each video, in the order of `clips.videos`."""
    by_video = np.argsort(clips.video, kind='stable')
    return np.split(by_video, np.flatnonzero(np.diff(clips.video[by_video])) + 1)


def _blocks(videos: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Consecutive videos, given by their rows, in groups of about _BLOCK clips."""
    block, size = [], 0
    for rows in videos:
        block.append(rows)
        size += len(rows)
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _timeline(
    start: np.ndarray, features: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct frames of one video: values [frames, F] f64, 0 where unobserved, and mask."""
    n, t, f = features.shape
    start = start.astype(np.int64)
    # Clips without a position get one of their own, past every known frame.
    unknown = start == UNKNOWN_FRAME
    start[unknown] = start.max() + t * np.arange(1, unknown.sum() + 1)
    frames, position = np.unique(start[:, None] + np.arange(t), return_inverse=True)
    values = np.zeros((len(frames), f))
    observed = np.zeros(values.shape, bool)
    for at, clip, seen in zip(position.reshape(n, t), features, mask, strict=True):
        values[at] = np.where(seen, clip, values[at])
        observed[at] |= seen
    return values, observed
