"""From the values that a source has to columns of `Clips`: types, ranges, numbers for names."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from posevid_jax.data import contract, observed
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.errors import InputError

_Value = TypeVar('_Value', bound=Hashable)


def numbered_classes(count: int) -> tuple[str, ...]:
    """The names of classes that have only numbers in their source."""
    return tuple(f'class_{i}' for i in range(count)) if count > 2 else ('negative', 'positive')


def are_numbered(class_names: Sequence[str]) -> bool:
    """Whether these are the names of `numbered_classes`."""
    return tuple(class_names) == numbered_classes(len(class_names))


def number_by_appearance(values: Iterable[_Value]) -> tuple[np.ndarray, list[_Value]]:
    """Numbers equal values 0, 1, ... in the order in which they appear.

    Returns:
      (numbers [N] i32, the distinct values in the order of their numbers).
    """
    numbers: dict[_Value, int] = {}
    numbered = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)
    return numbered, list(numbers)


def split_joints(
    joints: np.ndarray | None, *, in_place: bool
) -> tuple[np.ndarray | None, np.ndarray | None, int]:
    """Joints [N, T, J, 4] with 0 where missing, mask [N, T, J], and the number of infinities."""
    if joints is None:
        return None, None, 0
    joints, finite, infinite = observed.split_missing(joints, None, in_place=in_place)
    mask = np.asarray(finite.all(-1))
    joints[~mask] = 0
    return joints, mask, infinite


def integers(name: str, values: np.ndarray, dtype: type) -> np.ndarray:
    """Values of an integer type.

    Raises:
      InputError: a value does not fit, or is not a whole number; it names the column.
    """
    check_range(name, values, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return values.astype(dtype)


def frame_ranges(
    start: np.ndarray | None, end: np.ndarray | None, n: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """First and last frame of each clip [N] i64, one from the other where only one is given."""
    # As i64: a number derived from one that fits into i32 may not fit itself.
    if end is not None:
        end = integers('end_frame', end, np.int32).astype(np.int64)
    if start is not None:
        start = integers('start_frame', start, np.int32).astype(np.int64)
    elif end is not None:
        start = end - length + 1
    else:
        start = np.full(n, UNKNOWN_FRAME)
    if end is None:
        end = np.where(start == UNKNOWN_FRAME, UNKNOWN_FRAME, start + length - 1)
    return start, end


def check_range(name: str, values: np.ndarray, low: int, high: int) -> None:
    """Raises InputError for a value that is not a whole number from `low` to `high`."""
    fitting = contract.whole(low, high)
    wrong = values[fitting.outside(values)]
    if wrong.size:
        raise InputError(f'{name}: found {wrong[0]}, expected {fitting.what}')


def floats(values: np.ndarray | None, n: int, default: float) -> np.ndarray:
    """[n] f32; the default where a value is NaN, and everywhere where there are none."""
    if values is None:
        return np.full(n, default, np.float32)
    return np.where(np.isnan(values), default, values).astype(np.float32)
