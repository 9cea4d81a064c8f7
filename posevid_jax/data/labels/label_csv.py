"""Labels as CSV: one row per event, under the names that people and BORIS give its columns.

BORIS (https://www.boris.unito.it): the aggregated export has a start and a stop in a row; the
tabular one has lines of its own before the table, and a row for the START and one for the STOP.
"""

import pathlib
import re
from collections.abc import Sequence
from typing import NoReturn

from posevid_jax.data.csv_file import CsvFile
from posevid_jax.data.labels.events import FRAMES, MILLISECONDS, SECONDS, Event
from posevid_jax.data.landmarks import csv_table
from posevid_jax.errors import InputError

_START = ('start', 'begin', 'onset', 'from', 'start_time', 'begin_time', 'start_s', 'start_sec',
          'start_seconds', 't_start', 'begin_s')  # fmt: skip
_END = ('end', 'stop', 'offset', 'to', 'end_time', 'stop_time', 'end_s', 'stop_s', 'end_sec',
        'end_seconds', 't_end')  # fmt: skip
_LENGTH = ('duration', 'duration_s', 'length', 'dur')
_LABEL = ('label', 'behavior', 'behaviour', 'class', 'event', 'category', 'annotation', 'gesture',
          'action', 'name', 'tier', 'code', 'type')  # fmt: skip
_VIDEO = ('video', 'video_id', 'file', 'filename', 'file_name', 'recording', 'media',
          'media_file_path', 'media_file_name', 'media_file', 'observation_id')  # fmt: skip
# Endings that a column's name may have, and the unit that they stand for.
_ENDINGS = {'_ms': MILLISECONDS, '_msec': MILLISECONDS, '_frame': FRAMES, '_frames': FRAMES,
            '_frame_index': FRAMES, '_frame_number': FRAMES}  # fmt: skip


def recognises(content: bytes) -> bool:
    return True  # the last of the table: what is no CSV of labels gets a line about its columns


def read(path: pathlib.Path, content: bytes) -> tuple[list[Event], str]:
    """The events of a file and the unit of their times.

    Args:
      path: for messages.
      content: of the file.

    Raises:
      InputError: a column is missing, or this is no CSV.
    """
    file = csv_table.read_table(_table_of_boris(content), str(path))
    try:
        file.content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f'{path}: found no UTF-8 text ({error.reason}), expected CSV') from None
    plain = [_plain(column) for column in file.columns]
    units = [next((u for e, u in _ENDINGS.items() if name.endswith(e)), '') for name in plain]
    bare = [
        next((name.removesuffix(e) for e in _ENDINGS if name.endswith(e)), name) for name in plain
    ]
    if ('status' in plain or 'behavior_type' in plain) and not set(_END).intersection(bare):
        return _of_starts_and_stops(file, plain), SECONDS
    places = _times(bare, units)
    for what, names in (('label', _LABEL), ('video', _VIDEO)):
        places[what] = next((bare.index(name) for name in names if name in bare), None)
    start_at = places['start']
    if start_at is None:
        _missing(file, 'start')
    if places['label'] is None:
        _missing(file, 'label')
    if places['end'] is None and places['duration'] is None:
        _missing(file, 'end')
    unit = units[start_at] or SECONDS
    text = {
        what: file.text([file.columns[at]])[file.columns[at]]
        for what, at in places.items()
        if at is not None
    }
    events = []
    for row, line in enumerate(file.lines):
        where = f'{path}: line {line}'
        of_row = {what: cells[row].strip() for what, cells in text.items()}
        video = of_row.pop('video', '')
        if not any(of_row.values()):
            if video:
                events.append(Event(where, '', '', '', video))
            continue
        start = of_row['start']
        end = of_row['end'] if 'end' in of_row else _sum(where, start, of_row['duration'])
        events.append(Event(where, start, end, of_row['label'], video))
    return events, unit


def _times(bare: Sequence[str], units: Sequence[str]) -> dict[str, int | None]:
    """Places of the columns of start, end and duration: of one unit, where there are such.

    Seconds go before frames, which depend on a rate, and of which an end may be the last one or the
    one after it.

    Args:
      bare: names of the columns without their units.
      units: of each, '' where its name has none.
    """
    places: dict[str, int | None] = {}
    for unit in ('', MILLISECONDS, FRAMES, None):  # None: of any
        of_unit = [
            name if unit in (own, None) else '' for name, own in zip(bare, units, strict=True)
        ]
        places = {
            what: next((of_unit.index(name) for name in names if name in of_unit), None)
            for what, names in (('start', _START), ('end', _END), ('duration', _LENGTH))
        }
        start, *ends = places.values()
        if start is not None and ends != [None, None]:
            break
    return places


def _of_starts_and_stops(file: CsvFile, plain: list[str]) -> list[Event]:
    """BORIS' tabular export: states have a START and a STOP, points no length."""
    names = {}
    for what, known in (('time', ('time', 'start_s')), ('label', _LABEL),
                        ('status', ('status', 'behavior_type')), ('video', _VIDEO)):  # fmt: skip
        at = next((plain.index(name) for name in known if name in plain), None)
        if at is not None:
            names[what] = file.columns[at]
    for what in ('time', 'label', 'status'):
        if what not in names:
            _missing(file, what)
    text = file.text(list(names.values()))
    column = {what: text[name] for what, name in names.items()}
    events, open_since = [], {}
    for row, line in enumerate(file.lines):
        where = f'{file.where}: line {line}'
        time, label = column['time'][row], column['label'][row].strip()
        video = column['video'][row].strip() if 'video' in column else ''
        status = column['status'][row].strip().upper()
        if status == 'START':
            open_since[video, label] = (where, time)
        elif status == 'STOP':
            if (video, label) not in open_since:
                raise InputError(f'{where}: found STOP of {label!r}, expected a START before it')
            begun, start = open_since.pop((video, label))
            events.append(Event(begun, start, time, label, video))
        else:
            events.append(Event(where, time, time, label, video))
    if open_since:
        (_, label), (where, _) = next(iter(open_since.items()))
        raise InputError(f'{where}: found START of {label!r}, expected a STOP after it')
    return events


def _table_of_boris(content: bytes) -> bytes:
    """Without the lines that BORIS writes before a tabular export."""
    match = re.search(rb'^"?Time"?[,\t;]', content, re.MULTILINE)
    return content[match.start() :] if match and content.startswith(b'Observation id') else content


def _plain(column: str) -> str:
    """`Start (s)` is `start_s`."""
    return re.sub(r'[^a-z0-9]+', '_', column.strip().lower()).strip('_')


def _missing(file: CsvFile, what: str) -> NoReturn:
    names = ', '.join(file.columns) or 'none'
    raise InputError(f'{file.where}: column {what}: not found, the columns are {names}')


def _sum(where: str, start: str, length: str) -> str:
    try:
        return repr(float(start) + float(length))
    except ValueError:
        raise InputError(
            f'{where}: duration: found {length!r} from {start!r} on, expected numbers'
        ) from None
