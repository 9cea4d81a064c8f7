"""Landmarks as CSV: a row a frame with columns for each joint, or a row a joint.

Columns are found by their names, `csv_columns`: `l0_x`, `x_0`, `NOSE_x`, `landmark_0_visibility`,
a column a joint with cells such as `[0.5, 0.2]`, or those of `prepare.columns`. Frame numbers,
times, rate, size of the picture and person have columns of their own where the file has them; other
columns are not read.
"""

import pathlib
import re
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.csv_file import CsvFile
from posevid_jax.data.landmarks import csv_columns, csv_table, naming
from posevid_jax.data.landmarks.csv_columns import Columns, Joint
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'pose CSV'
_LIST = re.compile(r'\s*[\[(]([^\[\]()]*)[\])]\s*')
# Joints that have numbers instead of names are MediaPipe's, of which many files leave some out.
_NUMBERED = 'mediapipe_33'


def recognises(content: bytes) -> bool:
    try:
        file = csv_table.read_head(content, FORMAT)
    except InputError:
        return False
    if csv_columns.of_rows(file.columns) or _list_columns(file):
        return True
    return any(csv_columns.joint_and_axis(name, '') for name in file.columns)


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """What a CSV file says.

    Args:
      config: `config.prepare`.

    Raises:
      InputError: no columns of joints, one of them missing, or a cell that is no number.
    """
    file = csv_table.read_table(content, f'{path}: {FORMAT}')
    rows = csv_columns.of_rows(file.columns)
    if rows is not None and not config.columns:
        csv_table.check_rows(file)
        return _of_joint_rows(file, rows, config)
    columns = csv_columns.columns(file.where, file.columns, config.columns)
    csv_table.check_rows(file)
    if columns is not None:
        joints = _of_columns(file, columns)
    else:
        columns, joints = _of_lists(file)
    return _detections(file, columns, joints, config)


def _detections(
    file: CsvFile, columns: Columns, joints: np.ndarray, config: ConfigDict
) -> Detections:
    names, names_from = _names(file.where, columns, config)
    axes = columns.joints[0].columns
    value = _values(file, columns)
    width = _constant(file, columns, value, 'width')
    height = _constant(file, columns, value, 'height')
    person = columns.known.get('person')
    return Detections(
        where=file.where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=value.get('frame'),
        ordered=person is None,
        has_depth='z' in axes,
        has_visibility='v' in axes,
        person=None
        if person is None
        else np.array(file.text([file.columns[person]])[file.columns[person]]),
        time=value.get('time'),
        time_unit=columns.time_unit,
        fps=_constant(file, columns, value, 'fps'),
        size=None if width is None or height is None else (width, height),
    )


def _of_columns(file: CsvFile, columns: Columns) -> np.ndarray:
    """[rows, J, 4] of a column for each number."""
    axes = [axis for axis in 'xyzv' if axis in columns.joints[0].columns]
    wanted = [joint.columns[axis] for joint in columns.joints for axis in axes]
    table = _numbers_of(file, wanted)
    joints = np.full((len(table), len(columns.joints), 4), np.nan)
    joints[..., ['xyzv'.index(axis) for axis in axes]] = table.reshape(len(table), -1, len(axes))
    return joints


def _numbers_of(file: CsvFile, wanted: Sequence[int]) -> np.ndarray:
    """[rows, wanted] f64 of the columns with these numbers."""
    return file.numbers([file.columns[number] for number in wanted])


def _text_of(file: CsvFile, number: int) -> list[str]:
    name = file.columns[number]
    return file.text([name])[name]


def _list_columns(file: CsvFile) -> list[str]:
    """Columns whose cells are lists, by the first row."""
    if not len(file.lines) or file.cells[0] < len(file.columns):
        return []
    first = file.text(file.columns)
    return [name for name in file.columns if _LIST.fullmatch(first[name][0])]


def _of_lists(file: CsvFile) -> tuple[Columns, np.ndarray]:
    """Columns and [rows, J, 4] of a file with a list of numbers in the cell of each joint."""
    wanted, where = _list_columns(file), file.where
    if not wanted:
        raise InputError(
            f'{where}: found no columns of joints (l0_x, nose_x, x_0, ...), expected some; '
            'prepare.columns takes a pattern of your own'
        )
    text = file.text(wanted)
    cells = np.array([text[name] for name in wanted], dtype=object).T
    size = {len(_numbers(where, cell)) for cell in cells.ravel() if cell.strip()}
    if len(size) != 1 or not size <= {2, 3, 4}:
        raise InputError(
            f'{where}: found lists of {", ".join(map(str, sorted(size)))} numbers, expected all of '
            '2 (x, y), 3 (x, y, visibility or z) or 4 (x, y, z, visibility)'
        )
    axes = {2: 'xy', 3: 'xyz', 4: 'xyzv'}[size.pop()]
    joints = np.full((*cells.shape, 4), np.nan)
    for at in np.ndindex(cells.shape):
        if (cell := str(cells[at])).strip():
            joints[at][: len(axes)] = _numbers(where, cell)
    known, unit = csv_columns.meanings(file.columns)
    named = [csv_columns.joint_and_axis(f'{name}_x', '') for name in wanted]
    columns = Columns(
        tuple(
            Joint(joint[0] if joint else name, dict.fromkeys(axes, file.columns.index(name)))
            for joint, name in zip(named, wanted, strict=True)
        ),
        all(joint is not None and joint[0].isdigit() for joint in named),
        known,
        unit,
    )
    return columns, joints


def _numbers(where: str, cell: str) -> list[float]:
    match = _LIST.fullmatch(cell)
    try:
        return [float(part) for part in re.split(r'[,;\s]+', match[1].strip())] if match else []
    except ValueError:
        raise InputError(f'{where}: found {cell[:30]!r}, expected a list of numbers') from None


def _names(where: str, columns: Columns, config: ConfigDict) -> tuple[tuple[str, ...], str]:
    if not columns.numbered:
        return naming.names_of(
            where, config, len(columns.joints), [joint.name for joint in columns.joints]
        )
    numbers = [int(joint.name) for joint in columns.joints]
    most = naming.map_of(config, _NUMBERED)
    if max(numbers) >= len(most):
        raise InputError(
            f'{where}: joint {max(numbers)}: expected joints from 0 to {len(most) - 1}; '
            'prepare.joint_map says which they are'
        )
    source = config.joint_map or ('prepare.joint_names' if config.joint_names else _NUMBERED)
    return tuple(most[number] for number in numbers), source


def _values(file: CsvFile, columns: Columns) -> dict[str, np.ndarray]:
    """Of frame, time, fps, width and height, those that have a column: [rows] f64."""
    wanted = {key: at for key, at in columns.known.items() if key not in ('person', 'joint')}
    if not wanted:
        return {}
    table = _numbers_of(file, list(wanted.values()))
    return dict(zip(wanted, table.T, strict=True))


def _constant(
    file: CsvFile, columns: Columns, value: dict[str, np.ndarray], key: str
) -> float | None:
    """The one number of a column; None without the column, or if all of it is empty."""
    if key not in value or np.isnan(value[key]).all():
        return None
    found = np.unique(value[key][~np.isnan(value[key])])
    if len(found) != 1 or not 0 < found[0] < np.inf:
        column = file.columns[columns.known[key]]
        other = f' and {found[1]:g}' if len(found) > 1 else ''
        raise InputError(
            f'{file.where}: column {column}: found {found[0]:g}{other}, expected one number above 0'
        )
    return float(found[0])


def _of_joint_rows(file: CsvFile, columns: Columns, config: ConfigDict) -> Detections:
    """What a file says that has a row a joint: frame, joint, x, y, ..."""
    where = file.where
    if 'frame' not in columns.known and 'time' not in columns.known:
        raise InputError(f'{where}: column frame: not found, expected it beside a row a joint')
    by = columns.known['frame' if 'frame' in columns.known else 'time']
    axes = columns.joints[0].columns
    table = _numbers_of(file, [by, *axes.values()])
    ids = _text_of(file, columns.known['joint'])
    numbered = all(name.strip().isdigit() for name in ids)
    order = list(dict.fromkeys(name.strip() for name in ids))
    order = sorted(order, key=int) if numbered else order
    moments, row = np.unique(table[:, 0], return_inverse=True)
    joints = np.full((len(moments), len(order), 4), np.nan)
    place = np.array([order.index(name.strip()) for name in ids])
    joints[row[:, None], place[:, None], ['xyzv'.index(axis) for axis in axes]] = table[:, 1:]
    if len(np.unique(row * len(order) + place)) < len(row):
        raise InputError(
            f'{where}: found a joint twice in a frame, expected one person; several people need a '
            'file each, or a row a frame with a column person_id'
        )
    named = Columns(
        tuple(Joint(str(int(name)) if numbered else name, axes) for name in order),
        numbered, {}, '',
    )  # fmt: skip
    names, names_from = _names(where, named, config)
    first = np.array([np.flatnonzero(row == k)[0] for k in range(len(moments))])
    value = {key: v[first] for key, v in _values(file, columns).items()}
    return Detections(
        where=file.where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=value.get('frame'),
        ordered=True,
        has_depth='z' in axes,
        has_visibility='v' in axes,
        time=value.get('time'),
        time_unit=columns.time_unit,
        fps=_constant(file, columns, value, 'fps'),
    )
