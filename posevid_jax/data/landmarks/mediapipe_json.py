"""MediaPipe's landmarks as people save them in JSON.

A list of frames, or {"frames": [...], "fps": 30, "width": ..., "height": ...}. A frame is a list of
landmarks, null, or an object with `landmarks` (`pose_landmarks`, `keypoints`, `pose`), and perhaps
`frame` and `time` (`timestamp_ms`, ...); a landmark is {"x", "y", "z", "visibility"}, perhaps with
a `name`, or a list of numbers.
"""

import pathlib
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import csv_columns, naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'MediaPipe JSON'
_LANDMARKS = ('landmarks', 'pose_landmarks', 'poseLandmarks', 'keypoints', 'pose')
_AXES = (('x',), ('y',), ('z',), ('visibility', 'v', 'score', 'confidence'))


def recognises(value: Any) -> bool:
    frames = value.get('frames') if isinstance(value, dict) else value
    if not isinstance(frames, list):
        return False
    first = next((found for frame in frames if (found := _landmarks(frame))), None)
    return isinstance(first, list) and all(
        isinstance(point, dict) and {'x', 'y'} <= point.keys() for point in first
    )


def read(path: pathlib.Path, value: Any, config: ConfigDict) -> Detections:
    """The one person of a file.

    Args:
      path: for messages.
      value: of the JSON file.
      config: `config.prepare`.

    Raises:
      InputError: a frame or a landmark is not of a form above.
    """
    where = f'{path}: {FORMAT}'
    about: dict[str, Any] = value if isinstance(value, dict) else {}
    frames: list[Any] = value['frames'] if isinstance(value, dict) else value
    first = next(found for frame in frames if (found := _landmarks(frame)))
    axes = [next((key for key in keys if key in first[0]), None) for keys in _AXES]
    joints = np.full((len(frames), len(first), 4), np.nan)
    for row, frame in enumerate(frames):
        points = _landmarks(frame)
        if not points:
            continue
        if len(points) != len(first):
            raise InputError(
                f'{where}: frame {row}: found {len(points)} landmarks, expected {len(first)}'
            )
        try:
            joints[row] = [
                [np.nan if key is None or p[key] is None else float(p[key]) for key in axes]
                for p in points
            ]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise InputError(
                f'{where}: frame {row}: expected landmarks with {", ".join(filter(None, axes))}'
            ) from None
    own = [point.get('name') for point in first]
    own = own if all(isinstance(name, str) for name in own) else None
    names, names_from = naming.names_of(where, config, len(first), own, default='mediapipe_33')
    time, unit = _times(where, frames)
    width, height = (
        _number(where, about, csv_columns.WIDTH),
        _number(where, about, csv_columns.HEIGHT),
    )
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=_of_frames(where, frames, csv_columns.FRAME),
        ordered=True,
        has_depth=axes[2] is not None,
        has_visibility=axes[3] is not None,
        time=time,
        time_unit=unit,
        fps=_number(where, about, csv_columns.FPS),
        size=None if width is None or height is None else (width, height),
    )


def _landmarks(frame: Any) -> Any:
    if isinstance(frame, dict):
        frame = next((frame[key] for key in _LANDMARKS if key in frame), None)
    # Some save a list of people, of whom MediaPipe Pose has one.
    if isinstance(frame, list) and len(frame) == 1 and isinstance(frame[0], list):
        frame = frame[0]
    return frame if isinstance(frame, list) else None


def _times(where: str, frames: list[Any]) -> tuple[np.ndarray | None, str]:
    for unit, keys in csv_columns.TIME.items():
        found = _of_frames(where, frames, keys)
        if found is not None:
            return found, unit
    return None, ''


def _of_frames(where: str, frames: list[Any], keys: tuple[str, ...]) -> np.ndarray | None:
    """One number of each frame, [T] f64; None where the frames have none of the keys."""
    key = next((k for k in keys if isinstance(frames[0], dict) and k in frames[0]), None)
    if key is None:
        return None
    try:
        return np.array([float(frame[key]) for frame in frames])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(f'{where}: {key}: expected a number in every frame') from None


def _number(where: str, about: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    key = next((key for key in keys if about.get(key) is not None), None)
    if key is None:
        return None
    value = about[key]
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < np.inf:
        raise InputError(f'{where}: {key}: found {value!r}, expected a number above 0')
    return float(value)
