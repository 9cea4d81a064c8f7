"""Who is taken for whom, drawn: a row per true class, shaded by shares of the row."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.evaluation.drawing import LINE, Picture, color, drawing, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

CAPTION = 'Clips; the colour is as full as their share of those of the true class is large.'
_SIDE = 8.0  # inches; the largest that leaves a page room for names
_SMALLEST = 4.5  # points; smaller numbers are left out


def of_two_classes(parts: Mapping[str, Sequence[Sequence[int]]], names: Sequence[str]) -> Picture:
    """Counts [2, 2] by how it is decided, in words, side by side."""
    names = [short(name, 14) for name in names]
    with drawing(10, 3.0, png=True) as (figure, picture):
        for ax, (title, counts) in zip(figure.subplots(1, 2), parts.items(), strict=True):
            _two_classes(ax, title, np.array(counts), names)
    return picture


def of_several_classes(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Picture:
    """Counts [K, K]; in a square too small for its number stands none.

    Names and numbers shrink with the squares, and can be read up to a hundred classes.
    """
    clips, side = np.array(counts), min(_SIDE, 0.62 * len(names))
    cell = 72 * side / len(names)  # points
    shown = [short(name, 20) for name in names]
    size = min(8.0, 0.8 * cell)
    longest = 0.6 * size * max(map(len, shown))
    on_end = longest > cell
    room = longest / 72 if on_end else 0.2  # inches, for the names below
    with drawing(10, side + room + 0.5, png=True) as (figure, picture):
        ax = figure.subplots()
        _shade(ax, clips)
        _number(ax, clips, cell)
        ax.set_xticks(range(len(names)), shown, rotation=90 if on_end else 0, fontsize=size)
        ax.set_yticks(range(len(names)), shown, fontsize=size)
        _frame(ax, len(names))
    return picture


def _shade(ax: 'Axes', clips: np.ndarray) -> None:
    """A tile for each pair that occurs, between fine lines; a root lets small shares be seen."""
    from matplotlib.collections import PatchCollection

    share = _share(clips)
    tiles = [
        _tile(x, y, color(0) if x == y else color(1), 0.1 + 0.7 * math.sqrt(share[y, x]))
        for y, x in np.argwhere(clips)
    ]
    ax.add_collection(PatchCollection(tiles, match_original=True))
    edges = np.arange(len(clips) + 1) - 0.5
    for lines in (ax.hlines, ax.vlines):
        lines(edges, edges[0], edges[-1], color=LINE, lw=0.3, zorder=0)


def _number(ax: 'Axes', clips: np.ndarray, cell: float) -> None:
    """The counts, and shares below them, where squares of `cell` points have room for them."""
    size = min(10.0, 0.55 * cell, 1.4 * cell / len(str(clips.max())))
    if size < _SMALLEST:
        return
    share, both = _share(clips), cell > 36
    for y, x in np.argwhere(clips):
        ax.text(x, y - 0.1 * both, str(clips[y, x]), ha='center', va='center', fontsize=size)
        if both:
            ax.text(x, y + 0.24, f'{share[y, x]:.0%}', ha='center', va='center', fontsize=7)


def _two_classes(ax: 'Axes', title: str, counts: np.ndarray, names: list[str]) -> None:
    share = _share(counts)
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            ax.add_patch(_tile(x, y, color(0) if x == y else color(1), 0.08 + 0.62 * share[y, x]))
            ax.text(x, y - 0.08, str(count), ha='center', va='center', fontsize=11)
            ax.text(x, y + 0.22, f'{share[y, x]:.0%}', ha='center', va='center', fontsize=7.5)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    _frame(ax, len(names))
    ax.set_title(title)


def _frame(ax: 'Axes', count: int) -> None:
    """What axes of `count` classes have in common."""
    ax.set_xlim(-0.5, count - 0.5)
    ax.set_ylim(count - 0.5, -0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_aspect('equal')
    ax.set_xlabel('taken for')
    ax.set_ylabel('is')


def _share(counts: np.ndarray) -> np.ndarray:
    """Counts as shares of their row; 0 in a row without a clip."""
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def _tile(x: int, y: int, face: str, alpha: float) -> 'Rectangle':
    from matplotlib.patches import Rectangle

    return Rectangle(
        (x - 0.48, y - 0.48), 0.96, 0.96, facecolor=face, alpha=alpha, edgecolor='none'
    )
