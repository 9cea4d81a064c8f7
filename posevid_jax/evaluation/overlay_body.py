"""The body of a recording as artists of Matplotlib that move from frame to frame."""

import re
from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation import drawn_body
from posevid_jax.evaluation.drawing import COLORS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_SIDES = {'left': COLORS[6], 'right': COLORS[5]}
_MIDDLE = '#ffffff'
_FAINTEST = 0.25  # of a joint that is hardly visible


class Body:
    """Bones in the colour of their side, on a dark border that a picture does not swallow."""

    def __init__(self, recording: Recording, axes: 'Axes', thick: float):
        """Adds what is to be drawn to axes in shares of the picture; `thick` is in points."""
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgba

        kept = drawn_body.drawn(recording.joint_names)
        names = [recording.joint_names[j] for j in kept]
        self._joints = recording.joints[:, kept]  # [T, J, 4]
        self._bones = np.array(drawn_body.bones(names), int).reshape(-1, 2)
        sides = [[_side(names[j]) for j in bone] for bone in self._bones]
        shades = [_SIDES.get(a, _MIDDLE) if a == b else _MIDDLE for a, b in sides]
        self._shades = np.array([to_rgba(shade) for shade in shades]).reshape(-1, 4)
        drawn = {'capstyle': 'round', 'animated': True}
        self._border = LineCollection([], linewidths=1.9 * thick, **drawn)
        self._lines = LineCollection([], linewidths=thick, **drawn)
        self._dots = axes.scatter([], [], s=(1.5 * thick) ** 2, linewidths=0, animated=True)
        axes.add_collection(self._border, autolim=False)
        axes.add_collection(self._lines, autolim=False)

    def at(self, frame: int) -> 'list[Artist]':
        """What to draw of a frame, from the back to the front."""
        joints = self._joints[frame]
        there = np.isfinite(joints).all(-1)
        clear = _FAINTEST + (1 - _FAINTEST) * np.clip(joints[:, 3], 0, 1)
        whole = there[self._bones].all(-1)
        bones = self._bones[whole]
        shades = self._shades[whole].copy()
        shades[:, 3] = clear[bones].min(-1)
        border = np.zeros_like(shades)
        border[:, 3] = 0.55 * shades[:, 3]
        for lines, colors in ((self._border, border), (self._lines, shades)):
            lines.set_segments(joints[bones][..., :2])
            lines.set_color(colors.tolist())
        self._dots.set_offsets(joints[there, :2])
        self._dots.set_facecolor([(1, 1, 1, alpha) for alpha in clear[there]])
        return [self._border, self._lines, self._dots]


def _side(joint: str) -> str:
    found = re.search(r'(?:^|_)(left|right)(?:_|$)', joint)
    return found[1] if found else ''
