"""The timeline of a recording: probability, events and labels over time, five minutes per row."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from posevid_jax.evaluation.drawing import COLORS, FINE, INK, Picture, color, drawing, grid, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_SECONDS = 300  # a second is then more than two pixels wide
_MOST_PANELS = 12  # an hour of five minutes each; what is longer gets more minutes per panel
_MINUTES_FROM = 120  # seconds of a recording whose times are written as 7:30
_PROBABILITY, _FOUND, _LABELLED, _ASKED, _UNSEEN = *COLORS[:4], INK
_NAMES_PER_LINE = 6
_LINE_INCHES = 0.2


@dataclasses.dataclass(frozen=True, eq=False)
class Gestures:
    """Which gestures the events are, where there are several.

    Attributes:
      names: of the K classes, the one without an event first.
      found, labelled: [E] class numbers of the stretches of a `Timeline`.
    """

    names: Sequence[str]
    found: np.ndarray
    labelled: np.ndarray

    @property
    def there(self) -> list[int]:
        """The classes of all events."""
        return np.union1d(self.found, self.labelled).astype(int).tolist()


@dataclasses.dataclass(frozen=True, eq=False)
class Timeline:
    """What is known of T frames; stretches are `[E, 2]`, start and end in seconds.

    Attributes:
      title: above the picture.
      seconds: [T + 1] when each frame begins, and the end of the last one.
      prob: [T] probability of the gesture.
      limits: probabilities that events depend on.
      found: events.
      labelled: stretches with a label of the gesture; None without labels.
      unseen: stretches in which the person is not seen well enough.
      gestures: of `found` and `labelled`, which are then coloured by them.
      asked: stretches to label; None where nothing is asked.
    """

    title: str
    seconds: np.ndarray
    prob: np.ndarray
    limits: tuple[float, ...]
    found: np.ndarray
    labelled: np.ndarray | None
    unseen: np.ndarray
    gestures: Gestures | None = None
    asked: np.ndarray | None = None

    @property
    def bars(self) -> dict[str, tuple[np.ndarray, list[str]]]:
        """Stretches of each row of bars below the curve, and the colour of each, by its name."""
        labelled = [] if self.labelled is None else self.labelled
        found_shades, labelled_shades = [_FOUND] * len(self.found), [_LABELLED] * len(labelled)
        if self.gestures:
            found_shades = [color(of - 1) for of in self.gestures.found]
            labelled_shades = [color(of - 1) for of in self.gestures.labelled]
        rows = {
            'found': (self.found, found_shades),
            'labelled': (self.labelled, labelled_shades),
            'not seen': (self.unseen, [_UNSEEN] * len(self.unseen)),
            'to label': (self.asked, [_ASKED] * (0 if self.asked is None else len(self.asked))),
        }
        return {name: (row, shades) for name, (row, shades) in rows.items() if row is not None}


def draw(timeline: Timeline) -> Picture:
    """The picture of a recording, however long."""
    names = len(timeline.gestures.there) if timeline.gestures else 0
    lines = math.ceil(names / _NAMES_PER_LINE) * _LINE_INCHES
    with drawing(10, 0.5 + 1.5 * len(_panels(timeline)) + lines) as (figure, picture):
        plot(figure, timeline)
    return picture


def plot(figure: 'Figure', timeline: Timeline) -> None:
    """Draws a panel for every few minutes, one below the other, on an empty figure."""
    panels = _panels(timeline)
    figure.suptitle(timeline.title, x=0.01, ha='left', fontsize=10)
    middles = [-0.24 - 0.22 * place for place in range(len(timeline.bars))]
    axes = figure.subplots(len(panels), squeeze=False)[:, 0]
    for ax, (start, end) in zip(axes, panels, strict=True):
        _curve(ax, timeline, start, end)
        for middle, (name, (stretches, shades)) in zip(middles, timeline.bars.items(), strict=True):
            for shade, shown in inside(stretches, shades, start, end):
                # The line around a bar keeps the shortest one visible.
                draw_bars(
                    ax, shown, (middle - 0.07, middle + 0.07), color=shade, lw=0.7, label=name
                )
        ax.set_yticks([0, 0.5, 1, *middles], ['0', '0.5', '1', *timeline.bars])
        ax.set_ylim(middles[-1] - 0.12, 1.05)
        ax.set_xlim(start, end)
        if timeline.seconds[-1] >= _MINUTES_FROM:
            ax.locator_params(axis='x', steps=[1, 3, 6, 10])
            ax.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
        else:
            ax.xaxis.set_major_formatter('{x:g} s')
    if timeline.gestures:
        _name_colors(figure, timeline.gestures)


def _name_colors(figure: 'Figure', gestures: Gestures) -> None:
    """Says above the picture which colour is which gesture, of those that are there."""
    from matplotlib.patches import Patch

    patches = [Patch(color=color(k - 1), label=short(gestures.names[k])) for k in gestures.there]
    figure.legend(handles=patches, loc='outside upper right', ncols=_NAMES_PER_LINE)


def _panels(timeline: Timeline) -> list[tuple[float, float]]:
    """Equal parts of the whole time, in seconds."""
    last = float(timeline.seconds[-1])
    count = min(math.ceil(last / _PANEL_SECONDS), _MOST_PANELS)
    return [(last * k / count, last * (k + 1) / count) for k in range(count)]


def _curve(ax: 'Axes', timeline: Timeline, start: float, end: float) -> None:
    middle = (timeline.seconds[:-1] + timeline.seconds[1:]) / 2
    # The neighbours outside of the panel too, so that the line reaches its edges.
    first, last = np.searchsorted(middle, [start, end])
    shown = slice(max(first - 1, 0), last + 1)
    ax.plot(middle[shown], timeline.prob[shown], color=_PROBABILITY, lw=1.2, label='probability')
    for limit in timeline.limits:
        ax.axhline(limit, **FINE)
    for shade, behind in inside(*timeline.bars['found'], start, end):
        draw_bars(ax, behind, (0, 1), color=shade, alpha=0.14, lw=0)
    grid(ax, 'x')


def inside(
    stretches: np.ndarray, shades: Sequence[str], start: float, end: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Start and end [E, 2] of what a panel shows of the stretches, by colour."""
    shown = np.clip(np.reshape(stretches, (-1, 2)), start, end)
    kept, of = shown[:, 1] > shown[:, 0], np.array(shades, str)
    for shade in dict.fromkeys(of[kept].tolist()):
        yield shade, shown[kept & (of == shade)]


def draw_bars(ax: 'Axes', spans: np.ndarray, height: tuple[float, float], **style: Any) -> None:
    """Bars [E, 2] between two heights, as one path: one for each takes long to draw."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    corners = np.stack(
        [spans[:, (0, 1, 1, 0, 0)], np.repeat([height], len(spans), 0)[:, (0, 0, 1, 1, 0)]], 2
    )
    codes = np.tile([Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY], len(spans))
    ax.add_artist(PathPatch(Path(corners.reshape(-1, 2), codes), **style))


def clock(seconds: float) -> str:
    """Minutes and seconds, `7:30`."""
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes}:{rest:02d}'
