"""OpenPose: a folder with a file a frame, NAME_000000000012_keypoints.json, with all people in it.

https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md
"""

import pathlib
import re
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import BODY_25
from posevid_jax.data.landmarks import keypoints
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

FORMAT = 'OpenPose JSON'
_FRAME_FILE = re.compile(r'(.*?)_?(\d{1,15})_keypoints\.json')


def is_folder(path: pathlib.Path) -> bool:
    """Whether a folder holds the frames of one video."""
    return path.is_dir() and any(_FRAME_FILE.fullmatch(file.name) for file in path.iterdir())


def read(path: pathlib.Path, name: str, config: ConfigDict) -> Recording:
    """The recording in a folder; frames without a file, or without people, have no pose.

    Args:
      config: `config.prepare`, which knows the rate and the picture's size.

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
    names = keypoints.names_or(BODY_25, config)
    frame, joints = [], []
    for number, file in files.items():
        people = _people(file, config)
        if people:
            where = f'{file}: {FORMAT}: pose_keypoints_2d'
            joints.append(keypoints.detections(where, people, names))
            frame += [number] * len(people)
    return keypoints.one_recording(
        path,
        np.array(frame, np.int64),
        np.concatenate(joints) if joints else np.zeros((0, len(names), 4)),
        num_frames=max(files) + 1,
        joint_names=names,
        name=name,
        config=config,
    )


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


def _people(file: pathlib.Path, config: ConfigDict) -> list[Any]:
    """The keypoint lists of a frame."""
    frame = keypoints.parse(file, read_bytes(file, config.max_file_mb))
    people = frame.get('people') if isinstance(frame, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise InputError(f'{file}: {FORMAT}: people: not found, expected a list of persons')
    return [person.get('pose_keypoints_2d') for person in people]
