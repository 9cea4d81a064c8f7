"""Columns that stay on disk, and passes over a column that hold a little of it at a time."""

from collections.abc import Iterator, Sequence

import numpy as np

_CHUNK_BYTES = 2**20  # fits the second cache: passes over a chunk cost one trip to memory


class MappedColumn:
    """A column [N, ...] in memory-mapped parts, seen through a choice of rows.

    Indexing by a number, a slice or an array reads those rows and no others into an array. It has
    an array's `shape`, `dtype`, `ndim` and `len`; anything else has to go over it in
    `row_slices`, because the whole may not fit in memory.
    """

    def __init__(self, parts: Sequence[np.ndarray], rows: np.ndarray | None = None):
        """Joins parts along the first axis.

        Args:
          parts: arrays [n, ...] of one dtype, none of them empty.
          rows: which rows of the joined parts the column has, in order; None = all.
        """
        # As plain views: every indexing of a np.memmap pays for its subclass.
        self._parts = [part.view(np.ndarray) for part in parts]
        self._ends = np.cumsum([len(part) for part in parts])
        self._rows = rows
        self.shape = (int(self._ends[-1]) if rows is None else len(rows), *parts[0].shape[1:])
        self.dtype = parts[0].dtype
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        if isinstance(index, slice):
            return self._gather(np.arange(*index.indices(len(self))))
        rows = np.atleast_1d(index)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if rows.size and not -len(self) <= rows.min() <= rows.max() < len(self):
            raise IndexError(f'found rows {rows.min()} to {rows.max()}, expected {len(self)} rows')
        values = self._gather(np.where(rows < 0, rows + len(self), rows))
        return values if np.ndim(index) else values[0]

    # Python would compare identities and answer False, where an array compares values.
    __eq__ = None  # pyright: ignore[reportAssignmentType] (so that `==` raises TypeError)
    __hash__ = None  # pyright: ignore[reportAssignmentType] (the same for sets and keys)

    def __array__(
        self, dtype: np.typing.DTypeLike | None = None, copy: bool | None = None
    ) -> np.ndarray:
        """All rows, read into memory."""
        return self[:].astype(dtype or self.dtype, copy=False)

    def select(self, rows: np.ndarray) -> 'MappedColumn':
        """The column of some of the rows [n] i64; nothing is read."""
        return MappedColumn(self._parts, rows if self._rows is None else self._rows[rows])

    def _gather(self, rows: np.ndarray) -> np.ndarray:
        if self._rows is not None:
            rows = self._rows[rows]
        part = np.searchsorted(self._ends, rows, side='right')
        order = np.argsort(part, kind='stable')
        parts, first = np.unique(part[order], return_index=True)
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for p, mine in zip(parts, np.split(order, first[1:]), strict=False):
            start = self._ends[p] - len(self._parts[p])
            values[mine] = self._parts[p][rows[mine] - start]
        return values


Column = np.ndarray | MappedColumn


def row_slices(column: Column, within: slice = slice(None)) -> Iterator[slice]:
    """Slices that cover rows of a column, all by default, each about a megabyte of it."""
    row_bytes = column.dtype.itemsize * int(np.prod(column.shape[1:]))
    step = max(_CHUNK_BYTES // max(row_bytes, 1), 1)
    first, last, _ = within.indices(len(column))
    for start in range(first, last, step):
        yield slice(start, min(start + step, last))
