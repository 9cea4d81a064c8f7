"""Ultralytics YOLO pose: `result.to_json()` of every frame in one file, or a folder of label files.

JSON: a list with a list a frame, of objects with `keypoints` {"x": [...], "y": [...], "visible":
[...]} in pixels (shares with normalize=True) and perhaps `track_id`. Text (`save_txt`): NAME_12.txt
for frame 12, a line a person: class, box (4), x y [visibility] of each joint in shares, and perhaps
the confidence and the track id. https://docs.ultralytics.com/tasks/pose
"""

import pathlib
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import frame_files, naming
from posevid_jax.data.landmarks.content import read_text
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'Ultralytics JSON'
TEXT_FORMAT = 'Ultralytics text'
_JOINTS = 17
_BOX = 5  # class, x, y, width, height


def recognises(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(frame, list) for frame in value):
        return False
    first = next((frame[0] for frame in value if frame), None)
    return isinstance(first, dict) and isinstance(first.get('keypoints'), dict)


def read(path: pathlib.Path, value: Any, config: ConfigDict) -> Detections:
    """The people of a JSON file.

    Args:
      path: for messages.
      value: of the JSON file.
      config: `config.prepare`.

    Raises:
      InputError: a person is not of the form above.
    """
    where = f'{path}: {FORMAT}'
    frame, rows, ids, visible = [], [], [], True
    try:
        for number, people in enumerate(value):
            for person in people:
                points = person['keypoints']
                seen = points.get('visible')
                visible &= seen is not None
                columns = [points['x'], points['y'], seen or [1] * len(points['x'])]
                rows.append(np.array(columns, np.float64).T)
                frame.append(number)
                ids.append(str(person['track_id']) if 'track_id' in person else '')
        joints = np.insert(np.stack(rows), 2, 0, axis=2)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise InputError(
            f'{where}: expected keypoints with x, y and visible, as many in each person'
        ) from None
    return _detections(where, frame, joints, ids, visible, len(value), config)


def is_folder(path: pathlib.Path) -> bool:
    """Whether a folder holds label files of the frames of one video."""
    first = frame_files.first_of(path, 'txt') if path.is_dir() else None
    if first is None:
        return False
    with first.open('rb') as file:
        words = file.readline(10_000).split()
    return _channels(len(words)) is not None


def read_folder(path: pathlib.Path, config: ConfigDict) -> Detections:
    """The people of a folder of label files, whose frames are numbered from 1.

    Args:
      path: the folder.
      config: `config.prepare`.

    Raises:
      InputError: the folder holds files of several videos, or a line is not of the form above.
    """
    where = f'{path}: {TEXT_FORMAT}'
    files = frame_files.by_frame(path, 'txt', where, config)
    frame, rows, ids, channels = [], [], [], 3
    for number, file in files.items():
        lines = read_text(file, config.max_file_mb).splitlines()
        for at, line in enumerate(lines, start=1):
            words = line.split()
            found = _channels(len(words))
            if found is None:
                raise InputError(
                    f'{file}: {TEXT_FORMAT}: line {at}: found {len(words)} numbers, expected '
                    f'a class, a box, and 2 or 3 of each of {_JOINTS} joints'
                )
            channels = found
            try:
                numbers = np.array(words, np.float64)
            except ValueError:
                raise InputError(f'{file}: {TEXT_FORMAT}: line {at}: expected numbers') from None
            joints = numbers[_BOX : _BOX + _JOINTS * channels].reshape(_JOINTS, channels)
            if channels == 2:
                joints = np.column_stack([joints, np.ones(_JOINTS)])
            rows.append(joints)
            frame.append(number)
            ids.append(words[-1] if len(words) == _BOX + _JOINTS * channels + 2 else '')
    if not rows:
        raise InputError(f'{where}: found no people in any frame')
    joints = np.insert(np.stack(rows), 2, 0, axis=2)
    return _detections(
        where, frame, joints, ids, channels == 3, max(files) + 1, config, min(1, min(files))
    )


def _channels(words: int) -> int | None:
    """Numbers of a joint in a line of so many words; confidence and track id may follow."""
    for channels in (3, 2):
        if words - _BOX - _JOINTS * channels in (0, 1, 2):
            return channels
    return None


def _detections(
    where: str,
    frame: list[int],
    joints: np.ndarray,
    ids: list[str],
    visible: bool,
    num_frames: int,
    config: ConfigDict,
    first_frame: int = 0,
) -> Detections:
    names, names_from = naming.names_of(where, config, joints.shape[1], default='coco_17')
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=np.array(frame, np.int64),
        has_visibility=visible,
        person=np.array(ids) if all(ids) else None,
        num_frames=num_frames,
        first_frame=first_frame,
    )
