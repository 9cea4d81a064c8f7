"""A recording as the pictures of a film: the body, what was found in it, and when."""

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation import drawn_body
from posevid_jax.evaluation.drawing import COLORS, short
from posevid_jax.evaluation.overlay_body import Body
from posevid_jax.evaluation.timeline import Timeline, clock, draw_bars, inside
from posevid_jax.video.estimator import Frame

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_PLAIN = (18, 22, 28)  # the colour behind a body without a video
_PAPER, _INK, _FAINT, _LINE, _ON_COLOR = '#171c24', '#eef1f5', '#8c97a6', '#333d4a', '#10151c'
_CURVE = COLORS[0]
_PAGE_SECONDS = 60  # on the timeline at a time, so that an event is wide enough to be seen
_DPI = 100
_LEAST_TEXT, _MOST_TEXT = 11, 22  # pixels
_TEXT_PER_WIDTH = 1 / 58
# Of the panel below the picture, in heights of the text: what is said, the curve, each row of
# bars, the axis; left and right of the curve; where the name of an event begins.
_SAID, _HIGH, _ROW, _AXIS = 2.8, 4.2, 0.95, 2.0
_LEFT, _RIGHT, _NAME = 5.2, 1.2, 6.2


class View(NamedTuple):
    """The part of the recording's picture that is shown, in shares of it."""

    left: float = 0.0
    top: float = 0.0
    side: float = 1.0


def close_up(recording: Recording) -> View:
    """The part that the body is in."""
    joints = recording.joints[:, drawn_body.drawn(recording.joint_names)]
    seen = np.isfinite(joints).all(-1) & (joints[..., 3] > 1 / 3)
    return View(*drawn_body.close_up(joints[..., :2][seen]))


def plain(width: int, height: int) -> np.ndarray:
    """[H, W, 3] u8 with nothing on it."""
    return np.full((height, width, 3), _PLAIN, np.uint8)


def pictures(
    frames: Iterable[Frame], recording: Recording, timeline: Timeline, names: list[str], view: View
) -> Iterator[Frame]:
    """Frames with the body over them and, below, the probability, the events, and what is now.

    Args:
      frames: of one size, even in width and height, at any times; so are those that come out.
      recording: of T frames.
      timeline: of the same frames.
      names: of the events that the timeline has found.
      view: the part of the recording's picture that the frames show.
    """
    canvas = None
    for frame in frames:
        if canvas is None:
            canvas = _Canvas(recording, timeline, names, view, frame.picture.shape[1::-1])
        yield Frame(frame.seconds, canvas.draw(frame))


class _Canvas:
    """Draws over pictures of one size; what does not move is drawn once for each page of time."""

    def __init__(
        self,
        recording: Recording,
        timeline: Timeline,
        names: list[str],
        view: View,
        size: tuple[int, ...],
    ):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        width, self._height = size
        self._timeline, self._names = timeline, names
        self._text = text = float(np.clip(width * _TEXT_PER_WIDTH, _LEAST_TEXT, _MOST_TEXT))
        self._bars = {row: timeline.bars[row] for row in _rows(timeline)}
        panel = 2 * round((_SAID + _HIGH + _ROW * len(self._bars) + _AXIS) * text / 2)
        whole = self._height + panel
        self._figure = Figure((width / _DPI, whole / _DPI), dpi=_DPI, facecolor=_PAPER)
        self._canvas = FigureCanvasAgg(self._figure)
        self._points = points = text * 72 / _DPI

        stage = self._figure.add_axes((0, panel / whole, 1, self._height / whole))
        stage.set_axis_off()
        stage.set_xlim(view.left, view.left + view.side)
        stage.set_ylim(view.top + view.side, view.top)
        self._body = Body(recording, stage, 0.2 * points)
        self._frame = Rectangle(
            (0, 0), 1, 1, transform=stage.transAxes, fill=False, lw=0.6 * points, animated=True
        )
        stage.add_patch(self._frame)

        left, right = _LEFT * text / width, 1 - _RIGHT * text / width
        low = _AXIS * text / whole
        self._axes = self._figure.add_axes(
            (left, low, right - left, (panel - _SAID * text) / whole - low), facecolor=_PAPER
        )
        self._cursor = self._axes.axvline()
        middle = (panel - _SAID * text / 2) / whole
        said = {'va': 'center', 'parse_math': False, 'animated': True, 'size': 1.15 * points}
        self._percent = self._figure.text(left, middle, '', color=_INK, weight='bold', **said)
        self._event = self._figure.text(
            (_LEFT + _NAME) * text / width, middle, '', color=_ON_COLOR, weight='bold', **said,
            bbox={'boxstyle': 'round,pad=0.3', 'lw': 0},
        )  # fmt: skip
        self._clock = self._figure.text(right, middle, '', color=_FAINT, ha='right', **said)
        self._page, self._still = -1, np.empty(0)
        self._between = (recording.time[1:] + recording.time[:-1]) / 2

    def draw(self, frame: Frame) -> np.ndarray:
        """[H, W, 3] of the picture and the panel below it."""
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', message='Glyph')  # of a name in another script
            if (page := self._page_at(frame.seconds)) != self._page:
                self._page = page
                self._turn_page()
                self._still = np.array(self._canvas.buffer_rgba())
            pixels = np.asarray(self._canvas.buffer_rgba())  # what is drawn on
            pixels[:] = self._still
            pixels[: self._height, :, :3] = frame.picture
            for artist in self._moved(frame.seconds):
                artist.draw(self._canvas.get_renderer())
        return np.ascontiguousarray(pixels[..., :3])

    @property
    def _pages(self) -> int:
        return math.ceil(self._timeline.seconds[-1] / _PAGE_SECONDS)

    def _page_at(self, seconds: float) -> int:
        part = seconds / self._timeline.seconds[-1]
        return min(int(part * self._pages), self._pages - 1)

    def _moved(self, seconds: float) -> 'list[Artist]':
        """What is drawn of this moment, from the back to the front."""
        timeline, edges = self._timeline, self._timeline.seconds
        self._clock.set_text(f'{_tenths(seconds)} / {_tenths(edges[-1])}')
        self._cursor.set_xdata([seconds])
        artists: list[Artist] = [self._cursor, self._clock]
        if seconds >= edges[-1]:
            return artists  # the video goes on where the recording has ended
        now = int(np.searchsorted(self._between, seconds))  # the frame that is nearest
        self._percent.set_text(f'{100 * timeline.prob[now]:.0f} %')
        artists += [*self._body.at(now), self._percent]
        middle = (edges[now] + edges[now + 1]) / 2
        spans, shades = timeline.bars['found']
        for k in np.flatnonzero((spans[:, 0] < middle) & (middle < spans[:, 1]))[:1]:
            self._event.set_text(short(self._names[k]))
            self._event.set_backgroundcolor(shades[k])
            self._frame.set_edgecolor(shades[k])
            artists += [self._frame, self._event]
        return artists

    def _turn_page(self) -> None:
        """Draws what stays for as long as a page of the timeline is shown."""
        timeline, ax, points = self._timeline, self._axes, self._points
        start, end = timeline.seconds[-1] * (self._page + np.array([0, 1])) / self._pages
        ax.clear()
        middle = (timeline.seconds[:-1] + timeline.seconds[1:]) / 2
        first, last = np.searchsorted(middle, [start, end])
        shown = slice(max(first - 1, 0), last + 1)  # the neighbours outside of the page too
        ax.fill_between(middle[shown], timeline.prob[shown], color=_CURVE, alpha=0.35, lw=0)
        ax.plot(middle[shown], timeline.prob[shown], color=_CURVE, lw=0.16 * points)
        for limit in timeline.limits:
            ax.axhline(limit, color=_FAINT, lw=0.08 * points, ls=(0, (4, 3)), alpha=0.7)
        for shade, behind in inside(*timeline.bars['found'], start, end):
            draw_bars(ax, behind, (0, 1), color=shade, alpha=0.2, lw=0)
        step = 1.05 * _ROW / _HIGH
        places = [-(k + 0.75) * step for k in range(len(self._bars))]
        for place, (spans, shades) in zip(places, self._bars.values(), strict=True):
            height = (place - step / 3, place + step / 3)
            for shade, bars in inside(spans, shades, start, end):
                draw_bars(ax, bars, height, color=shade, lw=0.7)
        ax.set_yticks([0, 1, *places], ['0', '1', *self._bars])
        ax.set_ylim(-(len(self._bars) + 0.3) * step, 1.05)
        ax.set_xlim(start, end)
        ax.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
        ax.locator_params(axis='x', integer=True, nbins=10)
        ax.tick_params(
            colors=_FAINT, labelsize=0.8 * points, length=0.25 * points, pad=0.3 * points,
            color=_LINE,
        )  # fmt: skip
        for name, spine in ax.spines.items():
            spine.set_visible(name in ('left', 'bottom'))
            spine.set_color(_LINE)
        self._cursor = ax.axvline(start, color=_INK, lw=0.16 * points, animated=True)
        self._canvas.draw()


def _rows(timeline: Timeline) -> list[str]:
    return [row for row in ('found', 'labelled') if row in timeline.bars]


def _tenths(seconds: float) -> str:
    """Minutes, seconds and tenths, `7:30.5`."""
    minutes, tenths = divmod(int(10 * seconds + 1e-6), 600)
    return f'{minutes}:{tenths / 10:04.1f}'
