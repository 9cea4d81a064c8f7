"""Keypoint lists as JSON formats write them: x, y, score of each joint of each person found."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import joint_map
from posevid_jax.data.landmarks import people, recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError


def parse(path: pathlib.Path, content: bytes) -> Any:
    """What a JSON file says."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        what = ' '.join(str(error).split())
        raise InputError(f'{path}: damaged, or no JSON ({what})') from None


def detections(where: str, lists: Sequence[Any], names: Sequence[str]) -> np.ndarray:
    """[D, J, 4] (x, y, 0, score) from D lists of x0, y0, score0, x1, ...

    Raises:
      InputError: a list has another length, or something else than numbers in it.
    """
    expected = 3 * len(names)
    for values in lists:
        if not isinstance(values, list) or len(values) != expected:
            found = f'{len(values)} numbers' if isinstance(values, list) else repr(values)[:40]
            raise InputError(
                f'{where}: found {found}, expected {expected} (x, y, score of {len(names)} joints)'
            )
    try:
        flat = np.array(lists, np.float64).reshape(len(lists), len(names), 3)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f'{where}: found something else than numbers, expected them') from None
    joints = np.zeros((*flat.shape[:2], 4))
    joints[..., :2] = flat[..., :2]
    joints[..., 3] = np.clip(flat[..., 2], 0, 1)
    return joints


def one_recording(
    path: pathlib.Path,
    frame: np.ndarray,
    joints: np.ndarray,
    *,
    num_frames: int,
    joint_names: tuple[str, ...],
    name: str,
    config: ConfigDict,
) -> Recording:
    """The recording of the person to keep.

    Args:
      frame: [D] frame of each detection, ascending.
      joints: [D, J, 4] in pixels or shares.
      config: `config.prepare`.
    """
    filled = recording.blank(path, num_frames, len(joint_names), config)
    fps = recording.rate(path, None, config)
    width, height = recording.picture(path, None, config)
    # Pixels are square, shares are not: the person is chosen in units of the picture's height.
    joints = recording.to_shares(joints, width, height)
    square = joints * np.array([width / height, 1, 1, 1], np.float32)
    kept = people.one_person(frame, square, fps, config.person)
    filled[frame[kept]] = joints[kept]
    return Recording(
        name=name,
        joints=filled,
        joint_names=joint_names,
        fps=fps,
        width=width,
        height=height,
        time=np.arange(num_frames) / fps,
    )


def names_or(default: tuple[str, ...], config: ConfigDict) -> tuple[str, ...]:
    """The joint names of the configuration, else those of the format."""
    return joint_map(config.joint_map, config.joint_names) or default
