"""Reads the npy format; the header is checked before a byte of data is read."""

import math
from typing import IO, NamedTuple

import numpy as np

_PIECE = 2**20  # bytes read at once
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """The header of an npy file: shape, order of axes and dtype of its array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the array, exact however large the header claims it to be."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        order = ' in Fortran order' if self.fortran_order else ''
        return f'{self.dtype} of shape {self.shape}{order}'


def read_header(file: IO[bytes]) -> Header:
    """Reads up to the first byte of the array.

    Raises:
      ValueError: there is no valid header.
    """
    try:
        header = Header(*_READERS[np.lib.format.read_magic(file)](file))
    except OSError:
        raise
    except Exception:  # a Python literal is parsed: what is damaged may fail in any way
        raise ValueError('the npy header cannot be understood') from None
    if min(header.shape, default=0) < 0:
        raise ValueError(f'the npy header has shape {header.shape}')
    return header


def read_array(file: IO[bytes], header: Header) -> np.ndarray:
    """Reads the array that a header describes, in its byte order and its order of axes.

    Raises:
      EOFError: the file ends too early.
    """
    content = np.empty(header.nbytes, np.uint8)
    filled = 0
    while filled < len(content):
        piece = file.read(min(_PIECE, len(content) - filled))
        if not piece:
            raise EOFError(f'found {filled} bytes of data, expected {len(content)}')
        content[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    order = 'F' if header.fortran_order else 'C'
    return np.ndarray(header.shape, header.dtype, buffer=content, order=order)
