"""Drawing for pages: pictures whose ink follows the colours of the page around them."""

import contextlib
import dataclasses
import io
import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Legible on white and on black. Ink and lines are stand-ins for the colours of the page; in a PNG
# they are what they are.
COLORS = ('#3d8bd4', '#e07b39', '#4aa564', '#b06fc4', '#c9a227', '#d45087', '#5bb5c2', '#8c7a6b')
INK, LINE = '#010203', '#d9dde3'
FINE = {
    'linestyle': (0, (4, 3)),
    'lw': 1.0,
    'color': INK,
    'alpha': 0.55,
}  # of lines to compare with


@dataclasses.dataclass
class Picture:
    """What a figure becomes when its block ends.

    Attributes:
      svg: `<svg ...>` text for a page.
      png: the same on white, where it was asked for.
    """

    svg: str = ''
    png: bytes = b''


@contextlib.contextmanager
def drawing(
    width: float, height: float, *, png: bool = False
) -> Generator[tuple['Figure', Picture]]:
    """A figure to draw on, and the picture that it becomes when the block ends.

    Matplotlib is imported here: who draws nothing does not wait for it.

    Args:
      width, height: inches; a page is 10 wide.
      png: make a PNG too.
    """
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        'svg.fonttype': 'none',  # text stays text, in the font of the page
        'svg.hashsalt': 'posevid',  # equal pictures are equal files
        'text.parse_math': False,  # a $ in a name is a dollar
        'axes.spines.top': False,
        'axes.spines.right': False,
        'axes.titlesize': 9,
        'axes.axisbelow': True,
        'font.size': 8,
        'legend.frameon': False,
    } | {
        key: INK
        for key in ('text.color', 'axes.labelcolor', 'xtick.color', 'ytick.color', 'axes.edgecolor')
    }  # fmt: skip
    picture = Picture()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='Glyph')  # the browser has the font
        figure = Figure(figsize=(width, height), layout='constrained')
        yield figure, picture
        stream = io.StringIO()
        figure.savefig(stream, format='svg', transparent=True, metadata={'Date': None})
        if png:
            pixels = io.BytesIO()
            figure.savefig(pixels, format='png', dpi=150, metadata={'Software': None})
            picture.png = pixels.getvalue()
    svg = stream.getvalue()
    svg = svg[svg.index('<svg') :].replace(INK, 'currentColor').replace(LINE, 'var(--line)')
    picture.svg = svg


def grid(ax: 'Axes', axis: Literal['both', 'x', 'y'] = 'both') -> None:
    """Fine lines at the ticks of `x`, `y` or `both`."""
    ax.grid(True, axis=axis, color=LINE, lw=0.6)


def filled_steps(
    ax: 'Axes', heights: np.ndarray, edges: np.ndarray, shade: str, label: str | None = None
) -> None:
    """A histogram [K] between edges [K + 1] that others can be seen through."""
    ax.stairs(heights, edges, color=shade, alpha=0.25, fill=True)
    ax.stairs(heights, edges, color=shade, lw=1.4, label=label)


def color(number: int) -> str:
    """The colour of the n-th class or set; they repeat."""
    return COLORS[number % len(COLORS)]


def short(text: str, most: int = 24) -> str:
    """A name that fits beside a picture."""
    return text if len(text) <= most else text[: most - 1] + '…'
