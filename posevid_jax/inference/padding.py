"""Recordings of any length in a few sizes, so that few programs are compiled."""

import numpy as np

_SMALLEST = 256  # frames


def padded(frames: np.ndarray) -> np.ndarray:
    """[T, ...] with zeros after the last frame, as many as make the length a power of 2."""
    size = max(power_of_2(len(frames)), _SMALLEST)
    return np.pad(frames, ((0, size - len(frames)), *[(0, 0)] * (frames.ndim - 1)))


def power_of_2(number: int) -> int:
    """The smallest one that is not less than a number above 0."""
    return 1 << (number - 1).bit_length()
