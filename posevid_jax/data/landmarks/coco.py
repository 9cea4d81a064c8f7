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
from posevid_jax.data.landmarks import keypoints, naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'keypoint JSON'
_Found = tuple[np.ndarray, list[Any], list[str], range]
Entry = dict[str, Any]  # of a frame or a person, as JSON has it: any type may turn up


def recognises(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and 'instance_info' in value)


def read(path: pathlib.Path, value: Any, config: ConfigDict) -> Detections:
    """The people in a JSON file.

    Args:
      path: for messages.
      value: of the JSON file.
      config: `config.prepare`.

    Raises:
      InputError: the file is in none of the forms above, or its joints are not those expected.
    """
    entries, own = value, None
    if isinstance(entries, dict):
        own = _own_names(entries.get('meta_info'))
        entries = entries.get('instance_info')
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            f'{path}: {FORMAT}: expected the results of MMPose (instance_info, or a list of '
            'frames) or of AlphaPose or COCO (a list of persons)'
        )
    if not entries:
        raise InputError(f'{path}: {FORMAT}: found no frames')
    of_frames = 'instances' in entries[0]
    frame, lists, ids, listed = (_from_frames if of_frames else _from_persons)(path, entries)
    where = f'{path}: {FORMAT}'
    count = keypoints.joint_count(lists, len(own or COCO_17))
    names, names_from = naming.names_of(where, config, count, own, default='coco_17')
    return Detections(
        where=where,
        joints=keypoints.detections(f'{where}: keypoints', lists, len(names)),
        joint_names=names,
        names_from=names_from,
        frame=frame,
        has_visibility=True,
        person=np.array(ids) if ids and all(ids) else None,
        num_frames=listed.stop,
        # Some programs of MMPose count from 1; the others, and image ids, count from 0.
        first_frame=1 if of_frames and listed.start == 1 else 0,
    )


def _own_names(about: Any) -> list[str] | None:
    """The joint names of MMPose's meta_info, in the order of their numbers."""
    names = about.get('keypoint_id2name') if isinstance(about, dict) else None
    if not isinstance(names, dict):
        return None
    try:
        return [str(names[key]) for key in sorted(names, key=int)]
    except ValueError:
        return None


def _from_frames(
    path: pathlib.Path, entries: list[Entry]
) -> tuple[np.ndarray, list[Any], list[str], range]:
    """Frame [D], flat keypoints and track id of each person, and the frames that are listed."""
    number = _whole_numbers(path, 'frame_id', [entry.get('frame_id') for entry in entries])
    frame, lists, ids = [], [], []
    for at, entry in zip(number, entries, strict=True):
        people = entry.get('instances')
        if not isinstance(people, list):
            raise InputError(f'{path}: {FORMAT}: instances: not found, expected a list')
        frame += [at] * len(people)
        lists += [_flat(path, person) for person in people]
        ids += [_id(person, ('track_id', 'instance_id')) for person in people]
    return np.array(frame, np.int64), lists, ids, range(int(number.min()), int(number.max()) + 1)


def _id(person: Entry, keys: tuple[str, ...]) -> str:
    """The track id of a person, '' without."""
    found = next((person[key] for key in keys if key in person), None)
    found = found[0] if isinstance(found, list) and len(found) == 1 else found
    return str(found) if isinstance(found, int | str) else ''


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


def _from_persons(
    path: pathlib.Path, entries: list[Entry]
) -> tuple[np.ndarray, list[Any], list[str], range]:
    """The same from a list of persons."""
    found = [entry.get('image_id') for entry in entries]
    for place, image in enumerate(found):
        if isinstance(image, str):
            digits = re.search(r'(\d+)(\.\w+)?$', image)
            found[place] = int(digits[1]) if digits else image
    frame = _whole_numbers(path, 'image_id', found)
    lists = [entry.get('keypoints') for entry in entries]
    ids = [_id(entry, ('idx', 'track_id')) for entry in entries]
    return frame, lists, ids, range(int(frame.min()), int(frame.max()) + 1)


def _whole_numbers(path: pathlib.Path, key: str, values: list[Any]) -> np.ndarray:
    for value in values:
        if not isinstance(value, int) or not 0 <= value < 2**53:
            raise InputError(f'{path}: {FORMAT}: {key}: found {value!r}, expected a frame number')
    return np.array(values, np.int64)
