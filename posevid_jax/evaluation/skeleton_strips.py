"""Clips as rows of drawn bodies."""

import dataclasses

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.joints import BONES
from posevid_jax.evaluation.drawing import INK, Picture, drawing

FRAMES = 8  # bodies in a row


@dataclasses.dataclass(frozen=True)
class Strip:
    """A row of pictures: clip and frame of each, and what stands beside and above."""

    title: str
    clips: Clips
    rows: np.ndarray
    frames: np.ndarray
    captions: list[str]
    color: str


def draw_strips(strips: list[Strip], *, png: bool = False) -> Picture | None:
    """Rows of bodies, one above the other; None without a row."""
    if not strips:
        return None
    with drawing(10, max(1.2 * len(strips), 1.6), png=png) as (figure, picture):
        axes = figure.subplots(len(strips), FRAMES, squeeze=False)
        for line, strip in zip(axes, strips, strict=True):
            clips = strip.clips
            xy = clips.skeleton[strip.rows, strip.frames, :, :2] * [1, -1]  # y points up
            xy[..., 0] *= clips.aspect[strip.rows, None]
            mask = clips.skeleton_mask[strip.rows, strip.frames]
            center, reach = _frame_of(xy[mask])
            for ax, places, seen, caption in zip(line, xy, mask, strip.captions, strict=True):
                _draw_body(ax, places, seen, clips.joint_names, strip.color)
                ax.set_xlim(center[0] - reach, center[0] + reach)
                ax.set_ylim(center[1] - reach, center[1] + reach)
                ax.set_aspect('equal')
                ax.set_axis_off()
                ax.set_title(caption, fontsize=6.5, pad=1)
            line[0].text(
                -0.05, 0.5, strip.title, transform=line[0].transAxes, ha='right', va='center'
            )
    return picture


def _frame_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and half width of a square that nearly all points [P, 2] lie in."""
    if not len(points):
        return np.zeros(2), 1.0
    low, high = np.quantile(points, [0.01, 0.99], axis=0)
    return (low + high) / 2, float(max((high - low).max() * 0.56, 1e-3))


def _draw_body(ax, places: np.ndarray, seen: np.ndarray, joint_names, color: str) -> None:
    number = {name: j for j, name in enumerate(joint_names)}
    for a, b in BONES:
        if a in number and b in number and seen[number[a]] and seen[number[b]]:
            ax.plot(*places[[number[a], number[b]]].T, color=color, lw=1.1, solid_capstyle='round')
    ax.plot(*places[seen].T, 'o', ms=1.4, color=INK)
