"""From a path to a recording, by a reader chosen by what the file holds.

A format is a file of this folder and a row of one of the three tables here.
"""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.data.landmarks import (
    arrays,
    coco,
    deeplabcut,
    gate,
    keypoints,
    kinetics,
    mediapipe_json,
    ntu,
    openpose,
    pose_csv,
    sleap,
    ultralytics,
)
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.landmarks.known import known
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

# By the bytes of a file, by the value of a JSON file, and by the names in a folder.
_FILES = (arrays, sleap, deeplabcut, ntu, pose_csv)
_JSON = (kinetics, ultralytics, mediapipe_json, coco)
_FOLDERS = ((openpose.is_folder, openpose.read), (ultralytics.is_folder, ultralytics.read_folder))


def read_recording(path: pathlib.Path, name: str, config: ConfigDict) -> Recording:
    """Reads the landmarks of one video.

    Args:
      path: a file of any format of the tables above (.gz and .xz too), or a folder with a file a
        frame.
      name: of the video.
      config: `config.prepare`.

    Raises:
      InputError: one line with the file, its format, what was found and what was expected.
    """
    return gate.accept(_detections(path, config), name, known(config, name), config)


def is_recording(folder: pathlib.Path) -> bool:
    """Whether a folder holds the frames of one video."""
    return any(fits(folder) for fits, _ in _FOLDERS)


def _detections(path: pathlib.Path, config: ConfigDict) -> Detections:
    if path.is_dir():
        read = next((read for fits, read in _FOLDERS if fits(path)), openpose.read)
        return read(path, config)
    content = read_bytes(path, config.max_file_mb)
    if not content.strip():
        raise InputError(f'{path}: found an empty file, expected landmarks')
    if content.lstrip()[:1] in (b'[', b'{'):
        value = keypoints.parse(path, content)
        reader = next((reader for reader in _JSON if reader.recognises(value)), coco)
        return reader.read(path, value, config)
    # Whoever gives a pattern of columns has a CSV, whatever its columns look like.
    for reader in (pose_csv,) if config.columns else _FILES:
        if config.columns or reader.recognises(content):
            return reader.read(path, content, config)
    start = content[:20].decode('utf-8', 'replace').splitlines()[0]
    raise InputError(
        f'{path}: found {start!r} ..., expected the columns of a pose CSV (l0_x, nose_x, ...; '
        'prepare.columns for names of your own), JSON, npy or npz of landmarks, or the file of a '
        'pose estimator (docs/data.md lists them)'
    )
