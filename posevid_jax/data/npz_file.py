"""One npz file, read defensively: typed access, no unpickling, every failure an InputError."""

import os
import pathlib
import zipfile
from typing import NoReturn

import numpy as np

from posevid_jax.data import npy
from posevid_jax.data.files import open_regular, reason
from posevid_jax.errors import InputError

_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes
_LEAST_LIMIT = 2**30
_EXPANSION = 100  # real data shrinks a few times; what shrinks a hundred times holds none


class Budget:
    """Bytes that files may expand to, counted before anything is decompressed."""

    def __init__(self, max_bytes: int, stored: int):
        """Starts with nothing spent.

        Args:
          max_bytes: the limit, `data.max_bytes`; 0 chooses 100 times what is stored, at least 1 GiB
            and at most the memory of the machine.
          stored: size of the files on disk.
        """
        memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
        self.limit = max_bytes or min(max(_LEAST_LIMIT, _EXPANSION * stored), memory)
        self._left = self.limit

    def spend(self, num_bytes: int) -> None:
        """Raises ValueError when the bytes are more than what is left."""
        if num_bytes > self._left:
            raise ValueError(
                f'expands to {num_bytes:,} bytes, expected at most {self._left:,} of '
                f'{self.limit:,} (data.max_bytes)'
            )
        self._left -= num_bytes


class NpzFile:
    """Arrays of an npz file by key; an array is decompressed when it is asked for."""

    def __init__(self, path: pathlib.Path, budget: Budget | int = 0):
        """Opens the file and reads its directory.

        Args:
          path: the file.
          budget: shared by several files, or the limit of this one alone.

        Raises:
          InputError: the path is not a readable npz file.
        """
        self.path = path
        self._file = open_regular(path)
        if isinstance(budget, int):
            budget = Budget(budget, os.fstat(self._file.fileno()).st_size)
        self._budget = budget
        try:
            self._zip = zipfile.ZipFile(self._file)
        except Exception as error:  # zipfile fails in a dozen ways over damaged bytes
            self._file.close()
            raise InputError(
                f'{path}: found no npz file, or a damaged one ({reason(error)})'
            ) from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            key = member.filename.removesuffix('.npy')
            if key in self._members:
                self.close()
                self.fail(key, 'found twice, expected once')
            self._members[key] = member

    def __enter__(self) -> 'NpzFile':
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def keys(self) -> list[str]:
        return sorted(self._members)

    def read(self, key: str) -> np.ndarray:
        """The array as it is stored: numbers or text."""
        if key not in self:
            self.fail(key, f'not found, the keys are {", ".join(self.keys()) or "none"}')
        try:
            return self._read(key)
        except InputError:
            raise
        except MemoryError:
            self.fail(key, 'does not fit in memory')
        except Exception as error:  # as in __init__
            self.fail(key, f'damaged ({reason(error)})')

    def _read(self, key: str) -> np.ndarray:
        member = self._members[key]
        if member.compress_type not in _COMPRESSION:
            self.fail(key, f'found zip method {member.compress_type}, expected stored or deflated')
        with self._zip.open(member) as file:
            header = npy.read_header(file)
            if header.dtype.hasobject:
                self.fail(
                    key,
                    'found an object array, which is never unpickled because that can run code; '
                    'save it as numbers or text, for example with .astype(str)',
                )
            if header.dtype.kind not in 'fiubUS':
                self.fail(key, f'found dtype {header.dtype}, expected numbers or text')
            if file.tell() + header.nbytes != member.file_size:
                self.fail(
                    key,
                    f'found {member.file_size - file.tell()} bytes of data, expected '
                    f'{header.nbytes} for {header}',
                )
            try:
                self._budget.spend(header.nbytes)
            except ValueError as error:
                self.fail(key, str(error))
            return npy.read_array(file, header)

    def numbers(self, key: str, *shape: int | None) -> np.ndarray:
        """An array of real numbers; None in the shape stands for any size."""
        array = self.read(key)
        if array.dtype.kind not in 'fiub':
            self.fail(key, f'found dtype {array.dtype}, expected numbers')
        if array.ndim != len(shape) or any(
            wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        ):
            wanted = ', '.join('any' if size is None else str(size) for size in shape)
            self.fail(key, f'found shape {array.shape}, expected ({wanted})')
        return array

    def integers(self, key: str, *shape: int | None) -> np.ndarray:
        """Numbers without a fraction, as i64."""
        array = self.numbers(key, *shape)
        with np.errstate(invalid='ignore'):
            whole = array.astype(np.int64)
        if not np.array_equal(whole, array):
            self.fail(key, 'found NaN or fractions, expected whole numbers')
        return whole

    def texts(self, key: str, size: int | None = None) -> list[str]:
        """A list of names; whole numbers become text, a single name a list of one."""
        array = np.atleast_1d(self.read(key))
        if array.dtype.kind not in 'USiu' or array.ndim != 1 or size not in (None, len(array)):
            wanted = 'names' if size is None else f'{size} names'
            self.fail(key, f'found {array.dtype} of shape {array.shape}, expected {wanted}')
        try:
            if array.dtype.kind == 'S':
                return [text.decode('utf-8', 'replace') for text in array.tolist()]
            texts = [str(text) for text in array.tolist()]
            for text in texts:
                text.encode()  # fails for half a surrogate pair
        except (ValueError, SystemError) as error:  # the latter for numbers beyond Unicode
            self.fail(key, f'found text that is no valid Unicode ({reason(error)}), expected names')
        return texts

    def fail(self, key: str, what: str) -> NoReturn:
        """Raises the InputError about one key of this file."""
        raise InputError(f'{self.path}: {key}: {what}') from None
