"""What the user says about videos whose files do not: rate, size and person."""

import dataclasses
import functools
import pathlib
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.csv_file import CsvFile
from posevid_jax.data.landmarks import csv_table
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.errors import InputError

_VIDEO = ('video', 'name', 'file', 'filename', 'video_id')
_NUMBERS = ('fps', 'width', 'height')
_TABLE = '.csv'  # what a file of track ids ends in, which no track id does
_ANYBODY = 'largest'


class Known(NamedTuple):
    """Of one video.

    Attributes:
      fps: frames per second, or None.
      size: width and height in pixels, or None.
      person: whom to keep: one of `people.CHOICES`, or a track id.
      fps_from, size_from: the keys that say so.
      notes: what was assumed, a sentence each.
    """

    fps: float | None
    size: tuple[float, float] | None
    person: str
    fps_from: str = 'prepare.fps'
    size_from: str = 'prepare.video_size'
    notes: tuple[str, ...] = ()


def known(config: ConfigDict, video: str) -> Known:
    """What `config.prepare` says about a video: its row of `video_table`, else the keys for all.

    Raises:
      InputError: a table cannot be read.
    """
    width, height = config.video_size
    table = _table('video_table', config.video_table, config.max_file_mb)
    row = table.get(video) or _Row()
    own_size = row.width is not None and row.height is not None
    if own_size:
        width, height = row.width, row.height
    person, notes = (row.person, ()) if row.person else _person(config, video)
    return Known(
        fps=float(config.fps if row.fps is None else row.fps) or None,
        size=(float(width), float(height)) if width and height else None,
        person=person,
        fps_from='prepare.fps' if row.fps is None else 'prepare.video_table',
        size_from='prepare.video_table' if own_size else 'prepare.video_size',
        notes=notes,
    )


def _person(config: ConfigDict, video: str) -> tuple[str, tuple[str, ...]]:
    """Whom `prepare.person` says to keep, by itself or in the file that it names, and a note."""
    if not config.person.endswith(_TABLE):
        return config.person, ()
    row = _table('person', config.person, config.max_file_mb).get(video) or _Row()
    if row.person:
        return row.person, ()
    note = f'{config.person} (prepare.person) has no row of the video: the {_ANYBODY} one is kept'
    return _ANYBODY, (note,)


@dataclasses.dataclass
class _Row:
    """What the table says of a video; None or '' where it says nothing."""

    fps: float | None = None
    width: float | None = None
    height: float | None = None
    person: str = ''


@functools.lru_cache(maxsize=2)
def _table(key: str, path: str, max_mb: int) -> dict[str, _Row]:
    """The row of each video in the file that `prepare.<key>` names; {} where it names none."""
    if not path:
        return {}
    where = f'prepare.{key}: {path}'
    try:
        content = read_bytes(pathlib.Path(path), max_mb)
    except InputError as error:
        raise InputError(f'prepare.{key}: {error}') from None
    file = csv_table.read_table(content, where)
    columns = {column.strip().lower(): column for column in file.columns}
    name = next((columns[key] for key in _VIDEO if key in columns), None)
    missing = 'video' if name is None else 'person' * (key == 'person' and 'person' not in columns)
    if name is None or missing:
        raise InputError(
            f'{where}: column {missing}: not found, the columns are '
            f'{", ".join(file.columns) or "none"}'
        )
    if not len(file.lines):
        raise InputError(f'{where}: found no rows, expected one a video')
    csv_table.check_rows(file)
    rows: dict[str, _Row] = {}
    for line, video in zip(file.lines, file.text([name])[name], strict=True):
        if video.strip() in rows:
            raise InputError(f'{where}: line {line}: found {video.strip()!r} a second time')
        rows[video.strip()] = _Row()
    for number in _NUMBERS:
        if number in columns:
            _take_numbers(file, columns[number], number, list(rows.values()))
    if 'person' in columns:
        people = file.text([columns['person']])[columns['person']]
        for row, value in zip(rows.values(), people, strict=True):
            row.person = value.strip()
    return rows


def _take_numbers(file: CsvFile, column: str, key: str, rows: list[_Row]) -> None:
    """Gives each row its number of a column; an empty cell says nothing."""
    for line, row, value in zip(file.lines, rows, file.numbers([column])[:, 0], strict=True):
        if np.isnan(value):
            continue
        if not 0 < value < np.inf:
            raise InputError(
                f'{file.where}: line {line}: column {key}: found {value:g}, expected a number '
                'above 0'
            )
        setattr(row, key, float(value))
