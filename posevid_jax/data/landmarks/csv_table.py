"""Tables as people write them: encodings, separators and decimal commas, told by the content."""

import codecs
import re

import numpy as np

from posevid_jax.data import csv_file
from posevid_jax.data.csv_file import CsvFile
from posevid_jax.errors import InputError

_SEPARATORS = (b',', b';', b'\t')
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16')
)  # fmt: skip
_DECIMAL_COMMA = re.compile(rb'"?[-+]?\d+,\d+([eE][-+]?\d+)?"?')


def read_table(content: bytes, where: str) -> CsvFile:
    """Finds the columns and rows of a table.

    Args:
      content: of the file, in UTF-8 or UTF-16.
      where: file and format, the beginning of messages.

    Raises:
      InputError: it is no text, or a quote is never closed.
    """
    content = _in_utf8(content, where)
    first, _, rest = content.partition(b'\n')
    separator = max(_SEPARATORS, key=first.count)
    second = rest.partition(b'\n')[0].split(separator)
    comma = separator != b',' and any(_DECIMAL_COMMA.fullmatch(cell.strip()) for cell in second)
    return csv_file.parse(content, where, separator.decode(), ',' if comma else '.')


def read_head(content: bytes, where: str) -> CsvFile:
    """`read_table` of the first two lines, to see what they are."""
    lines = _in_utf8(content, where).split(b'\n', 2)[:2]
    return read_table(b'\n'.join(lines), where)


def _in_utf8(content: bytes, where: str) -> bytes:
    encoding = next((e for mark, e in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if encoding is None:
        return content
    try:
        return content.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise InputError(f'{where}: found no {encoding} text ({error.reason})') from None


def check_rows(file: CsvFile) -> None:
    """Raises InputError when there are no rows, or one that ends before the last column."""
    if not len(file.lines):
        raise InputError(f'{file.where}: found no frames')
    short = np.flatnonzero(file.cells < len(file.columns))
    if len(short):
        raise InputError(
            f'{file.where}: line {file.lines[short[0]]}: found {file.cells[short[0]]} cells, '
            f'expected {len(file.columns)}'
        )
