"""Tables that stay aligned on screen, and are whole in a file."""

import numpy as np
import pytest

from posevid_jax.data.csv_file import parse
from posevid_jax.evaluation.table import GrowingTable, Table


def columns(line):
    """What a terminal takes for a line."""
    return len(line) + sum(letter in '手の距離' for letter in line) - line.count('\u0301')


def test_columns_stay_aligned_with_wide_letters_and_long_names():
    names = ('short', '手の距離', 'é' + 'e\u0301', 'x' * 200)
    lines = Table('Title', ('name', 'n'), [(name, '12') for name in names]).lines()
    assert lines[0] == 'Title'
    assert len({columns(line) for line in lines[1:]}) == 1
    assert all(line.endswith('12') for line in lines[2:])
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize('text', ['\x1b[31mred', 'two\nlines', 'back\r', '\udcff'])
def test_a_name_cannot_move_the_cursor(text):
    (_, _, line) = Table('Title', ('name', 'n'), [(text, '1')]).lines()
    assert line.isprintable()


def test_rows_printed_one_by_one_stand_below_each_other(capsys):
    table = GrowingTable(('size', 'n', 'a long title'), ['tiny', '手の距離'])
    header = capsys.readouterr().out
    table.add(('tiny', '1', '0.5'))
    first = capsys.readouterr().out  # before the next one is known
    table.add(('手の距離', '22', '100.25'))
    second = capsys.readouterr().out
    assert len({columns(line) for line in (header, first, second)}) == 1
    assert columns(first[: first.index('1') + 1]) == columns(second[: second.index('22') + 2])
    table.add(('tiny', '7', '1' * 20))
    assert capsys.readouterr().out.endswith(f'{"1" * 20}\n')  # whole, though wider than foreseen


def test_a_file_has_every_digit_that_is_asked_for_and_no_cell_is_cut():
    values = np.random.default_rng(0).random(50)
    long = np.array(['x' * 200, 'a, "b"'] * 25)
    table = Table.of_columns({'row': np.arange(50), 'video': long, 'prob': values}, form='')
    file = parse(table.csv().encode(), 'a.csv')
    np.testing.assert_array_equal(file.numbers(['row', 'prob']), np.stack([range(50), values], 1))
    assert file.text(['video'])['video'] == long.tolist()
    rounded = Table.of_columns({'p': np.float32([1 / 3, 1e-9]), 'q': [1, 2]}).csv()
    assert rounded == 'p,q\n0.333333,1\n1e-09,2\n'
