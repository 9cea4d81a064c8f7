"""What finds people in pictures: one small interface, and the table of those that have it.

An estimator is a file of this folder and a row of the table.
"""

import importlib
import pathlib
from typing import NamedTuple, Protocol

import numpy as np

from posevid_jax.errors import InputError

ESTIMATORS = {'.task': 'posevid_jax.video.mediapipe_pose:MediaPipePose'}
"""By the ending of the model file, `module:class`; the class is called with the model file and the
most people to find."""


class Frame(NamedTuple):
    """A frame.

    Attributes:
      seconds: from the start of the video, as a player shows it.
      picture: [H, W, 3] u8, RGB.
    """

    seconds: float
    picture: np.ndarray


class Estimator(Protocol):
    """Finds people in the frames of one video, one after the other.

    Attributes:
      name: of the estimator, with its version.
      joint_names: J unique names.
    """

    name: str
    joint_names: tuple[str, ...]

    def people(self, frame: Frame) -> np.ndarray:
        """[P, J, 4] of the people found: x, y in shares of the picture, z in shares of its width,
        visibility from 0 to 1; NaN for a joint that was not found."""
        ...

    def close(self) -> None: ...


def class_for(model: pathlib.Path) -> str:
    """The row of the table for a model file.

    Raises:
      InputError: there is none.
    """
    found = ESTIMATORS.get(model.suffix)
    if found is None:
        raise InputError(
            f'prepare.pose_model: {model}: expected a file that ends in {", ".join(ESTIMATORS)}'
        )
    return found


def load(row: str, model: pathlib.Path, most_people: int) -> Estimator:
    """The estimator of a row of the table, for one video.

    Raises:
      InputError: the model file is not one that it reads.
      ImportError, OSError: what it needs is not installed, or lacks a library of the system.
    """
    module, _, name = row.partition(':')
    return getattr(importlib.import_module(module), name)(model, most_people)
