"""Keypoint JSON as COCO arranges it, one file a video: what MMPose and AlphaPose write.

MMPose (`--save-predictions`, or the inferencer's `pred_out_dir`): a list with an entry a frame,
`frame_id` and `instances`, each with `keypoints` [J, 2] and `keypoint_scores` [J]; the demo wraps
it into `instance_info`. AlphaPose and COCO results: a list with an entry a person, `image_id` (a
number, or a file name that ends in one; counted from 0) and `keypoints` [3 J].

https://github.com/open-mmlab/mmpose, https://github.com/MVIG-SJTU/AlphaPose/blob/master/docs/output.md,
https://cocodataset.org/#format-results
"""

import pathlib
import re
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import COCO_17
from posevid_jax.data.landmarks import keypoints
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

FORMAT = 'keypoint JSON'

Entry = dict[str, Any]  # of a frame or a person, as JSON has it: any type may turn up


def recognises(content: bytes) -> bool:
    return content.lstrip()[:1] in (b'[', b'{')


def read(path: pathlib.Path, content: bytes, name: str, config: ConfigDict) -> Recording:
    """The recording in a JSON file.

    Args:
      config: `config.prepare`, which knows the rate and the picture's size.

    Raises:
      InputError: the file is in none of the forms above, or its joints are not those expected.
    """
    entries = keypoints.parse(path, content)
    if isinstance(entries, dict):
        entries = entries.get('instance_info')
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            f'{path}: {FORMAT}: expected the results of MMPose (instance_info, or a list of '
            'frames) or of AlphaPose or COCO (a list of persons)'
        )
    if not entries:
        raise InputError(f'{path}: {FORMAT}: found no frames')
    if 'instances' in entries[0]:
        frame, lists, num_frames = _from_frames(path, entries)
    else:
        frame, lists, num_frames = _from_persons(path, entries)
    names = keypoints.names_or(COCO_17, config)
    joints = keypoints.detections(f'{path}: {FORMAT}: keypoints', lists, names)
    order = np.argsort(frame, kind='stable')
    return keypoints.one_recording(
        path,
        frame[order],
        joints[order],
        num_frames=num_frames,
        joint_names=names,
        name=name,
        config=config,
    )


def _from_frames(path: pathlib.Path, entries: list[Entry]) -> tuple[np.ndarray, list[Any], int]:
    """Frame [D] and flat keypoints of each person, and the number of frames.

    Every frame is listed, and the first is number 0 or 1, by the program that wrote it.
    """
    number = _whole_numbers(path, 'frame_id', [entry.get('frame_id') for entry in entries])
    number -= number.min()
    frame, lists = [], []
    for at, entry in zip(number, entries, strict=True):
        people = entry.get('instances')
        if not isinstance(people, list):
            raise InputError(f'{path}: {FORMAT}: instances: not found, expected a list')
        frame += [at] * len(people)
        lists += [_flat(path, person) for person in people]
    return np.array(frame, np.int64), lists, int(number.max()) + 1


def _flat(path: pathlib.Path, person: Any) -> list[Any]:
    """x0, y0, score0, x1, ... of an MMPose instance."""
    try:
        places, scores = person['keypoints'], person['keypoint_scores']
        pairs = zip(places, scores, strict=True)
        return [number for (x, y), score in pairs for number in (x, y, score)]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f'{path}: {FORMAT}: instances: expected keypoints [J, 2] and keypoint_scores [J]'
        ) from None


def _from_persons(path: pathlib.Path, entries: list[Entry]) -> tuple[np.ndarray, list[Any], int]:
    """Frame, keypoints and number of frames, as above, from a list of persons."""
    found = [entry.get('image_id') for entry in entries]
    for place, image in enumerate(found):
        if isinstance(image, str):
            digits = re.search(r'(\d+)(\.\w+)?$', image)
            found[place] = int(digits[1]) if digits else image
    frame = _whole_numbers(path, 'image_id', found)
    return frame, [entry.get('keypoints') for entry in entries], int(frame.max()) + 1


def _whole_numbers(path: pathlib.Path, key: str, values: list[Any]) -> np.ndarray:
    for value in values:
        if not isinstance(value, int) or not 0 <= value < 2**53:
            raise InputError(f'{path}: {FORMAT}: {key}: found {value!r}, expected a frame number')
    return np.array(values, np.int64)
