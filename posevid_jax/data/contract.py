"""The contract of a clip set's columns: shapes, dtypes, and the values that are allowed."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from posevid_jax.data.mapped import Column, row_slices
from posevid_jax.errors import InputError

UNKNOWN_FRAME = -1  # start_frame and end_frame where a source does not say
UNKNOWN_LABEL = -1  # frame_label where a source does not say
MOST_CLASSES = 1000  # where nothing names the classes, a larger label is a mistake

# The columns of a clip set: letters of the shape, dtype.
COLUMNS = {
    'features': ('NTF', np.float32),
    'mask': ('NTF', np.bool_),
    'label': ('N', np.int32),
    'video': ('N', np.int32),
    'group': ('N', np.int32),
    'start_frame': ('N', np.int32),
    'end_frame': ('N', np.int32),
    'fps': ('N', np.float32),
    'aspect': ('N', np.float32),
    'weight': ('N', np.float32),
    'frame_label': ('NT', np.int8),
    'skeleton': ('NTJ4', np.float32),
    'skeleton_mask': ('NTJ', np.bool_),
    'context_skeleton': ('NCJ4', np.float32),
    'context_mask': ('NCJ', np.bool_),
}
MASKS = {'features': 'mask', 'skeleton': 'skeleton_mask', 'context_skeleton': 'context_mask'}
OPTIONAL = ('skeleton', 'skeleton_mask', 'context_skeleton', 'context_mask')


@dataclasses.dataclass(frozen=True)
class Range:
    """The values that a column may hold.

    Attributes:
      low, high: the smallest and the largest, both allowed.
      what: the range in words.
      whole: no fractions.
    """

    low: float
    high: float
    what: str
    whole: bool = False

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Which values [...] are not allowed, [...] bool; NaN never is."""
        if values.dtype.kind == 'f':
            # Beside half or single precision the limits would be rounded.
            values = values.astype(np.promote_types(values.dtype, np.float64))
        inside = (values >= self.low) & (values <= self.high)
        if self.whole and values.dtype.kind == 'f':
            inside &= values == np.floor(values)
        return ~inside


def ranges(num_classes: int) -> dict[str, Range]:
    """The range of each column that has one."""
    info = np.finfo(np.float32)
    frame = whole(UNKNOWN_FRAME, np.iinfo(np.int32).max)
    positive = Range(float(info.tiny), float(info.max), 'numbers above 0')
    return {
        'label': whole(0, num_classes - 1),
        'frame_label': whole(UNKNOWN_LABEL, num_classes - 1),
        'start_frame': frame,
        'end_frame': frame,
        'fps': positive,
        'aspect': positive,
        'weight': Range(0, float(info.max), 'finite numbers from 0 on'),
    }


def bad_rows(
    columns: Mapping[str, Any], num_classes: int, unknown: Sequence[str] = ()
) -> dict[int, str]:
    """The clips with a value that is not allowed.

    Args:
      columns: name -> [N, ...] array of numbers of any dtype, or None.
      num_classes: labels are below it.
      unknown: the columns in which NaN says that a value is not known.

    Returns:
      row -> '<column>: found ..., expected ...', ascending, the first fault of each row.
    """
    faults: dict[int, str] = {}
    for name, allowed in ranges(num_classes).items():
        column = columns.get(name)
        if column is None:
            continue
        for rows in row_slices(column):
            values = column[rows].reshape(rows.stop - rows.start, -1)
            outside = allowed.outside(values)
            if name in unknown:
                outside &= ~np.isnan(values)
            for row in np.flatnonzero(outside.any(1)):
                found = values[row][outside[row]][0]
                fault = f'{name}: found {found}, expected {allowed.what}'
                faults.setdefault(int(rows.start + row), fault)
    return dict(sorted(faults.items()))


def check(columns: dict[str, Any], names: Mapping[str, int]) -> None:
    """Checks the columns of a clip set.

    Args:
      columns: every name of COLUMNS -> its column; None for those of OPTIONAL that are absent.
      names: the number of names of `features`, `joints`, `classes` and `videos`.

    Raises:
      InputError: names the column, what was found and what was expected.
    """
    _check_shapes(columns, names)
    for name in MASKS:
        _check_observed(name, columns)
    without_label = (columns['label'] == UNKNOWN_LABEL).all()
    faults = bad_rows(columns | {'label': None} if without_label else columns, names['classes'])
    for row, fault in faults.items():
        raise InputError(f'{fault} (clip {row})')
    video = whole(0, names['videos'] - 1)
    wrong = columns['video'][video.outside(columns['video'])]
    if len(wrong):
        raise InputError(f'video: found {wrong[0]}, expected {video.what}')


def _check_shapes(columns: Mapping[str, Any], names: Mapping[str, int]) -> None:
    for name, mask in MASKS.items():
        if (columns[name] is None) != (columns[mask] is None):
            raise InputError(f'{name} and {mask}: found one of them, expected both or none')
    sizes = {'4': 4, 'F': names['features'], 'J': names['joints']}
    for name, (letters, dtype) in COLUMNS.items():
        if name in OPTIONAL and columns[name] is None:
            continue
        value = columns[name]
        if value.dtype != dtype:
            raise InputError(f'{name}: found dtype {value.dtype}, expected {np.dtype(dtype)}')
        if value.ndim == len(letters):  # the first column to show N or T says how many there are
            sizes = dict(zip(letters, value.shape, strict=True)) | sizes
        expected = tuple(sizes.get(letter) for letter in letters)
        if value.shape != expected:
            raise InputError(
                f'{name}: found shape {value.shape}, expected [{", ".join(letters)}] = {expected}'
            )
    if not sizes['N'] or not sizes['T']:
        raise InputError(
            f'features: found {sizes["N"]} clips of {sizes["T"]} frames, expected some of both'
        )
    if not sizes['F'] and columns['skeleton'] is None:
        raise InputError('features: found neither features nor a skeleton, expected one of them')


def _check_observed(name: str, columns: Mapping[str, Any]) -> None:
    """Finite everywhere, and 0 where the mask says missing."""
    values: Column | None = columns[name]
    mask = columns[MASKS[name]]
    if values is None:
        return
    for rows in row_slices(values):
        x, observed = values[rows], mask[rows]
        if observed.view(np.uint8).max(initial=0) > 1:  # numpy computes nonsense with them
            raise InputError('mask: found a byte other than 0 and 1, expected booleans')
        if not np.isfinite(x).all():
            raise InputError(f'{name}: found NaN or infinity, expected finite numbers')
        observed = observed.reshape(observed.shape + (1,) * (x.ndim - observed.ndim))
        if ((x != 0) > observed).any():
            raise InputError(f'{name}: found a value other than 0 under a False mask, expected 0')


def whole(low: int, high: int) -> Range:
    """The whole numbers from `low` to `high`."""
    return Range(low, high, f'whole numbers from {low} to {high}', whole=True)
