"""The shape of a picture, width over height, from the bodies in it.

Shares of a picture are stretched by its shape, and faces are not: between two distances of a face
seen from the front lies a ratio that is much the same for everybody, and what a file shows of it in
shares gives the shape away. Shoulders do so less exactly. The constants are medians over 209
recordings of known size, and the spreads say how far single ones were off.
"""

from typing import NamedTuple

import numpy as np

USUAL = {'9:16': 9 / 16, '3:4': 3 / 4, '1:1': 1.0, '4:3': 4 / 3, '16:9': 16 / 9}
"""Shapes that cameras and programs make, width over height."""

_LEAST_FRAMES = 6
_TURNED = 0.15  # of the eyes' distance: how far the nose of a face from the front is off the middle
_TILTED = 0.15  # of a height: how far two joints of a level pair are apart in it
_VISIBLE = 0.5
# Times that a stated shape is off where it can hardly be true. A square is 1.78 times off 16:9, and
# single recordings are measured up to 1.5 times off (docs/data.md).
_CONTRADICTED = 1.55


class Ratio(NamedTuple):
    """A width and a height of the body, whose ratio is much the same for everybody.

    Attributes:
      name: what is measured.
      wide: left and right joint, the width between them.
      eyes: the height begins in the middle of these;
      low: and ends in the middle of these.
      ratio: width over height in a picture whose pixels are square, median.
      spread: standard deviation of its logarithm from recording to recording.
    """

    name: str
    wide: tuple[str, str]
    eyes: tuple[str, str]
    low: tuple[str, str]
    ratio: float
    spread: float


_OUTER_EYES = ('left_eye_outer', 'right_eye_outer')
_SHOULDERS = ('left_shoulder', 'right_shoulder')
RATIOS = (
    Ratio('faces', _OUTER_EYES, _OUTER_EYES, ('mouth_left', 'mouth_right'), 1.31, 0.1),
    Ratio('shoulders', _SHOULDERS, ('left_eye', 'right_eye'), _SHOULDERS, 1.56, 0.16),
)
"""The more exact one first."""


class Estimate(NamedTuple):
    """A shape that bodies tell.

    Attributes:
      aspect: width over height, one of `USUAL` where that is as likely as what was measured.
      measured: as measured.
      by: the name of the ratio.
      frames: that were measured.
    """

    aspect: float
    measured: float
    by: str
    frames: int

    def __str__(self) -> str:
        shape = next((name for name, a in USUAL.items() if a == self.aspect), f'{self.aspect:.2f}')
        return f'{shape} by the {self.by} in {self.frames} frames'

    def contradicts(self, aspect: float) -> bool:
        """Whether a stated shape can hardly be true."""
        return abs(np.log(self.measured / aspect)) > np.log(_CONTRADICTED)


def estimate(
    joints: np.ndarray, names: tuple[str, ...], ratios: tuple[Ratio, ...] = RATIOS
) -> Estimate | None:
    """The shape of the picture, or None where too few bodies face the camera.

    Args:
      joints: [T, J, 4] in shares of the picture, NaN where missing.
      names: J names.
      ratios: to measure; the first one that can be measured tells the shape.
    """
    for ratio in ratios:
        found = _ratios(joints, names, ratio)
        if len(found) >= _LEAST_FRAMES:
            measured = ratio.ratio / float(np.median(found))
            nearest = min(USUAL.values(), key=lambda usual: abs(np.log(usual / measured)))
            as_likely = abs(np.log(nearest / measured)) <= 1.5 * ratio.spread
            return Estimate(nearest if as_likely else measured, measured, ratio.name, len(found))
    return None


def _ratios(joints: np.ndarray, names: tuple[str, ...], ratio: Ratio) -> np.ndarray:
    """Width over height, in shares, in the frames that show a body from the front."""
    eyes = ratio.eyes
    needed = (*eyes, *ratio.wide, *ratio.low, 'nose')
    if not set(needed) <= set(names):
        return np.zeros(0)
    at = {name: joints[:, names.index(name)] for name in needed}
    (left, right), low = (at[name] for name in ratio.wide), [at[name] for name in ratio.low]
    top = (at[eyes[0]] + at[eyes[1]]) / 2
    width = np.abs(left[:, 0] - right[:, 0])
    height = (low[0] + low[1])[:, 1] / 2 - top[:, 1]
    between_eyes = np.abs(at[eyes[0]][:, 0] - at[eyes[1]][:, 0])
    nose = at['nose'][:, 0]
    front = np.abs(nose - top[:, 0]) < _TURNED * between_eyes
    front &= np.abs(nose - (left + right)[:, 0] / 2) < _TURNED * width
    level = np.abs(left[:, 1] - right[:, 1]) < _TILTED * height
    seen = np.min([at[name][:, 3] for name in needed if name != 'nose'], axis=0) > _VISIBLE
    good = front & level & seen & (width > 0) & (height > 0)
    return width[good] / height[good]
