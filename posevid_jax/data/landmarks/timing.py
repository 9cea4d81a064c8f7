"""When the frames of a file are: frame numbers and times to a place for each, and a rate.

A frame keeps its place against the labels: numbers may begin late, and frames that the file lacks
are missing, never closed up.
"""

from typing import NamedTuple

import numpy as np

from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.landmarks.known import Known
from posevid_jax.errors import InputError

UNITS = {'s': 1.0, 'ms': 1e-3, 'us': 1e-6}
"""Units of time that files use, in seconds."""

# How far a rate and the times may lie apart.
_TOLERANCE = 0.05
_ROUNDED = 1.01e-3  # seconds by which steps of times in whole milliseconds differ
_ENOUGH = 0.25  # share of the steps in time that prove a rate, however uneven the others are
# Rates that recordings of people have; what is outside is a time in another unit.
_SLOWEST, _FASTEST = 0.5, 1000.0
# The largest share of times that may run backwards or repeat.
_MOST_BACKWARDS = 0.05
# A step between two rows of the file that is longer, and not in the frame numbers, is a hole.
_HOLE_STEPS = 1.5


class Timeline(NamedTuple):
    """Where the detections of a file belong.

    Attributes:
      frame: [D] place of each, from 0 at the start of the video.
      time: [T] seconds of every frame from the start of the video, increasing.
      fps: frames per second.
      fps_from: `file`, `prepare.fps` or `times`.
      notes: what was assumed, or is odd.
    """

    frame: np.ndarray
    time: np.ndarray
    fps: float
    fps_from: str
    notes: tuple[str, ...]


def timeline(found: Detections, known: Known, max_gap: float, most_frames: int) -> Timeline:
    """Places, times and the rate of a file.

    Args:
      found: the file.
      known: what the user says of the video, where the file does not.
      max_gap: seconds of the longest step in time that is no hole.
      most_frames: as many frames as may come out.

    Raises:
      InputError: frame numbers that are none, times or rates that contradict each other, or no way
        to a rate.
    """
    notes: list[str] = []
    number = _numbers(found)
    stated = found.fps if found.fps is not None else known.fps
    if found.time is None:
        if stated is None:
            raise InputError(
                f'{found.where}: fps: found neither a rate nor times in the file, expected '
                'prepare.fps'
            )
        first = _first_number(found, number, notes)
        frame = number - first
        total = _total(found, frame, first, most_frames)
        return Timeline(
            frame, np.arange(total) / stated, stated, _origin(found, known), tuple(notes)
        )
    rows, row_of = np.unique(number, return_index=True)
    seconds = _seconds(found, rows, found.time[row_of], stated, notes)
    fps, fps_from = _rate(found, rows, seconds, stated, known)
    first = _first_by_time(found, rows, seconds, fps, notes)
    place = rows - first + _beside_numbers(rows, seconds, fps, max_gap)
    frame = place[np.searchsorted(rows, number)]
    total = _total(found, frame, first, most_frames)
    return Timeline(frame, _all_times(place, seconds, fps, total), fps, fps_from, tuple(notes))


def _numbers(found: Detections) -> np.ndarray:
    """Frame numbers [D] i64, seen to be some."""
    if found.frame is None:
        return np.arange(len(found.joints))
    frame = np.asarray(found.frame, np.float64)
    if not np.isfinite(frame).all():
        raise InputError(f'{found.where}: frame: found an empty one, expected whole numbers from 0')
    broken = frame[frame != np.floor(frame)]
    if len(broken):
        raise InputError(
            f'{found.where}: frame: found {broken[0]:.15g}, expected whole numbers: is it a time?'
        )
    if (frame < 0).any():
        raise InputError(f'{found.where}: frame: found {frame.min():.0f}, expected numbers from 0')
    if (frame >= 2**53).any():
        raise InputError(f'{found.where}: frame: found {frame.max():.0f}, expected frame numbers')
    if found.ordered and (back := np.flatnonzero(np.diff(frame) <= 0)).size:
        before, after = frame[back[0]], frame[back[0] + 1]
        raise InputError(
            f'{found.where}: frame: found {after:.0f} after {before:.0f}, expected increasing '
            'numbers: are these several recordings in one file?'
        )
    steps = np.diff(np.unique(frame))
    if found.time is None and len(steps) > 2 and np.median(steps) >= 10:
        raise InputError(
            f'{found.where}: frame: found numbers that go up by {np.median(steps):.0f} (median), '
            'expected frame numbers: are they times? A column of times says so by its name, '
            'time_ms'
        )
    return frame.astype(np.int64)


def _first_number(found: Detections, number: np.ndarray, notes: list[str]) -> int:
    """The number that the first frame of the video has."""
    if found.first_frame is not None:
        return found.first_frame
    if len(number) and number.min() == 1:
        notes.append('frames are numbered from 1')
        return 1
    if len(number) and number.min() > 1:
        notes.append(f'the first frame is number {number.min()}, counted from 0')
    return 0


def _seconds(
    found: Detections,
    rows: np.ndarray,
    time: np.ndarray,
    fps: float | None,
    notes: list[str],
) -> np.ndarray:
    """Seconds of the rows [R], increasing; in whatever unit they came."""
    known = np.isfinite(time)
    if known.sum() < 2:
        return (rows - rows[0]) / (fps or 1.0)
    backwards = np.zeros(len(time), bool)
    backwards[known] = time[known] <= np.concatenate(
        [[-np.inf], np.maximum.accumulate(time[known])[:-1]]
    )
    if backwards.sum() > max(_MOST_BACKWARDS * len(time), 1):
        row = int(np.flatnonzero(backwards)[0])
        raise InputError(
            f'{found.where}: time: found {backwards.sum()} of {len(time)} that repeat or run '
            f'backwards, the first in frame {rows[row]} ({time[row]:.15g}), expected increasing '
            'times'
        )
    if backwards.any():
        notes.append(f'{backwards.sum()} times repeat or run backwards: replaced by their place')
    good = known & ~backwards
    time = np.interp(rows, rows[good], time[good])
    step = float(np.median(np.diff(time) / np.diff(rows)))
    unit = _unit(found, step, fps)
    if unit == 'frames':
        if fps is None:
            raise InputError(
                f'{found.where}: time: found numbers that go up by 1 a frame and no rate, expected '
                'seconds, or prepare.fps'
            )
        notes.append('times count frames')
        return time / fps
    if unit != 's' and not found.time_unit:
        notes.append(f'times are in {unit}, by their steps')
    return time * UNITS[unit]


def _unit(found: Detections, step: float, fps: float | None) -> str:
    """The unit of times that go up by `step` from frame to frame: a key of `UNITS`, or frames."""
    if found.time_unit:
        return found.time_unit
    if fps is not None:
        for unit, length in UNITS.items():
            if abs(step * length * fps - 1) <= _TOLERANCE:
                return unit
        if abs(step - 1) <= 1e-3:
            return 'frames'
        return 's'  # and `_rate` says that the two contradict each other
    if abs(step - 1) <= 1e-6:
        return 'frames'
    fitting = [u for u, length in UNITS.items() if _SLOWEST <= 1 / (step * length) <= _FASTEST]
    return fitting[0] if fitting else 's'


def _rate(
    found: Detections,
    rows: np.ndarray,
    seconds: np.ndarray,
    stated: float | None,
    known: Known,
) -> tuple[float, str]:
    if len(rows) < 2:
        if stated is None:
            raise InputError(
                f'{found.where}: fps: found one frame and no rate, expected prepare.fps'
            )
        return stated, _origin(found, known)
    steps = np.diff(seconds) / np.diff(rows)
    step = float(np.median(steps))
    if stated is None:
        usual = steps[np.abs(steps - step) <= _ROUNDED]  # of 33, 33, 34 ms the median is 33
        return round(1 / float(usual.mean()), 3), 'times'
    agreeing = np.abs(steps * stated - 1) <= _TOLERANCE
    if abs(step * stated - 1) > _TOLERANCE and agreeing.mean() < _ENOUGH:
        raise InputError(
            f'{found.where}: time: goes up by {step:.4g} from frame to frame, which is '
            f'{1 / step:.4g} frames a second, but fps is {stated:g} '
            f'({_origin(found, known)}); expected one rate, and times in seconds'
        )
    return stated, _origin(found, known)


def _origin(found: Detections, known: Known) -> str:
    return 'file' if found.fps is not None else known.fps_from


def _first_by_time(
    found: Detections, rows: np.ndarray, seconds: np.ndarray, fps: float, notes: list[str]
) -> int:
    """The number of the frame at time 0: what the times say about numbers that begin late."""
    if found.first_frame is not None:
        return found.first_frame
    by_time = int(rows[0] - round(seconds[0] * fps))
    if by_time in (0, 1):
        if by_time:
            notes.append('frames are numbered from 1')
        return by_time
    if by_time > 1:
        notes.append(
            f'frame {rows[0]} has time {seconds[0]:.3f} s: places follow the times, which begin '
            f'{by_time / fps:.3f} s after frame 0'
        )
        return by_time
    return 0


def _beside_numbers(
    rows: np.ndarray, seconds: np.ndarray, fps: float, max_gap: float
) -> np.ndarray:
    """Frames [R] that times say are missing before each row, where the numbers say nothing."""
    steps, numbers = np.diff(seconds), np.diff(rows)
    lacking = np.round(steps * fps).astype(np.int64) - numbers
    hole = (steps > max_gap) & (steps * fps > _HOLE_STEPS * numbers)
    return np.concatenate([[0], np.cumsum(np.where(hole, lacking, 0))])


def _all_times(place: np.ndarray, seconds: np.ndarray, fps: float, total: int) -> np.ndarray:
    """Times of all frames [T] from those of the rows, in between by the line through them."""
    if place[0] > 0:
        seconds = np.concatenate([[max(seconds[0] - place[0] / fps, 0)], seconds])
        place = np.concatenate([[0], place])
    if place[-1] < total - 1:
        seconds = np.append(seconds, seconds[-1] + (total - 1 - place[-1]) / fps)
        place = np.append(place, total - 1)
    return np.interp(np.arange(total), place, seconds)


def _total(found: Detections, frame: np.ndarray, first: int, most_frames: int) -> int:
    """Frames of the video, which begins at number `first`."""
    total = int(frame.max()) + 1 if len(frame) else 0
    if found.num_frames is not None:
        total = max(total, found.num_frames - first)
    if len(frame) and frame.min() < 0:
        raise InputError(
            f'{found.where}: frame: found {int(frame.min()) + first}, expected numbers from {first}'
        )
    if total > most_frames:
        raise InputError(
            f'{found.where}: frame: found number {total - 1 + first}, expected numbers below '
            f'{most_frames} (prepare.max_file_mb)'
        )
    return total
