"""CSV files: the cells of named columns as text or as numbers, with the line of every mistake.

pandas reads. It is imported where it is used: that takes half a second.
"""

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from posevid_jax.errors import InputError

_NOT_A_NUMBER = ('', 'nan', 'NaN')  # other spellings are rare, and left to the slow way
# A column of these alone would be read as ones and zeros.
_TRUTHS = (b'rue', b'RUE', b'alse', b'ALSE')


@dataclasses.dataclass(frozen=True, eq=False)
class CsvFile:
    """The R rows of a file below the line that names its columns; a blank line is no row.

    Attributes:
      where: the file, as messages begin.
      columns: names, in their order.
      lines: [R] number, from 1, of the line that each row begins in.
      cells: [R] how many cells each row has.
      content: the whole file.
      begin: the position of the byte at which the rows begin.
      blank: which of the lines from there on are blank, where lines in quotes count as one.
      separator: between cells: `,`, `;` or a tab.
      decimal: of numbers: `.` or `,`.
    """

    where: str
    columns: list[str]
    lines: np.ndarray
    cells: np.ndarray
    content: bytes
    begin: int
    blank: np.ndarray
    separator: str = ','
    decimal: str = '.'

    def text(self, columns: Sequence[str]) -> dict[str, list[str]]:
        """The R cells of each column as they are written; '' where a row ends before the column.

        Raises:
          InputError: a column is missing, or this is no CSV.
        """
        found = self._read(columns, dtype=object, na_filter=False)
        return {name: found[:, k].tolist() for k, name in enumerate(columns)}

    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        """[R, columns] f64, the nearest to what is written; NaN where a cell is empty.

        Raises:
          InputError: a column is missing, a cell is no number, or this is no CSV.
        """
        if all(self.content.find(word, self.begin) < 0 for word in _TRUTHS):
            try:
                return self._read(columns, dtype=np.float64, na_values=_NOT_A_NUMBER)
            except ValueError:
                pass  # the slow way knows which cell it is
        text = self.text(columns)
        values = np.empty((len(self.lines), len(columns)))
        for row, cells in enumerate(zip(*text.values(), strict=True)):
            for k, (name, cell) in enumerate(zip(columns, cells, strict=True)):
                try:
                    # Python's float takes 1_000 for a number, and nobody else does.
                    number = (cell or 'nan').replace('_', '?').replace(self.decimal, '.')
                    values[row, k] = float(number)
                except ValueError:
                    raise InputError(
                        f'{self.where}: line {self.lines[row]}: column {name}: found '
                        f'{cell[:20]!r}, expected a number'
                    ) from None
        return values

    def _read(self, columns: Sequence[str], **how: Any) -> np.ndarray:
        """[R, columns], blank lines left out."""
        missing = next((name for name in columns if name not in self.columns), None)
        if missing is not None:
            names = ', '.join(self.columns) or 'none'
            raise InputError(f'{self.where}: column {missing}: not found, the columns are {names}')
        places = [self.columns.index(name) for name in columns]
        table = _table(
            self.where, self.content, len(self.columns), self.separator,
            usecols=places, header=0, decimal=self.decimal, **how,
        )  # fmt: skip
        if len(table) != len(self.blank):
            raise InputError(f'{self.where}: found quotes inside cells, expected "" for each')
        return table[places].to_numpy()[~self.blank]


def parse(content: bytes, where: str, separator: str = ',', decimal: str = '.') -> CsvFile:
    """Finds the columns and rows of a file in UTF-8; lines may end in any of the three ways.

    Args:
      content: of the file.
      where: how messages begin: the path, and what else helps to find the mistake.
      separator, decimal: as in `CsvFile`.

    Raises:
      InputError: it is no text, or a quote is never closed.
    """
    if b'\r' in content:
        content = content.replace(b'\r\n', b'\n').replace(b'\r', b'\n')
    if b'\0' in content:
        line = content.count(b'\n', 0, content.index(b'\0')) + 1
        raise InputError(f'{where}: line {line}: found a byte of value 0, expected UTF-8 text')
    start, line, cells, blank = _rows(content, where, separator)
    begin = int(start[1]) if len(start) > 1 else len(content)
    columns = []
    if not blank[:1].all():
        header = _table(where, content[:begin], cells[0], separator, dtype=object, na_filter=False)
        columns = [name.strip() for name in header.iloc[0]]
    kept = ~blank[1:]
    return CsvFile(
        where=where,
        columns=columns,
        lines=line[1:][kept],
        cells=cells[1:][kept],
        content=content,
        begin=begin,
        blank=blank[1:],
        separator=separator,
        decimal=decimal,
    )


def format_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV of cells of text, quoted where that is needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([header, *rows])
    return text.getvalue()


def _rows(
    content: bytes, where: str, separator: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First byte, line and number of cells of every row, the header's too, and which are blank."""
    data = np.frombuffer(content, np.uint8)
    comma, end, quote = data == ord(separator), data == ord('\n'), data == ord('"')
    ends_of_lines = np.flatnonzero(end)
    if quote.any():
        outside = ~np.logical_xor.accumulate(quote)  # "" inside quotes changes nothing
        comma, end = comma & outside, end & outside
    start = np.append(0, np.flatnonzero(end) + 1)
    start = start[start < len(data)]
    if not len(start):
        return start, start, start, np.zeros(0, bool)
    line = 1 + np.searchsorted(ends_of_lines, start)
    if quote.sum() % 2:
        raise InputError(f'{where}: line {line[-1]}: found a quote that nothing closes')
    cells = 1 + np.add.reduceat(comma, start, dtype=np.int64)
    blank = ~np.logical_or.reduceat(data > ord(' '), start)
    return start, line, cells, blank


def _table(
    where: str, content: bytes, width: int, separator: str, *, header: int | None = None, **how: Any
) -> Any:
    """A data frame of `width` columns, a blank line being a row of empty cells."""
    import pandas as pd

    try:
        return pd.read_csv(
            io.BytesIO(content), sep=separator, header=header, names=range(width), index_col=False,
            skip_blank_lines=False, skipinitialspace=True, keep_default_na=False,
            encoding_errors='replace', **how,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        reason = ' '.join(str(error).rpartition('C error: ')[2].split())
        raise InputError(f'{where}: not a CSV file ({reason})') from None
