"""CSV cells exactly as they are written, and the line of what is wrong."""

import numpy as np
import pytest

from posevid_jax.data.csv_file import format_rows, parse
from posevid_jax.errors import InputError


def test_text_is_what_is_written_with_the_line_that_it_begins_in():
    content = b'"b, c" ,a, d\r\n"1\r\n2",NA,x\r\r  \n"say ""no""",1.0\nnull, "True, ",,more\n'
    file = parse(b'\xef\xbb\xbf' + content, 'a.csv')
    assert file.columns == ['b, c', 'a', 'd']
    assert file.lines.tolist() == [2, 6, 7] and file.cells.tolist() == [3, 2, 4]
    assert file.text(['a', 'd']) == {'a': ['NA', '1.0', 'True, '], 'd': ['x', '', '']}
    assert file.text(['b, c']) == {'b, c': ['1\n2', 'say "no"', 'null']}


def test_numbers_are_the_nearest_ones_and_empty_cells_are_missing():
    values = np.random.default_rng(0).random(600) * 10.0 ** np.arange(-300, 300)
    written = '\n'.join(f'{value!r},{value:.30e}' for value in values.tolist())
    found = parse(f'a,b\n{written}\n'.encode(), 'a.csv').numbers(['b', 'a'])
    np.testing.assert_array_equal(found, np.stack([values, values], 1))
    found = parse(b'a,b\n,nan\n 1 ,NAN\n\n-inf', 'a.csv').numbers(['a', 'b'])
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [1, np.nan], [-np.inf, np.nan]])


@pytest.mark.parametrize('content', [b'a\n', b'a', b'a,b\n\n \n'])
def test_a_file_may_have_no_rows(content):
    file = parse(content, 'a.csv')
    assert file.text(['a']) == {'a': []} and file.numbers(['a']).shape == (0, 1)


@pytest.mark.parametrize('cell', ['True', 'NA', '1_000', '0x10', '1 2', '٣x', '"1,5"'])
def test_what_is_no_number_is_named_with_its_line(cell):
    with pytest.raises(InputError, match=r"^a\.csv: line 4: column b: found '.*', expected a num"):
        parse(f'a,b\n1,2\n\n3,{cell}\n'.encode(), 'a.csv').numbers(['a', 'b'])


def test_a_column_of_truths_is_no_column_of_ones():
    with pytest.raises(InputError, match="line 2: column b: found 'True', expected a number"):
        parse(b'a,b\n1,True\n2,True\n', 'a.csv').numbers(['a', 'b'])


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'column a: not found, the columns are none'),
        (b'b,c\n1,2\n', 'column a: not found, the columns are b, c'),
        (b'a,b\n1,2\n3,"4\n5\n', 'line 3: found a quote that nothing closes'),
        (b'a,b\n5" wide,1\n6" wide,2\n', 'found quotes inside cells'),
        ('a,b\n1,2\n'.encode('utf-16-le'), 'line 1: found a byte of value 0'),
    ],
)
def test_what_is_no_table_is_one_line(content, message):
    with pytest.raises(InputError) as raised:
        parse(content, 'x.csv').text(['a'])
    assert str(raised.value).startswith(f'x.csv: {message}') and '\n' not in str(raised.value)


def test_what_is_written_is_what_is_read():
    rows = [('1', 'x"y'), ('', 'two\nlines'), ('NA', 'a, b')]
    text = format_rows(('n', 'a, b'), rows)
    assert text == 'n,"a, b"\n1,"x""y"\n,"two\nlines"\nNA,"a, b"\n'
    found = parse(text.encode(), 'a.csv').text(['n', 'a, b'])
    assert list(zip(*found.values(), strict=True)) == rows
