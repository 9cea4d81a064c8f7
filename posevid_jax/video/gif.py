"""Pictures with their times as a GIF, by Pillow: for those who have no PyAV."""

import pathlib
from collections.abc import Iterable

import numpy as np
from PIL import Image

from posevid_jax.video.estimator import Frame

MOST_SECONDS = 60  # a GIF is as large as all of its pictures together
_BETWEEN = 0.08  # seconds from a picture to the next, at least
_TICKS = 100  # a second


def times(edges: np.ndarray) -> np.ndarray:
    """When the pictures of a GIF begin, and the end of the last one, [N + 1] seconds.

    Args:
      edges: [T + 1] the same of all frames that there are.
    """
    kept = [edges[0]]
    end = min(edges[-1], edges[0] + MOST_SECONDS)
    for time in edges[1:-1]:
        if time - kept[-1] > _BETWEEN - 1e-6 and time < end:
            kept.append(time)
    return np.array([*kept, end])


def write(path: pathlib.Path, frames: Iterable[Frame], edges: np.ndarray) -> None:
    """Writes a GIF that plays again and again.

    Args:
      path: of the file, under any name.
      frames: N of one size.
      edges: [N + 1] seconds when each begins, and the end of the last one.
    """
    lengths = 10 * np.diff(np.round(_TICKS * edges).astype(int))  # in ms
    pictures = (Image.fromarray(frame.picture) for frame in frames)
    first = next(pictures)
    first.save(
        path, 'GIF', save_all=True, append_images=pictures, duration=lengths.tolist(), loop=0
    )
