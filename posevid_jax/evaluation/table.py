"""Tables: the one kind that a terminal, a page and a CSV file show."""

import dataclasses
import html
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from posevid_jax.data.csv_file import format_rows

WIDEST = 44  # columns of a cell on screen; pages and files show all of it


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells of text under a header; the first column names the row."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @classmethod
    def of_columns(cls, columns: Mapping[str, np.ndarray], form: str = '.6g') -> 'Table':
        """A table without a title from arrays `[N]` by name.

        Args:
          columns: in their order.
          form: of floats, as `format` takes it; '' shows all of their digits.
        """
        cells = [
            [format(value, form) if isinstance(value, float) else str(value) for value in column]
            for column in (np.asarray(values).tolist() for values in columns.values())
        ]
        return cls('', list(columns), list(zip(*cells, strict=True)))

    def lines(self) -> list[str]:
        """Title and aligned columns, for a terminal; without a title, the columns alone."""
        cells = [_on_screen(row) for row in (self.header, *self.rows)]
        widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
        title = [printable(self.title)] if self.title else []
        return title + [_aligned(row, widths) for row in cells]

    def html(self) -> str:
        """The same as a part of a page."""
        head = ''.join(f'<th>{html.escape(cell)}</th>' for cell in self.header)
        body = ''.join(
            f'<tr>{"".join(f"<td>{html.escape(cell)}</td>" for cell in row)}</tr>\n'
            for row in self.rows
        )
        title = f'<h3>{html.escape(self.title)}</h3>\n' if self.title else ''
        return (
            f'{title}<div class="scroll"><table>\n'
            f'<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
        )

    def csv(self) -> str:
        """Header and rows as CSV."""
        return format_rows(self.header, self.rows)


class GrowingTable:
    """A table on screen whose rows are printed as they become known, hours apart perhaps."""

    def __init__(self, header: Sequence[str], names: Iterable[str], *, room: int = 6):
        """Prints the header.

        Args:
          header: of the columns.
          names: what the first column may hold.
          room: columns of the screen for every other cell, more under a longer title.
        """
        first = max(map(_width, _on_screen([header[0], *names])))
        self._widths = [first, *(max(room, _width(title)) for title in header[1:])]
        self.add(header)

    def add(self, cells: Sequence[str]) -> None:
        """Prints a row; a cell wider than foreseen moves what is right of it."""
        print(_aligned(_on_screen(cells), self._widths), flush=True)


def printable(text: str) -> str:
    """Text for a terminal: what moves the cursor, breaks a line or is no character is replaced."""
    return ''.join(
        letter if letter.isprintable() else '\N{REPLACEMENT CHARACTER}' for letter in text
    )


def number(value: float | None, form: str = '.4f', none: str = '') -> str:
    """A number as a cell, and what stands there where there is none, or it is not known (NaN)."""
    return none if value is None or math.isnan(value) else format(value, form)


def with_interval(value: float | None, ends: Sequence[float] | None) -> str:
    """A number with the ends of its interval, where it has one."""
    if value is None or not ends:
        return number(value)
    return f'{number(value)} [{ends[0]:.2f}, {ends[1]:.2f}]'


def _on_screen(row: Sequence[str]) -> list[str]:
    """Cells that take one line and not too much of it."""
    cells = map(printable, row)
    return [cell if len(cell) <= WIDEST else cell[: WIDEST - 1] + '…' for cell in cells]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """A line: the first cell at the left of its column, the others at the right of theirs."""
    pads = [' ' * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
    rest = ''.join(f'  {pad}{cell}' for cell, pad in zip(row[1:], pads[1:], strict=True))
    return f'  {row[0]}{pads[0]}{rest}'.rstrip()


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    wide = sum(unicodedata.east_asian_width(letter) in 'WF' for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)
