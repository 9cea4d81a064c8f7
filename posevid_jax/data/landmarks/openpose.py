"""OpenPose: a folder with a file a frame, NAME_000000000012_keypoints.json, of everybody seen.

https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md
"""

import pathlib
import re

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import BODY_25
from posevid_jax.data.landmarks import keypoints, naming
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'OpenPose JSON'
_FRAME_FILE = re.compile(r'(.*?)_?(\d{1,15})_keypoints\.json')


def is_folder(path: pathlib.Path) -> bool:
    """Whether a folder holds the frames of one video."""
    return path.is_dir() and any(_FRAME_FILE.fullmatch(file.name) for file in path.iterdir())


def read(path: pathlib.Path, config: ConfigDict) -> Detections:
    """The people in a folder; frames without a file, or without people, have no pose.

    Args:
      config: `config.prepare`.

    Raises:
      InputError: the folder holds no such files or those of several videos, or one is damaged.
    """
    files = _frame_files(path)
    size = sum(file.stat().st_size for file in files.values())
    if size > config.max_file_mb * 2**20:
        raise InputError(
            f'{path}: found {size / 2**20:,.0f} MiB, expected at most {config.max_file_mb} '
            '(prepare.max_file_mb)'
        )
    frame, lists, ids = [], [], []
    for number, file in files.items():
        for person in _people(file, config):
            frame.append(number)
            lists.append(person.get('pose_keypoints_2d'))
            ids.append(_id(person))
    where = f'{path}: {FORMAT}'
    count = len(lists[0]) // 3 if lists and isinstance(lists[0], list) else len(BODY_25)
    names, names_from = naming.names_of(where, config, count, default='body_25')
    return Detections(
        where=where,
        joints=keypoints.detections(f'{where}: pose_keypoints_2d', lists, count),
        joint_names=names,
        names_from=names_from,
        frame=np.array(frame, np.int64),
        has_visibility=True,
        person=np.array(ids) if ids and all(ids) else None,
        num_frames=max(files) + 1,
        first_frame=0,
    )


def _id(person: dict) -> str:
    """The track id of a person, which OpenPose writes as [-1] where it does not track."""
    found = person.get('person_id')
    found = found[0] if isinstance(found, list) and found else found
    return str(found) if isinstance(found, int) and found >= 0 else ''


def _frame_files(path: pathlib.Path) -> dict[int, pathlib.Path]:
    """The files of a folder by frame number, ascending."""
    matches = [(_FRAME_FILE.fullmatch(file.name), file) for file in sorted(path.iterdir())]
    matches = [(match, file) for match, file in matches if match]
    if not matches:
        raise InputError(f'{path}: {FORMAT}: found no files named *_keypoints.json in the folder')
    videos = sorted({match[1] for match, _ in matches})
    if len(videos) > 1:
        raise InputError(
            f'{path}: {FORMAT}: found frames of {videos[0]!r} and of {videos[1]!r}, '
            'expected a folder a video'
        )
    return dict(sorted((int(match[2]), file) for match, file in matches))


def _people(file: pathlib.Path, config: ConfigDict) -> list[dict]:
    """The people of a frame."""
    frame = keypoints.parse(file, read_bytes(file, config.max_file_mb))
    people = frame.get('people') if isinstance(frame, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise InputError(f'{file}: {FORMAT}: people: not found, expected a list of persons')
    return people
