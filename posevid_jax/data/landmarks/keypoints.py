"""Keypoint lists as JSON formats write them: x, y, score of each joint of each person found."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from posevid_jax.errors import InputError


def parse(path: pathlib.Path, content: bytes) -> Any:
    """The value of a JSON file.

    Raises:
      InputError: it is damaged, or no JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        what = ' '.join(str(error).split())
        raise InputError(f'{path}: damaged, or no JSON ({what})') from None


def joint_count(lists: Sequence[Any], default: int) -> int:
    """Joints of the longest list, so that a shorter one is the mistake; the default without any."""
    return max((len(values) // 3 for values in lists if isinstance(values, list)), default=default)


def detections(where: str, lists: Sequence[Any], num_joints: int) -> np.ndarray:
    """[D, J, 4] (x, y, 0, score) from D lists of x0, y0, score0, x1, ...

    Raises:
      InputError: a list has another length, or something else than numbers in it.
    """
    expected = 3 * num_joints
    for values in lists:
        if not isinstance(values, list) or len(values) != expected:
            found = f'{len(values)} numbers' if isinstance(values, list) else repr(values)[:40]
            raise InputError(
                f'{where}: found {found}, expected {expected} (x, y, score of {num_joints} joints)'
            )
    try:
        flat = np.array(lists, np.float64).reshape(len(lists), num_joints, 3)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f'{where}: found something else than numbers, expected them') from None
    joints = np.zeros((*flat.shape[:2], 4))
    joints[..., [0, 1, 3]] = flat
    return joints
