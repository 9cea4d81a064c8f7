"""Events: what a label file says, before its times are believed; and from them to intervals.

The gate of labels: order, overlaps and lengths are decided here, whatever the format.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posevid_jax.data.intervals import Intervals
from posevid_jax.errors import InputError

SECONDS, MILLISECONDS, FRAMES = 'seconds', 'ms', 'frames'
UNITS = (SECONDS, MILLISECONDS, FRAMES)

_ROUNDING = {SECONDS: 0.005, MILLISECONDS: 5.0, FRAMES: 0.5}  # overlaps up to this are rounding
_CLOCK = re.compile(r'(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)')


class Event(NamedTuple):
    """An event as the file has it; without times and label, what names a video without events.

    Attributes:
      where: file and line, the beginning of messages about it.
      start, end: as text: a number in the file's unit, or hours, minutes and seconds.
      label: its name.
      video: whose it is, in a file of several; '' in a file of one.
    """

    where: str
    start: str
    end: str
    label: str
    video: str = ''


def intervals(events: Sequence[Event], unit: str) -> Intervals:
    """The intervals of one video, in order.

    Overlaps up to rounding are cut, overlapping events of one label are joined, and events of
    length 0 are left out; each is counted in a note.

    Args:
      events: of one video, in any order.
      unit: of their numbers, one of `UNITS`.

    Raises:
      InputError: a time cannot be read, a label is empty, an event ends before it starts, or two of
        different labels overlap.
    """
    found: list[tuple[float, float, str, str]] = []
    empty = joined = cut = 0
    for event in events:
        if not (event.start or event.end or event.label):
            continue
        start, end = (
            _number(event.where, name, text, unit)
            for name, text in (('start', event.start), ('end', event.end))
        )
        if not event.label.strip():
            raise InputError(f'{event.where}: label: found nothing, expected a name')
        if end < start:
            raise InputError(
                f'{event.where}: end: found {end:.15g}, expected no less than the start '
                f'{start:.15g}'
            )
        if start < 0:
            raise InputError(f'{event.where}: start: found {start:.15g}, expected 0 or more')
        if start == end:
            empty += 1
        else:
            found.append((start, end, event.label.strip(), event.where))
    kept: list[tuple[float, float, str]] = []
    for start, end, label, where in sorted(found, key=lambda one: one[:2]):
        if kept and start < kept[-1][1]:
            before = kept[-1]
            if label == before[2]:
                joined += 1
                kept[-1] = (before[0], max(before[1], end), label)
                continue
            if before[1] - start > _ROUNDING[unit]:
                raise InputError(
                    f'{where}: start: found {start:.15g}, expected at least {before[1]:.15g}, '
                    f'where the interval before ({before[2]}) ends'
                )
            cut += 1
            start = before[1]
        kept.append((start, end, label))
    counts = (
        (empty, 'events of length 0 left out'),
        (joined, 'overlapping events of one label joined'),
        (cut, 'overlaps of a rounding cut'),
    )
    factor = 1e-3 if unit == MILLISECONDS else 1.0
    return Intervals(
        start=factor * np.array([start for start, _, _ in kept], np.float64),
        end=factor * np.array([end for _, end, _ in kept], np.float64),
        label=tuple(label for _, _, label in kept),
        in_frames=unit == FRAMES,
        notes=tuple(f'{count} {what}' for count, what in counts if count),
    )


def _number(where: str, name: str, text: str, unit: str) -> float:
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    try:
        if clock:
            hours, minutes, seconds = clock.groups(default='0')
            value = 3600 * int(hours) + 60 * int(minutes) + float(seconds.replace(',', '.'))
            value *= 1000 if unit == MILLISECONDS else 1
        else:
            decimal = text.replace(',', '.') if '.' not in text else text
            value = float(decimal.replace('_', '?'))
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or (clock and unit == FRAMES):
        expected = 'a frame number' if unit == FRAMES else 'seconds, or hours:minutes:seconds'
        raise InputError(f'{where}: {name}: found {text!r}, expected {expected}')
    return value
