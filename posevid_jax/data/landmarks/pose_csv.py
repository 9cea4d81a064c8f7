"""Landmarks as CSV: a row a frame with columns for each joint, or a row a joint.

Columns are found by their names, `csv_columns`: `l0_x`, `x_0`, `NOSE_x`, `landmark_0_visibility`,
a column a joint with cells such as `[0.5, 0.2]`, or those of `prepare.columns`. Frame numbers,
times, rate, size of the picture and person have columns of their own where the file has them; other
columns are not read.
"""

import pathlib
import re

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import csv_columns, csv_table, naming
from posevid_jax.data.landmarks.csv_columns import Columns, Joint
from posevid_jax.data.landmarks.csv_table import Text
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'pose CSV'
_LIST = re.compile(r'\s*[\[(]([^\[\]()]*)[\])]\s*')
# Joints that have numbers instead of names are MediaPipe's, of which many files leave some out.
_NUMBERED = 'mediapipe_33'


def recognises(content: bytes) -> bool:
    text = csv_table.decode(content[: _enough(content)])
    if text is None:
        return False
    table = csv_table.split(text)
    if csv_columns.of_rows(table.header) or _list_columns(table):
        return True
    return any(csv_columns.joint_and_axis(name, '') for name in table.header)


def _enough(content: bytes) -> int:
    """Bytes of the first two lines, whatever the encoding."""
    first = content.find(b'\n')
    second = content.find(b'\n', first + 1) if first >= 0 else -1
    return second + 2 if second >= 0 else len(content)


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """What a CSV file says.

    Args:
      config: `config.prepare`.

    Raises:
      InputError: no columns of joints, one of them missing, or a cell that is no number.
    """
    where = f'{path}: {FORMAT}'
    decoded = csv_table.decode(content)
    if decoded is None:
        raise InputError(f'{where}: found no text in UTF-8 or UTF-16, expected it')
    text = csv_table.split(decoded)
    rows = csv_columns.of_rows(text.header)
    if rows is not None and not config.columns:
        return _of_joint_rows(where, text, rows, config)
    columns = csv_columns.columns(where, text.header, config.columns)
    if columns is not None:
        joints = _of_columns(where, text, columns)
    else:
        columns, joints = _of_lists(where, text)
    return _detections(where, text, columns, joints, config)


def _detections(
    where: str, text: Text, columns: Columns, joints: np.ndarray, config: ConfigDict
) -> Detections:
    names, names_from = _names(where, columns, config)
    axes = columns.joints[0].columns
    value = _values(where, text, columns)
    size = (
        _constant(where, text, columns, value, 'width'),
        _constant(where, text, columns, value, 'height'),
    )
    person = columns.known.get('person')
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=value.get('frame'),
        ordered=person is None,
        has_depth='z' in axes,
        has_visibility='v' in axes,
        person=None if person is None else csv_table.texts(where, text, [person])[:, 0],
        time=value.get('time'),
        time_unit=columns.time_unit,
        fps=_constant(where, text, columns, value, 'fps'),
        size=None if None in size else size,
    )


def _of_columns(where: str, text: Text, columns: Columns) -> np.ndarray:
    """[rows, J, 4] of a column for each number."""
    axes = [axis for axis in 'xyzv' if axis in columns.joints[0].columns]
    wanted = [joint.columns[axis] for joint in columns.joints for axis in axes]
    table = csv_table.numbers(where, text, wanted)
    joints = np.full((len(table), len(columns.joints), 4), np.nan)
    joints[..., ['xyzv'.index(axis) for axis in axes]] = table.reshape(len(table), -1, len(axes))
    return joints


def _list_columns(text: Text) -> list[int]:
    """Columns whose cells are lists, by the first row."""
    cells = _cells(text, text.rows.partition('\n')[0])
    return [k for k, cell in enumerate(cells[: len(text.header)]) if _LIST.fullmatch(cell)]


def _cells(text: Text, line: str) -> list[str]:
    import csv  # one line, to see what is in it

    return next(csv.reader([line], delimiter=text.separator, skipinitialspace=True), [])


def _of_lists(where: str, text: Text) -> tuple[Columns, np.ndarray]:
    """Columns and [rows, J, 4] of a file with a list of numbers in the cell of each joint."""
    wanted = _list_columns(text)
    if not wanted:
        raise InputError(
            f'{where}: found no columns of joints (l0_x, nose_x, x_0, ...), expected some; '
            'prepare.columns takes a pattern of your own'
        )
    cells = csv_table.texts(where, text, wanted)
    size = {len(_numbers(where, cell)) for cell in cells.ravel() if cell.strip()}
    if len(size) != 1 or not size <= {2, 3, 4}:
        raise InputError(
            f'{where}: found lists of {", ".join(map(str, sorted(size)))} numbers, expected all of '
            '2 (x, y), 3 (x, y, visibility or z) or 4 (x, y, z, visibility)'
        )
    axes = {2: 'xy', 3: 'xyz', 4: 'xyzv'}[size.pop()]
    joints = np.full((*cells.shape, 4), np.nan)
    for at in np.ndindex(cells.shape):
        if cells[at].strip():
            joints[at][: len(axes)] = _numbers(where, cells[at])
    known, unit = csv_columns.meanings(text.header)
    named = [csv_columns.joint_and_axis(f'{text.header[k]}_x', '') for k in wanted]
    columns = Columns(
        tuple(
            Joint(name[0] if name else text.header[k], dict.fromkeys(axes, k))
            for name, k in zip(named, wanted, strict=True)
        ),
        all(name is not None and name[0].isdigit() for name in named),
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


def _values(where: str, text: Text, columns: Columns) -> dict[str, np.ndarray]:
    """Of frame, time, fps, width and height, those that have a column: [rows] f64."""
    wanted = {key: at for key, at in columns.known.items() if key not in ('person', 'joint')}
    if not wanted:
        return {}
    table = csv_table.numbers(where, text, list(wanted.values()))
    return dict(zip(wanted, table.T, strict=True))


def _constant(
    where: str, text: Text, columns: Columns, value: dict[str, np.ndarray], key: str
) -> float | None:
    """The one number of a column; None without the column, or if all of it is empty."""
    if key not in value or np.isnan(value[key]).all():
        return None
    found = np.unique(value[key][~np.isnan(value[key])])
    if len(found) != 1 or not 0 < found[0] < np.inf:
        column = text.header[columns.known[key]]
        other = f' and {found[1]:g}' if len(found) > 1 else ''
        raise InputError(
            f'{where}: column {column}: found {found[0]:g}{other}, expected one number above 0'
        )
    return float(found[0])


def _of_joint_rows(where: str, text: Text, columns: Columns, config: ConfigDict) -> Detections:
    """What a file says that has a row a joint: frame, joint, x, y, ..."""
    if 'frame' not in columns.known and 'time' not in columns.known:
        raise InputError(f'{where}: column frame: not found, expected it beside a row a joint')
    by = columns.known.get('frame', columns.known.get('time'))
    axes = columns.joints[0].columns
    table = csv_table.numbers(where, text, [by, *axes.values()])
    ids = csv_table.texts(where, text, [columns.known['joint']])[:, 0]
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
    value = {key: v[first] for key, v in _values(where, text, columns).items()}
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=value.get('frame'),
        ordered=True,
        has_depth='z' in axes,
        has_visibility='v' in axes,
        time=value.get('time'),
        time_unit=columns.time_unit,
        fps=_constant(where, text, columns, value, 'fps'),
    )
