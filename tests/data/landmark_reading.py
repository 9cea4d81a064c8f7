"""How tests read a landmark file, and what the simulated estimators saw."""

import numpy as np
import pytest

from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.errors import InputError
from tests import toy
from tests.data import landmark_files as files

SIZE = (640, 480)
KNOWN = {'prepare__fps': 25.0, 'prepare__video_size': SIZE}


def settings(**keys):
    return toy.config(**keys).prepare


def read(path, **keys):
    return read_recording(path, 'video', settings(**keys))


def refused(path, **keys):
    """The one line about a file, which names it."""
    with pytest.raises(InputError) as raised:
        read(path, **keys)
    line = str(raised.value)
    assert str(path) in line and '\n' not in line
    return line


def pixels(frames, count, seed=0):
    """[T, J, 4] as estimators in pixels see it: no depth."""
    person = files.joints(frames, count, seed)
    person[..., :2] *= SIZE
    person[..., 2] = 0
    return person


def in_shares(person):
    return person / np.array([*SIZE, 1, 1], np.float32)
