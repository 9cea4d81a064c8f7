"""MediaPipe landmarks as CSV: a row a frame, columns l0_x, l0_y, l0_z, l0_v, l1_x, ...

`frame` numbers the rows from 0; rows may be left out. `time_sec`, `video_width`, `video_height` and
`fps` may be missing where the configuration gives them (times then follow from fps). An empty cell
is a missing value; other columns are not read.
"""

import pathlib
import re

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import csv_file
from posevid_jax.data.csv_file import CsvFile
from posevid_jax.data.joints import MEDIAPIPE_33, joint_map
from posevid_jax.data.landmarks import recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

FORMAT = 'pose CSV'
_COORDINATE = re.compile(r'l(\d+)_([xyzv])')
_NUMBERS = ('time_sec', 'video_width', 'video_height', 'fps')


def recognises(content: bytes) -> bool:
    first = content.partition(b'\n')[0].decode('utf-8', 'replace')
    return any(_COORDINATE.fullmatch(name.strip(' "\r\ufeff')) for name in first.split(','))


def read(path: pathlib.Path, content: bytes, name: str, config: ConfigDict) -> Recording:
    """The recording in a CSV file.

    Args:
      config: `config.prepare`.

    Raises:
      InputError: a column is missing, a cell is no number, frames are not in order, or the rate and
        the picture's size are known neither here nor in the configuration.
    """
    file = csv_file.parse(content, f'{path}: {FORMAT}')
    names = joint_map(config.joint_map, config.joint_names) or MEDIAPIPE_33
    numbers = _joint_numbers(path, file.columns, len(names))
    wanted = ['frame', *(f'l{n}_{axis}' for n in numbers for axis in 'xyzv')]
    wanted += [column for column in _NUMBERS if column in file.columns]
    _check_rows(file)
    table = file.numbers(wanted)  # [rows, wanted]
    value = dict(zip(wanted, table.T, strict=True))

    frame = _frames(path, value['frame'])
    joints = recording.blank(path, frame[-1] + 1, len(numbers), config)
    coordinates = table[:, 1 : 1 + 4 * len(numbers)].reshape(-1, len(numbers), 4)
    joints[frame] = recording.single(coordinates)
    fps = recording.rate(path, _constant(path, value, 'fps'), config)
    width, height = (_constant(path, value, key) for key in ('video_width', 'video_height'))
    size = recording.picture(path, None if None in (width, height) else (width, height), config)
    try:
        return Recording(
            name=name,
            joints=joints,
            joint_names=tuple(names[n] for n in numbers),
            fps=fps,
            width=size[0],
            height=size[1],
            time=_times(frame, value.get('time_sec', frame / fps), fps),
        )
    except InputError as error:
        raise InputError(f'{path}: {FORMAT}: {error}') from None


def _joint_numbers(path: pathlib.Path, columns: list[str], num_joints: int) -> list[int]:
    """The joints that have columns, in their order; all four of each must be there."""
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError(f'{path}: {FORMAT}: column {twice}: found twice')
    matches = [match for match in map(_COORDINATE.fullmatch, columns) if match]
    numbers = list(dict.fromkeys(int(match[1]) for match in matches))
    for column in ('frame', *(f'l{n}_{axis}' for n in numbers for axis in 'xyzv')):
        if column not in columns:
            raise InputError(f'{path}: {FORMAT}: column {column}: not found')
    if max(numbers) >= num_joints:
        raise InputError(
            f'{path}: {FORMAT}: column l{max(numbers)}_x: expected joints from 0 to '
            f'{num_joints - 1}'
        )
    return numbers


def _check_rows(file: CsvFile) -> None:
    """Raises InputError when there are no rows, or one that ends before the last column."""
    if not len(file.lines):
        raise InputError(f'{file.where}: found no frames')
    short = np.flatnonzero(file.cells < len(file.columns))
    if len(short):
        raise InputError(
            f'{file.where}: line {file.lines[short[0]]}: found {file.cells[short[0]]} cells, '
            f'expected {len(file.columns)}'
        )


def _frames(path: pathlib.Path, frame: np.ndarray) -> np.ndarray:
    """Frame numbers [rows] i64."""
    if not np.isfinite(frame).all() or (frame != np.floor(frame)).any() or frame[0] < 0:
        raise InputError(f'{path}: {FORMAT}: column frame: expected whole numbers from 0')
    if (np.diff(frame) <= 0).any():
        row = int(np.argmax(np.diff(frame) <= 0))
        raise InputError(
            f'{path}: {FORMAT}: column frame: found {frame[row + 1]:.0f} after {frame[row]:.0f}, '
            'expected increasing numbers'
        )
    return np.minimum(frame, 2**53).astype(np.int64)


def _constant(path: pathlib.Path, value: dict[str, np.ndarray], column: str) -> float | None:
    """The one number of a column; None without the column, or if all of it is empty."""
    if column not in value or np.isnan(value[column]).all():
        return None
    found = np.unique(value[column])
    if len(found) != 1:
        raise InputError(
            f'{path}: {FORMAT}: column {column}: found {found[0]:g} and {found[1]:g}, '
            'expected one number'
        )
    return float(found[0])


def _times(frame: np.ndarray, seconds: np.ndarray, fps: float) -> np.ndarray:
    """Times of all frames [T] from those of the rows, in between by the line through them."""
    if frame[0] > 0:
        frame = np.concatenate([[0], frame])
        seconds = np.concatenate([[max(seconds[0] - frame[1] / fps, 0)], seconds])
    return np.interp(np.arange(frame[-1] + 1), frame, seconds)
