"""From a path to a recording, by a reader chosen by what the file holds."""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.data.landmarks import arrays, coco, gate, openpose, pose_csv
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.landmarks.known import known
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

_READERS = (arrays, coco, pose_csv)


def read_recording(path: pathlib.Path, name: str, config: ConfigDict) -> Recording:
    """Reads the landmarks of one video.

    Args:
      path: a pose CSV, keypoint JSON, npy or npz file (.gz and .xz too), or an OpenPose folder.
      name: of the video.
      config: `config.prepare`.

    Raises:
      InputError: one line with the file, its format, what was found and what was expected.
    """
    return gate.accept(_detections(path, config), name, known(config, name), config)


def _detections(path: pathlib.Path, config: ConfigDict) -> Detections:
    if path.is_dir():
        return openpose.read(path, config)
    content = read_bytes(path, config.max_file_mb)
    if not content.strip():
        raise InputError(f'{path}: found an empty file, expected landmarks')
    for reader in _READERS:
        if reader.recognises(content):
            return reader.read(path, content, config)
    start = content[:20].decode('utf-8', 'replace').splitlines()[0]
    raise InputError(
        f'{path}: found {start!r} ..., expected the columns of a {pose_csv.FORMAT} (l0_x, l0_y, '
        f'...), {coco.FORMAT}, an npy or npz {arrays.FORMAT}, or a folder of {openpose.FORMAT}'
    )
