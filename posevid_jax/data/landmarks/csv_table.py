"""CSV as people write it, to text and numbers: separators, decimal commas, quotes, encodings."""

import codecs
import io
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from posevid_jax.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = (',', ';', '\t')
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16')
)  # fmt: skip
_EMPTY = ('', 'nan', 'NaN', 'NAN', 'NA', 'N/A', 'null', 'None', '-')
_DECIMAL_COMMA = re.compile(r'[-+]?\d+,\d+([eE][-+]?\d+)?')


class Text(NamedTuple):
    """The lines of a table.

    Attributes:
      header: names of the columns.
      rows: what follows the header.
      separator: between cells.
      decimal: the decimal point, `.` or `,`.
    """

    header: list[str]
    rows: str
    separator: str
    decimal: str


def decode(content: bytes) -> str | None:
    """The text of a file, None where it is no text."""
    encoding = next((e for mark, e in _BYTE_ORDER_MARKS if content.startswith(mark)), 'utf-8')
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def split(text: str) -> Text:
    """Header and rows of a table, and how its cells are separated."""
    line, _, rows = text.partition('\n')
    line = line.rstrip('\r')
    separator = max(_SEPARATORS, key=line.count)
    header = [name.strip().strip('"\'').strip() for name in line.split(separator)]
    first = rows.partition('\n')[0].split(separator)
    comma = separator != ',' and any(_DECIMAL_COMMA.fullmatch(cell.strip(' "\r')) for cell in first)
    return Text(header, rows, separator, ',' if comma else '.')


def numbers(where: str, text: Text, wanted: list[int]) -> np.ndarray:
    """[rows, wanted] f64 of the columns with these numbers, NaN where a cell is empty.

    Raises:
      InputError: no rows, a row with more or fewer cells than the header, or a cell that is no
        number.
    """
    cells = _read(where, text, wanted, 'float64')
    return cells.to_numpy(np.float64)


def texts(where: str, text: Text, wanted: list[int]) -> np.ndarray:
    """[rows, wanted] str, as they are; errors as for `numbers`."""
    return _read(where, text, wanted, 'str').to_numpy(str)


def _read(where: str, text: Text, wanted: list[int], dtype: str) -> 'pd.DataFrame':
    import pandas as pd  # half a second, and only who reads tables needs it

    if not text.rows.strip():
        raise InputError(f'{where}: found no frames')
    mistake = None if '"' in text.rows else _uneven(text)
    if mistake is not None:
        raise InputError(f'{where}: {mistake}')
    try:
        table = pd.read_csv(
            io.StringIO(text.rows),
            header=None,
            names=list(range(len(text.header))),
            usecols=sorted(set(wanted)),
            sep=text.separator,
            decimal=text.decimal,
            dtype=dtype,
            keep_default_na=False,
            na_values=list(_EMPTY) if dtype != 'str' else [],
            skipinitialspace=True,
            index_col=False,
        )
    except ValueError as error:  # pandas' own ParserError is one
        raise InputError(f'{where}: {_first_mistake(text, wanted) or _first_line(error)}') from None
    return table[wanted]


def _uneven(text: Text) -> str | None:
    """The first row with another number of cells than the header."""
    expected = len(text.header)
    for number, line in enumerate(text.rows.split('\n'), start=2):
        found = line.count(text.separator) + 1
        if found != expected and line.strip():
            return f'line {number}: found {found} cells, expected {expected}'
    return None


def _first_mistake(text: Text, wanted: list[int]) -> str | None:
    """Where a table cannot be read: slow, and so only asked when it could not."""
    for number, line in enumerate(text.rows.split('\n'), start=2):
        cells = line.rstrip('\r').split(text.separator)
        for at, cell in enumerate(cells if line.strip() else []):
            cell = cell.strip().strip('"').replace(text.decimal, '.')
            try:
                float(cell if at in wanted and cell not in _EMPTY else 0)
            except ValueError:
                return (
                    f'line {number}: column {text.header[at]}: found {cell[:20]!r}, expected a '
                    'number'
                )
    return None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
