"""NTU RGB+D `.skeleton` text: frames of bodies of 25 joints, in metres and in pixels.

The pixels are those of the colour camera, 1920 x 1080 at 30 frames a second.
https://github.com/shahroudy/NTURGB-D
"""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'NTU skeleton'
_SIZE, _FPS = (1920.0, 1080.0), 30.0
_OF_BODY, _OF_JOINT = 10, 12  # numbers in a line
_PLACE = (5, 6, 11)  # of a joint: x, y in the picture, tracking state


def recognises(content: bytes) -> bool:
    lines = content[:4096].split(b'\n')
    try:
        counts = [int(line) for line in lines[:2]]
    except ValueError:
        return False
    return min(counts) >= 0 and (counts[1] == 0 or len(lines[2].split()) == _OF_BODY)


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """The bodies of a file; who is tracked keeps an id.

    Args:
      path: for messages.
      content: of the file.
      config: `config.prepare`.

    Raises:
      InputError: the file ends early, or holds something else than numbers.
    """
    where = f'{path}: {FORMAT}'
    lines = iter(content.decode('utf-8', 'replace').split('\n'))
    frame: list[int] = []
    rows: list[np.ndarray] = []
    ids: list[str] = []
    try:
        total = int(next(lines))
        for number in range(total):
            for _ in range(int(next(lines))):
                ids.append(next(lines).split()[0])
                joints = [next(lines).split() for _ in range(int(next(lines)))]
                values = np.array([[joint[k] for k in _PLACE] for joint in joints], np.float64)
                rows.append(np.insert(values, 2, 0, axis=1))
                frame.append(number)
        joints = np.stack(rows) if rows else np.zeros((0, 25, 4))
    except (StopIteration, ValueError, IndexError, OverflowError):
        raise InputError(
            f'{where}: found the end, or no number, where frame {len(set(frame))} goes on'
        ) from None
    if not rows:
        raise InputError(f'{where}: found no body in any frame')
    names, names_from = naming.names_of(where, config, joints.shape[1], default='ntu_25')
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=np.array(frame, np.int64),
        has_visibility=True,
        person=np.array(ids),
        num_frames=total,
        first_frame=0,
        fps=_FPS,
        size=_SIZE,
    )
