"""Recording: the landmarks of one person in one video, the one contract of the readers."""

import dataclasses
import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError

# Shares of the picture lie around 0..1, also for joints that are guessed outside of it; pixels of
# the smallest picture lie far above.
_LARGEST_SHARE = 2.0


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
    """

    name: str
    joints: np.ndarray
    joint_names: tuple[str, ...]
    fps: float
    width: float
    height: float
    time: np.ndarray

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


def blank(path: pathlib.Path, num_frames: int, num_joints: int, config: ConfigDict) -> np.ndarray:
    """[T, J, 4] f32 of missing joints, for a reader to fill.

    Raises:
      InputError: a frame number so large that the array would pass `prepare.max_file_mb`.
    """
    most = config.max_file_mb * 2**20 // (num_joints * 16)
    if num_frames > most:
        raise InputError(
            f'{path}: frame: found number {num_frames - 1}, expected numbers below {most} '
            '(prepare.max_file_mb)'
        )
    return np.full((num_frames, num_joints, 4), np.nan, np.float32)


def rate(path: pathlib.Path, found: float | None, config: ConfigDict) -> float:
    """Frames per second: what the file says, else what the configuration says."""
    if found is None and not config.fps:
        raise InputError(f'{path}: fps: not in the file, expected it in prepare.fps')
    return float(config.fps if found is None else found)


def picture(
    path: pathlib.Path, found: tuple[float, float] | None, config: ConfigDict
) -> tuple[float, float]:
    """Width and height: what the file says, else what the configuration says."""
    if found is None and not all(config.video_size):
        raise InputError(
            f'{path}: video_size: not in the file, expected it in prepare.video_size '
            '(width, height)'
        )
    width, height = config.video_size if found is None else found
    return float(width), float(height)


def to_shares(joints: np.ndarray, width: float, height: float) -> np.ndarray:
    """Joints [..., 4] with x, y (and z) in shares of the picture, from shares or pixels.

    Pixels are recognised by their size: half of the coordinates, not counting zeros, are above 2.
    What is not finite is missing, and so is a joint at exactly (0, 0): this is how estimators that
    count in pixels write that they found none.
    """
    joints = single(joints)
    place = joints[..., :2]
    joints[(place == 0).all(-1)] = np.nan
    known = np.abs(place[np.isfinite(place) & (place != 0)])
    if known.size and np.median(known) > _LARGEST_SHARE:
        joints[..., :3] /= np.array([width, height, width], np.float32)
    return joints


def single(values: np.ndarray) -> np.ndarray:
    """The values in single precision, NaN where that is not finite."""
    with np.errstate(over='ignore'):
        values = values.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values
