"""Labels of a video: a CSV file with the columns start, end (seconds) and label."""

import dataclasses
import math
import pathlib

import numpy as np

from posevid_jax.data import csv_file
from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.data.landmarks.content import read_text
from posevid_jax.errors import InputError

_COLUMNS = ('start', 'end', 'label')


@dataclasses.dataclass(frozen=True, eq=False)
class Intervals:
    """K stretches of a video in order; none overlap.

    Attributes:
      start, end: [K] f64 seconds; a stretch holds its start and not its end.
      label: K names.
    """

    start: np.ndarray
    end: np.ndarray
    label: tuple[str, ...]


def read_intervals(path: pathlib.Path, max_mb: int) -> Intervals:
    """Reads a label file; other columns are not read, and a file without rows has no intervals.

    Raises:
      InputError: a column is missing, a time is no number, or an interval is empty, before time 0,
        out of order or overlaps the one before.
    """
    file = csv_file.parse(read_text(path, max_mb).encode(), str(path))
    cells = file.text(_COLUMNS)
    intervals: list[tuple[float, float, str]] = []
    for line, start, end, label in zip(file.lines, *cells.values(), strict=True):
        where = f'{path}: line {line}'
        start, end = _seconds(where, 'start', start), _seconds(where, 'end', end)
        if not label.strip():
            raise InputError(f'{where}: label: found nothing, expected a name')
        _check(where, start, end, intervals[-1][1] if intervals else 0.0)
        intervals.append((start, end, label.strip()))
    return Intervals(
        start=np.array([start for start, _, _ in intervals]),
        end=np.array([end for _, end, _ in intervals]),
        label=tuple(label for _, _, label in intervals),
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


def _seconds(where: str, name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise InputError(f'{where}: {name}: found {text!r}, expected seconds')
    return seconds


def _check(where: str, start: float, end: float, previous_end: float) -> None:
    if end <= start:
        raise InputError(f'{where}: end: found {end:g}, expected more than the start {start:g}')
    if start < previous_end:
        raise InputError(
            f'{where}: start: found {start:g}, expected at least {previous_end:g}, '
            'where the interval before ends'
        )
