"""Clips that break the contract by themselves are refused, or left out and named."""

from collections.abc import Callable
from typing import Any

import numpy as np

from posevid_jax.data import contract, observed
from posevid_jax.errors import InputError

ON_ERROR = ('raise', 'skip')
_SHARED = ('feature_names', 'joint_names', 'class_names')  # arguments without a row for each clip


def without_bad_rows(
    columns: dict[str, Any], describe: Callable[[int, str], str], on_error: str
) -> tuple[dict[str, Any], list[str]]:
    """Refuses or drops clips with a value that no clip may have; skipping also drops empty clips.

    Args:
      columns: arguments of `from_arrays`, each None or with a row for each clip.
      describe: (row, '<column>: found ..., expected ...') -> a line that also names the file.
      on_error: `raise` or `skip`.

    Returns:
      (the columns of the clips that are left, a line for each that is not).

    Raises:
      InputError: a clip is bad and `on_error` is `raise`.
    """
    names = columns['class_names']
    faults = contract.bad_rows(
        columns, contract.MOST_CLASSES if names is None else len(names), unknown=('fps', 'aspect')
    )
    if on_error == 'skip':
        empty = observed.empty_rows(
            columns['features'], columns.get('mask'), columns.get('skeleton')
        )
        nothing = 'features: found no observed value, expected some'
        faults = {int(row): nothing for row in empty} | faults
    elif faults:
        raise InputError(describe(*next(iter(faults.items()))))
    if not faults:
        return columns, []
    kept = np.setdiff1d(np.arange(len(columns['features'])), list(faults))
    columns = {
        name: values if name in _SHARED else _take(values, kept) for name, values in columns.items()
    }
    return columns, [describe(row, faults[row]) for row in sorted(faults)]


def report(source: str, lines: list[str], num_clips: int) -> list[str]:
    """Puts a line that counts them above the lines about clips that were left out.

    Args:
      source: the archive or folder.
      lines: a line for each clip that was left out.
      num_clips: how many there were before.

    Raises:
      InputError: no clip is left.
    """
    if not lines:
        return []
    count = f'{source}: left out {len(lines)} of {num_clips} clips'
    if len(lines) == num_clips:
        raise InputError(f'{count}, expected some to be left; the first: {lines[0]}')
    return [count, *lines]


def _take(values: Any, rows: np.ndarray) -> Any:
    """Some rows of an array or a list; None stays None."""
    if values is None:
        return None
    return [values[row] for row in rows] if isinstance(values, list) else values[rows]
