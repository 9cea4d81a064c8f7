"""kinetics-skeleton JSON: {"data": [{"frame_index": 1, "skeleton": [{"pose": [x, y, ...], "score":
[...]}]}]}, 18 joints in shares of the picture, frames from 1.

https://github.com/yysijie/st-gcn
"""

import pathlib
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'kinetics-skeleton JSON'


def recognises(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get('data'), list)


def read(path: pathlib.Path, value: Any, config: ConfigDict) -> Detections:
    """The people of a file.

    Args:
      path: for messages.
      value: of the JSON file.
      config: `config.prepare`.

    Raises:
      InputError: a frame or a person is not of the form above.
    """
    where = f'{path}: {FORMAT}'
    frame, rows, listed = [], [], []
    try:
        for entry in value['data']:
            number = entry['frame_index']
            listed.append(int(number))
            for person in entry['skeleton']:
                pose, score = (np.array(person[key], np.float64) for key in ('pose', 'score'))
                rows.append(np.column_stack([pose.reshape(len(score), 2), 0 * score, score]))
                frame.append(int(number))
        joints = np.stack(rows) if rows else np.zeros((0, 18, 4))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(
            f'{where}: expected frames with frame_index and skeleton, a list of pose [2 J] and '
            'score [J]'
        ) from None
    if not listed:
        raise InputError(f'{where}: found no frames')
    names, names_from = naming.names_of(where, config, joints.shape[1], default='coco_18')
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        frame=np.array(frame, np.int64),
        has_visibility=True,
        num_frames=max(listed) + 1,
        first_frame=min(1, min(listed)),
    )
