"""OpenPose: a folder with a JSON file a frame, of all people in it.

NAME_000000000012_keypoints.json, or any other name that ends in the number of the frame.
https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md
"""

import pathlib
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import BODY_25
from posevid_jax.data.landmarks import frame_files, keypoints, naming
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'OpenPose JSON'
_BODY = 'pose_keypoints_2d'
# In the order of the joint map body_25_hands_face.
_PARTS = {
    _BODY: 25,
    'hand_left_keypoints_2d': 21,
    'hand_right_keypoints_2d': 21,
    'face_keypoints_2d': 70,
}
_PEEK = 200  # bytes, in which every such file has named its people


def is_folder(path: pathlib.Path) -> bool:
    """Whether a folder holds the frames of one video."""
    first = frame_files.first_of(path, 'json') if path.is_dir() else None
    if first is None or first.name.endswith('_keypoints.json'):
        return first is not None
    with first.open('rb') as file:
        return b'"people"' in file.read(_PEEK)


def read(path: pathlib.Path, config: ConfigDict) -> Detections:
    """The people in a folder; frames without a file, or without people, have no pose.

    Args:
      path: the folder.
      config: `config.prepare`.

    Raises:
      InputError: the folder holds no such files or those of several videos, or one is damaged.
    """
    where = f'{path}: {FORMAT}'
    files = frame_files.by_frame(path, 'json', where, config)
    frame: list[int] = []
    people: list[dict[str, Any]] = []
    for number, file in files.items():
        found = _people(file, config)
        frame += [number] * len(found)
        people += found
    joints, default = _joints(where, people)
    names, names_from = naming.names_of(where, config, joints.shape[1], default=default)
    ids = [_id(person) for person in people]
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=np.array(frame, np.int64),
        has_visibility=True,
        person=np.array(ids) if ids and all(ids) else None,
        num_frames=max(files) + 1,
        first_frame=0,
    )


def _joints(where: str, people: list[dict[str, Any]]) -> tuple[np.ndarray, str]:
    """[D, J, 4] of the body, with hands and face where anybody has them, and the joint map."""
    parts = [part for part in _PARTS if any(person.get(part) for person in people)]
    if parts in ([], [_BODY]):
        lists = [person.get(_BODY) for person in people]
        count = keypoints.joint_count(lists, len(BODY_25))
        return keypoints.detections(f'{where}: {_BODY}', lists, count), 'body_25'
    joints = [
        keypoints.detections(
            f'{where}: {part}', [person.get(part) or [0] * 3 * count for person in people], count
        )
        for part, count in _PARTS.items()
    ]
    return np.concatenate(joints, axis=1), 'body_25_hands_face'


def _id(person: dict[str, Any]) -> str:
    """The track id of a person, which OpenPose writes as [-1] where it does not track."""
    found = person.get('person_id')
    found = found[0] if isinstance(found, list) and found else found
    return str(found) if isinstance(found, int) and found >= 0 else ''


def _people(file: pathlib.Path, config: ConfigDict) -> list[dict[str, Any]]:
    """The people of a frame."""
    frame = keypoints.parse(file, read_bytes(file, config.max_file_mb))
    people = frame.get('people') if isinstance(frame, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise InputError(f'{file}: {FORMAT}: people: not found, expected a list of persons')
    return people
