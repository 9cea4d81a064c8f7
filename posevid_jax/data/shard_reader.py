"""Opens a folder of shards (see `shards`); columns with values for each frame stay on disk."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from posevid_jax.data import npy, observed
from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import COLUMNS
from posevid_jax.data.files import open_regular, reason
from posevid_jax.data.mapped import MappedColumn
from posevid_jax.data.shards import BY_CLIP, INDEX, NAMES, SCHEMA_VERSION, shard_path
from posevid_jax.errors import InputError


def is_sharded(path: str | os.PathLike[str]) -> bool:
    """Whether a path is such a folder, rather than one with an npz file per clip."""
    return os.path.lexists(os.path.join(path, INDEX))


def read_shards(directory: str | os.PathLike[str]) -> Clips:
    """The clips of a folder that `write_shards` wrote.

    Every value is checked once, a little at a time.

    Raises:
      InputError: one line with the file, what was found and what was expected.
    """
    directory = pathlib.Path(directory)
    index = _Index(directory / INDEX)
    names: dict[str, Any] = {name: index.texts(name) for name in (*NAMES, 'videos')}
    shards = index.counts('shards')
    sizes = {
        'N': sum(shards),
        'T': index.count('num_frames'),
        'F': len(names['feature_names']),
        'J': len(names['joint_names']),
        'C': index.count('num_context_frames', low=0),
        '4': 4,
    }
    if index.count('num_clips') != sizes['N']:
        index.fail('num_clips', f'found {index.count("num_clips")}, expected {sizes["N"]} (shards)')
    columns: dict[str, Any] = {}
    for name, (letters, dtype) in COLUMNS.items():
        shape = tuple(sizes[letter] for letter in letters[1:])
        if name in BY_CLIP:
            columns[name] = np.array(_map(directory / f'{name}.npy', (sizes['N'],), dtype))
        elif any(letter in letters and not sizes[letter] for letter in 'JC'):
            columns[name] = None
        else:
            columns[name] = MappedColumn(
                [_map(shard_path(directory, name, i), (n, *shape), dtype)
                 for i, n in enumerate(shards)]
            )  # fmt: skip
    try:
        lines = observed.warnings(columns['mask'], columns['skeleton_mask'])
        warnings = tuple(f'{directory}: {line}' for line in lines)
        return Clips(**columns, **names, warnings=warnings)
    except InputError as error:
        raise InputError(f'{directory}: {error}') from None


def _map(path: pathlib.Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Maps an npy file that must hold an array of this shape and dtype.

    Raises:
      InputError: it holds something else.
    """
    with open_regular(path) as file:
        try:
            header = npy.read_header(file)
        except (OSError, ValueError) as error:
            raise InputError(f'{path}: damaged ({reason(error)})') from None
        expected = npy.Header(shape, False, np.dtype(dtype))
        if header != expected:
            raise InputError(
                f'{path}: found {header}, expected {expected} as {path.with_name(INDEX)} says'
            )
        size = os.fstat(file.fileno()).st_size - file.tell()
        if size != header.nbytes:
            raise InputError(f'{path}: found {size} bytes of data, expected {header.nbytes}')
        if not size:
            return np.empty(shape, dtype)  # an empty array cannot be mapped
        return np.memmap(file, dtype, 'r', file.tell(), shape)


class _Index:
    """The values of index.json, each checked when it is read."""

    def __init__(self, path: pathlib.Path):
        self._path = path
        with open_regular(path) as file:
            try:
                self._values = json.loads(file.read())
            except (OSError, ValueError, RecursionError) as error:
                raise InputError(f'{path}: not JSON ({reason(error)})') from None
        if not isinstance(self._values, dict):
            raise InputError(f'{path}: found {self._values!r:.40}, expected an object')
        if self.count('schema_version') != SCHEMA_VERSION:
            found = self.count('schema_version')
            self.fail('schema_version', f'found {found}, expected {SCHEMA_VERSION}')

    def count(self, key: str, low: int = 1) -> int:
        """A whole number from `low` on."""
        value = self._values.get(key)
        if not _is_count(value, low):
            self.fail(key, f'found {value!r:.40}, expected a number from {low} on')
        return value

    def counts(self, key: str) -> tuple[int, ...]:
        """At least one whole number above 0."""
        values = self._checked(key, self._values.get(key), _is_count, 'numbers above 0')
        return values or self.fail(key, 'found none, expected numbers above 0')

    def texts(self, key: str) -> tuple[str, ...]:
        """Any number of names."""
        return self._checked(key, self._values.get(key), _is_text, 'names')

    def fail(self, key: str, what: str) -> NoReturn:
        """Raises the InputError about one key."""
        raise InputError(f'{self._path}: {key}: {what}') from None

    def _checked(
        self, key: str, values: Any, accepts: Callable[[Any], bool], expected: str
    ) -> tuple[Any, ...]:
        if not isinstance(values, list):
            self.fail(key, f'found {values!r:.40}, expected {expected}')
        for value in values:
            if not accepts(value):
                self.fail(key, f'found {value!r:.40}, expected {expected}')
        return tuple(values)


def _is_count(value: Any, low: int = 1) -> bool:
    return type(value) is int and low <= value < 2**48


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
