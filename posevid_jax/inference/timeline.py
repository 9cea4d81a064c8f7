"""The timeline of a video: probability, events and labels over time, as a picture of its own."""

import html
from collections.abc import Sequence

import numpy as np

_WIDTH, _LEFT, _RIGHT = 960, 92, 16
_TOP, _HEIGHT, _ROW = 34, 150, 16  # of the curve, and of a row of stretches below it
_STYLE = """
svg { --paper: #fdfdfc; --ink: #1d2330; --quiet: #667085; --line: #e3e6eb; --curve: #3d8bd4;
  --event: #e07b39; --label: #4aa564; --unsure: #b9bfca; }
@media (prefers-color-scheme: dark) { svg { --paper: #14171c; --ink: #e4e7ec; --quiet: #98a2b3;
  --line: #2b313b; --unsure: #4a5261; } }
text { font: 12px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; fill: var(--quiet); }
.title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); } .limit { stroke: var(--quiet); stroke-dasharray: 4 3; }
.curve { stroke: var(--curve); fill: none; stroke-width: 1.6; }
.events { fill: var(--event); } .labels { fill: var(--label); } .unsure { fill: var(--unsure); }
.shade { fill: var(--event); opacity: 0.14; }
"""


def draw(
    title: str,
    seconds: np.ndarray,
    prob: np.ndarray,
    limits: Sequence[float],
    rows: Sequence[tuple[str, str, np.ndarray]],
) -> str:
    """An SVG file in light and dark, which needs no other file.

    Args:
      title: above the picture.
      seconds: [T + 1] where each frame begins, and the end of the last one.
      prob: [T] probability of each frame.
      limits: probabilities to draw a dashed line at.
      rows: (name, class of the style, [E, 2] stretches in seconds), a row each below the curve; the
        stretches of class `events` are shaded behind it too.
    """
    last = seconds[-1]

    def x(t: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * float(t / last), 2)

    def y(p: float) -> float:
        return round(_TOP + _HEIGHT * (1 - float(p)), 2)

    parts = [f'<text class="title" x="{_LEFT}" y="20">{html.escape(title)}</text>\n']
    for _, kind, stretches in rows:
        if kind == 'events':
            parts += [_box('shade', x(a), x(b), _TOP, _HEIGHT) for a, b in stretches]
    for p in (0, 0.5, 1):
        parts.append(_line('grid', _LEFT, x(last), y(p), y(p)))
        parts.append(f'<text class="end" x="{_LEFT - 8}" y="{y(p) + 4}">{p:g}</text>\n')
    parts += [_line('limit', _LEFT, x(last), y(p), y(p)) for p in limits]
    middle = (seconds[:-1] + seconds[1:]) / 2
    points = ' '.join(f'{x(t)},{y(p)}' for t, p in zip(middle, prob, strict=True))
    parts.append(f'<polyline class="curve" points="{points}"/>\n')
    bottom = _TOP + _HEIGHT + 10
    for name, kind, stretches in rows:
        parts.append(f'<text class="end" x="{_LEFT - 8}" y="{bottom + 11}">{name}</text>\n')
        parts.append(_line('grid', _LEFT, x(last), bottom + _ROW - 1, bottom + _ROW - 1))
        parts += [_box(kind, x(a), x(b), bottom + 2, _ROW - 5) for a, b in stretches]
        bottom += _ROW + 2
    for t in _ticks(last):
        parts.append(f'<text class="middle" x="{x(t)}" y="{bottom + 14}">{t:g} s</text>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 24}">\n'
        f'<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>\n'
        f'{"".join(parts)}</svg>\n'
    )


def _ticks(last: float) -> np.ndarray:
    """Round times, ten at most."""
    step = next(
        step
        for power in range(-3, 9)
        for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if last / step <= 10 or power == 8
    )
    return np.arange(0, last + step * 1e-6, step)


def _box(kind: str, left: float, right: float, top: float, height: float) -> str:
    width = max(round(right - left, 2), 1)
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}"/>\n'


def _line(kind: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>\n'
