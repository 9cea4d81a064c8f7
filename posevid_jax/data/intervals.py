"""Labels of a video: stretches of it with a name, and what they say of frames."""

import dataclasses
import pathlib

import numpy as np

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """K stretches of a video in order; none overlap.

    Attributes:
      start, end: [K] f64 seconds, or frames; a stretch includes its start and not its end.
      label: K names.
      in_frames: whether they count frames.
      notes: what was assumed or mended, a sentence each.
    """

    start: np.ndarray
    end: np.ndarray
    label: tuple[str, ...]
    in_frames: bool = False
    notes: tuple[str, ...] = ()


def in_seconds(intervals: Intervals, fps: float) -> Intervals:
    """The intervals in seconds, whatever they count.

    Args:
      intervals: of a video.
      fps: its frames per second.
    """
    if not intervals.in_frames:
        return intervals
    return dataclasses.replace(
        intervals, start=intervals.start / fps, end=intervals.end / fps, in_frames=False
    )


def frame_labels(
    intervals: Intervals, time: np.ndarray, classes: tuple[str, ...], outside: int
) -> np.ndarray:
    """The label of each frame, [T] i8.

    Args:
      time: [T] seconds.
      classes: names of the labels, which hold those of the intervals.
      outside: label of frames in no interval.
    """
    numbers = np.array([*(classes.index(label) for label in intervals.label), outside], np.int8)
    at = np.searchsorted(intervals.start, time, side='right') - 1  # -1 = before the first
    inside = (at >= 0) & (time < np.append(intervals.end, -np.inf)[at])
    return np.where(inside, numbers[at], numbers[-1])


def class_names(
    found: dict[str, pathlib.Path], configured: tuple[str, ...], outside: str, *, negative: bool
) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers.

    Not configured, they are the labels of the files in alphabetical order, after that of the frames
    outside of all intervals where it has a name.

    Args:
      found: the labels, each with a file that holds it.
      configured: `prepare.classes`.
      outside: `prepare.outside`.
      negative: class 0 has to be the one that means no gesture.

    Raises:
      InputError: fewer than two classes, or it is not clear which of them means no gesture.
    """
    first = () if outside == 'unknown' else (outside,)
    names = tuple(configured) or (*first, *sorted(set(found).difference(first)))
    if len(set(names)) < max(2, len(names)):
        raise InputError(
            f'prepare.classes: found {", ".join(names) or "no labels"}, expected at least two '
            'different names; a name in prepare.outside is the class of what no interval covers'
        )
    if not set(first) <= set(names):
        raise InputError(f'prepare.outside: found {outside!r}, expected one of {", ".join(names)}')
    if negative and not configured and not first and len(names) > 2:
        raise InputError(
            f'prepare.classes: the label files hold {len(names)} labels '
            f'({", ".join(f"{name} in {found[name].name}" for name in names)}); '
            'expected all of them in prepare.classes, the one without a gesture first'
        )
    return names


def outside_label(outside: str, classes: tuple[str, ...]) -> int:
    """The label of frames in no interval."""
    return UNKNOWN_LABEL if outside == 'unknown' else classes.index(outside)
