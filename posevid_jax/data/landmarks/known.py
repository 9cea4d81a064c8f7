"""What the user says about videos whose files do not: rate, size and person."""

import dataclasses
import functools
import pathlib
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import csv_table
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.errors import InputError

_VIDEO = ('video', 'name', 'file', 'filename', 'video_id')
_NUMBERS = ('fps', 'width', 'height')


class Known(NamedTuple):
    """Of one video.

    Attributes:
      fps: frames per second, or None.
      size: width and height in pixels, or None.
      person: whom to keep, as `prepare.person`.
      fps_from, size_from: the keys that say so.
    """

    fps: float | None
    size: tuple[float, float] | None
    person: str
    fps_from: str = 'prepare.fps'
    size_from: str = 'prepare.video_size'


def known(config: ConfigDict, video: str) -> Known:
    """What `config.prepare` says about a video: its row of `video_table`, else the keys for all.

    Raises:
      InputError: the table cannot be read.
    """
    width, height = config.video_size
    table = _table(config.video_table, config.max_file_mb) if config.video_table else {}
    row = table.get(video) or _Row()
    own_size = row.width is not None and row.height is not None
    if own_size:
        width, height = row.width, row.height
    return Known(
        fps=float(config.fps if row.fps is None else row.fps) or None,
        size=(float(width), float(height)) if width and height else None,
        person=row.person or config.person,
        fps_from='prepare.fps' if row.fps is None else 'prepare.video_table',
        size_from='prepare.video_table' if own_size else 'prepare.video_size',
    )


@dataclasses.dataclass
class _Row:
    """What the table says of a video; None or '' where it says nothing."""

    fps: float | None = None
    width: float | None = None
    height: float | None = None
    person: str = ''


@functools.lru_cache(maxsize=1)
def _table(path: str, max_mb: int) -> dict[str, _Row]:
    """The row of each video."""
    where = f'prepare.video_table: {path}'
    file = csv_table.read_table(read_bytes(pathlib.Path(path), max_mb), where)
    columns = {column.strip().lower(): column for column in file.columns}
    name = next((columns[key] for key in _VIDEO if key in columns), None)
    if name is None:
        raise InputError(
            f'{where}: column video: not found, the columns are {", ".join(file.columns) or "none"}'
        )
    csv_table.check_rows(file)
    rows: dict[str, _Row] = {}
    for line, video in zip(file.lines, file.text([name])[name], strict=True):
        if video.strip() in rows:
            raise InputError(f'{where}: line {line}: found {video.strip()!r} a second time')
        rows[video.strip()] = _Row()
    for key in _NUMBERS:
        if key in columns:
            for line, row, value in zip(
                file.lines, rows.values(), file.numbers([columns[key]])[:, 0], strict=True
            ):
                if np.isnan(value):
                    continue
                if not 0 < value < np.inf:
                    raise InputError(
                        f'{where}: line {line}: column {key}: found {value:g}, expected a number '
                        'above 0'
                    )
                setattr(row, key, float(value))
    if 'person' in columns:
        for row, value in zip(
            rows.values(), file.text([columns['person']])[columns['person']], strict=True
        ):
            row.person = value.strip()
    return rows
