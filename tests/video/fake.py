"""An estimator for tests, which has a row of the table: a person is a white square."""

import os
import pathlib

import numpy as np

from posevid_jax.errors import InputError
from posevid_jax.video.estimator import Frame

ROW = {'.fake': 'tests.video.fake:Squares'}
NAMES = ('nose', 'left_shoulder', 'right_shoulder')


class Squares:
    """Finds at most one square in either half of the picture; the model file says what goes wrong.

    The joints are two corners and the middle, in this order; visibility is 0.9.
    """

    name = 'fake 1'
    joint_names = NAMES

    def __init__(self, model: pathlib.Path, most_people: int):
        self._most, self._does = most_people, model.read_text()
        if self._does == 'broken':
            raise InputError(f'prepare.pose_model: {model}: cannot be read')

    def people(self, frame: Frame) -> np.ndarray:
        if self._does == 'crash':
            os._exit(3)
        height, width = frame.picture.shape[:2]
        found = []
        for half in (0, width // 2):
            y, x = np.nonzero(frame.picture[:, half : half + width // 2].mean(-1) > 200)
            if len(y) > 20:
                low = np.array([x.min() + half, y.min(), 0, 0])
                high = np.array([x.max() + 1 + half, y.max() + 1, 0, 0])
                found.append(np.stack([(low + high) / 2, low, high]))
        people = np.array(found[: self._most]).reshape(-1, 3, 4) / [width, height, 1, 1]
        people[..., 3] = 0.9
        return people.astype(np.float32)

    def close(self) -> None:
        pass
