"""Clips as rows of drawn bodies."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.joints import BONES
from posevid_jax.data.summary import lengths
from posevid_jax.evaluation.drawing import INK, Picture, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAMES = 8  # bodies in a row
_ROW = 1.12  # from one row to the next, where a body is 1 wide


@dataclasses.dataclass(frozen=True)
class Strip:
    """A row of pictures: clip and frame of each, and what stands beside and above."""

    title: str
    clips: Clips
    rows: np.ndarray
    frames: np.ndarray
    captions: list[str]
    color: str


def strip_of(title: str, clips: Clips, row: int, color: str) -> Strip:
    """A clip from its first frame to its last, with their seconds."""
    frames = np.linspace(0, lengths(clips.select([row]))[0] - 1, FRAMES).astype(int)
    seconds = [f'{t:.1f} s' for t in frames / clips.fps[row]]
    return Strip(title, clips, np.full(FRAMES, row), frames, seconds, color)


def one_a_video(clips: Clips, rows: np.ndarray) -> np.ndarray:
    """Of clips `rows`, the first of each video, in their order."""
    _, first = np.unique(clips.video[rows], return_index=True)
    return rows[np.sort(first)]


def draw_strips(strips: list[Strip], *, png: bool = False) -> Picture | None:
    """Rows of bodies, one above the other; None without a row."""
    if not strips:
        return None
    with drawing(10, max(1.2 * len(strips), 1.6), png=png) as (figure, picture):
        ax = figure.subplots()  # one for all: axes of their own would take seconds
        for number, strip in enumerate(strips):
            top = -_ROW * number
            _draw_row(ax, strip, top)
            ax.text(-0.55, top, strip.title, ha='right', va='center')
            for place, caption in enumerate(strip.captions):
                ax.text(place, top + 0.53, caption, ha='center', va='center', fontsize=6.5)
        ax.set_xlim(-0.5, FRAMES - 0.5)
        ax.set_ylim(-_ROW * (len(strips) - 1) - 0.5, 0.62)
        ax.set_aspect('equal')
        ax.set_axis_off()
    return picture


def _draw_row(ax: 'Axes', strip: Strip, top: float) -> None:
    """Bodies in squares of side 1, the middle of the first one at (0, top)."""
    from matplotlib.collections import LineCollection

    clips = strip.clips
    assert clips.skeleton is not None and clips.skeleton_mask is not None  # it is drawn
    skeleton, mask = np.asarray(clips.skeleton[:]), np.asarray(clips.skeleton_mask[:])
    seen = mask[strip.rows, strip.frames]  # [FRAMES, J]
    places = skeleton[strip.rows, strip.frames, :, :2] * [1, -1]  # y points up
    places[..., 0] *= clips.aspect[strip.rows, None]
    center, reach = _frame_of(places[seen])
    places = (places - center) / (2 * reach)
    seen = seen & (np.abs(places) < 0.55).all(-1)  # the rest would lie in another square
    places[..., 0] += np.arange(FRAMES)[:, None]
    places[..., 1] += top
    number = {name: j for j, name in enumerate(clips.joint_names)}
    bones = [(number[a], number[b]) for a, b in BONES if a in number and b in number]
    lines = [
        body[[a, b]]
        for body, there in zip(places, seen, strict=True)
        for a, b in bones
        if there[a] and there[b]
    ]
    ax.add_collection(LineCollection(lines, colors=strip.color, linewidths=1.1, capstyle='round'))
    ax.plot(*places[seen].T, 'o', ms=1.4, color=INK)


def _frame_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and half width of a square that nearly all points [P, 2] lie in."""
    if not len(points):
        return np.zeros(2), 1.0
    low, high = np.quantile(points, [0.01, 0.99], axis=0)
    return (low + high) / 2, float(max((high - low).max() * 0.56, 1e-3))
