"""A mapped column answers as the array it stands for."""

import numpy as np
import pytest

from posevid_jax.data.mapped import MappedColumn, row_slices

RNG = np.random.default_rng(0)
WHOLE = RNG.normal(size=(11, 3, 2)).astype(np.float32)
PARTS = [WHOLE[:4], WHOLE[4:5], WHOLE[5:]]
INDICES = {
    'number': 7, 'last': -1, 'numpy_number': np.int32(4), 'slice': slice(2, 9), 'all': slice(None),
    'steps': slice(10, 1, -3), 'empty': slice(3, 3), 'list': [8, 0, 0, 4, -2], 'none': [],
    'array': np.array([10, 3, 5, 4], np.int32), 'mask': np.arange(11) % 3 == 0,
}  # fmt: skip


@pytest.mark.parametrize('index', INDICES.values(), ids=INDICES)
def test_indexing_is_that_of_an_array(index):
    if isinstance(index, list):
        index = np.array(index, np.int64)
    column = MappedColumn(PARTS)
    np.testing.assert_array_equal(column[index], WHOLE[index])
    assert column[index].dtype == np.float32 and column[index].shape == WHOLE[index].shape


def test_a_selection_of_a_selection():
    rows, more = np.array([9, 1, 4, 4, 0]), np.array([3, 0, 2])
    column, array = MappedColumn(PARTS).select(rows).select(more), WHOLE[rows][more]
    assert (column.shape, column.ndim, len(column)) == (array.shape, array.ndim, len(array))
    np.testing.assert_array_equal(column, array)
    np.testing.assert_array_equal(column[[-1, 0]], array[[-1, 0]])


@pytest.mark.parametrize('index', [11, -12, [0, 11]])
def test_rows_that_are_not_there(index):
    with pytest.raises(IndexError):
        MappedColumn(PARTS)[index]


def test_comparing_fails_rather_than_answering_about_identity():
    with pytest.raises(TypeError):
        MappedColumn(PARTS) == 0  # noqa: B015


@pytest.mark.parametrize('shape', [(7, 300, 900), (1000, 3), (5, 2**20), (4, 3, 0), (0, 4)])
def test_row_slices_cover_every_row_once_in_small_pieces(shape):
    column = np.broadcast_to(np.float32(0), shape)
    rows = [row for some in row_slices(column) for row in range(shape[0])[some]]
    assert rows == list(range(shape[0]))
    assert all(column[some].size <= 2**18 or len(column[some]) == 1 for some in row_slices(column))
    inner = [row for some in row_slices(column, slice(1, 3)) for row in range(shape[0])[some]]
    assert inner == list(range(shape[0]))[1:3]
