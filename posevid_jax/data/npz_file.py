"""One npz file, read defensively: typed access, no unpickling, every failure an InputError."""

import pathlib
import zipfile
import zlib
from typing import NoReturn

import numpy as np

from posevid_jax.errors import InputError

_UNREADABLE = (
    OSError, EOFError, ValueError, MemoryError, NotImplementedError, RuntimeError, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip


class NpzFile:
    """Arrays of an npz file by key; arrays are decompressed when they are asked for."""

    def __init__(self, path: pathlib.Path):
        """Raises InputError when the path is not a readable npz file."""
        self.path = path
        try:
            npz = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise InputError(f'{path}: not found, expected an npz file or a folder') from None
        except _UNREADABLE as error:
            raise InputError(f'{path}: not an npz file, or damaged ({_brief(error)})') from None
        if not isinstance(npz, np.lib.npyio.NpzFile):
            raise InputError(f'{path}: found a single npy array, expected an npz file')
        self._npz = npz

    def __enter__(self) -> 'NpzFile':
        return self

    def __exit__(self, *_) -> None:
        self._npz.close()

    def __contains__(self, key: str) -> bool:
        return key in self._npz.files

    def keys(self) -> list[str]:
        return sorted(self._npz.files)

    def read(self, key: str) -> np.ndarray:
        """The array as it is stored."""
        if key not in self:
            self.fail(key, f'not found, the keys are {", ".join(self.keys()) or "none"}')
        try:
            return self._npz[key]
        except _UNREADABLE as error:
            if 'allow_pickle' in str(error):
                self.fail(
                    key,
                    'found an object array, which is never unpickled because that can run code; '
                    'save it as numbers or text, for example with .astype(str)',
                )
            self.fail(key, f'damaged ({_brief(error)})')

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
        if array.dtype.kind == 'S':
            return [text.decode('utf-8', 'replace') for text in array.tolist()]
        return [str(text) for text in array.tolist()]

    def fail(self, key: str, what: str) -> NoReturn:
        """Raises the InputError about one key of this file."""
        raise InputError(f'{self.path}: {key}: {what}') from None


def _brief(error: BaseException) -> str:
    if 'allow_pickle' in str(error):
        return 'neither zip archive nor array'  # numpy's own text advises to unpickle it
    return ' '.join(str(error).split())[:120] or type(error).__name__
