"""Recording: the landmarks of one person in one video, the one contract of the readers."""

import dataclasses

import numpy as np

from posevid_jax.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the numbers of a recording come from, for reports.

    Attributes:
      fps: `file`, `times` or a key of the user's.
      size: `file`, a key or a file of the user's, `bodies` (estimated) or `none` (no picture).
      joint_names: `file`, a key or the name of a joint map.
      people: who was followed: (person, first frame, number of frames with a pose), in turn.
      notes: what was assumed or is odd, a sentence each.
    """

    fps: str
    size: str
    joint_names: str
    people: tuple[tuple[str, int, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """T frames of J joints, validated on construction.

    Attributes:
      name: of the video.
      joints: [T, J, 4] f32: x, y in shares of width and height, z in shares of the width,
        visibility 0..1; NaN = missing.
      joint_names: J unique names.
      fps: frames per second, nominal.
      width, height: of the picture, in pixels or any other common unit.
      time: [T] f64, seconds of each frame from the start of the video, increasing.
      origin: where all this comes from; None for one that was not read from a file.
    """

    name: str
    joints: np.ndarray
    joint_names: tuple[str, ...]
    fps: float
    width: float
    height: float
    time: np.ndarray
    origin: Origin | None = None

    def __post_init__(self):
        frames = len(self.time)
        if not frames or self.joints.shape != (frames, len(self.joint_names), 4):
            raise InputError(
                f'joints: found shape {self.joints.shape}, expected [T, J, 4] with {frames} '
                f'times and {len(self.joint_names)} joint names'
            )
        for name in ('fps', 'width', 'height'):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f'{name}: found {getattr(self, name)}, expected a number above 0')
        if not np.isfinite(self.time).all() or self.time[0] < 0 or (np.diff(self.time) <= 0).any():
            raise InputError('time: expected seconds from 0 that increase from frame to frame')
        if len(set(self.joint_names)) < len(self.joint_names):
            raise InputError('joint_names: found a name twice, expected unique names')

    @property
    def aspect(self) -> float:
        return self.width / self.height


def single(values: np.ndarray) -> np.ndarray:
    """The values in single precision, NaN where that is not finite."""
    with np.errstate(over='ignore'):
        values = values.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values
