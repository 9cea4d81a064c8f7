"""Reads names: the side of the body, and how a feature changes in a mirror and with speed."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.errors import InputError

_SIDE = re.compile(r'(?<![A-Za-z])(?:left|right)|Left|Right')
_PART = re.compile(rf'(?:{_SIDE.pattern})_?([A-Za-z][a-z]*)?')
_LANDMARK = re.compile(r'l(\d+)(?=_)')
_OPPOSITE = {'left': 'right', 'right': 'left', 'Left': 'Right', 'Right': 'Left'}
_ARM = {'shoulder', 'elbow', 'wrist', 'hand', 'pinky', 'index', 'thumb'}

# The features that are understood, those of `data.hand_mouth` and of archives like it.
_KNOWN = re.compile(
    r'(?P<flag>\w+_flag)'
    r'|\w+_(?P<motion>[va])(?P<axis>[xyz])'  # velocity, acceleration
    r'|(norm_)?dist_\w+'
    r'|(left|right)_(shoulder|elbow|wrist|hip|knee)_angle'  # between bones, without a sign
    r'|\w+_height'
    r'|\w+_conf_adj'
    r'|nose_below_ears'
    r'|(?P<sideways>nose_beside_ears)'
)


class Feature(NamedTuple):
    """The properties of a feature, read from its name.

    Attributes:
      sideways: a signed measure along x, which changes sign in a mirror.
      derivative: 1 a velocity, 2 an acceleration, else 0.
      flag: 0 or 1, nothing between.
    """

    sideways: bool
    derivative: int
    flag: bool


def feature(name: str) -> Feature | None:
    """The properties of the feature of this name; None when the name is not known."""
    known = _KNOWN.fullmatch(name)
    if known is None:
        return None
    return Feature(
        sideways=known['axis'] == 'x' or known['sideways'] is not None,
        derivative={None: 0, 'v': 1, 'a': 2}[known['motion']],
        flag=known['flag'] is not None,
    )


def other_side(name: str) -> str:
    """The name with left and right exchanged: `leftHand`, `mouth_left`, `l15_vx` (a MediaPipe
    number); itself when it names no side."""
    landmark = _landmark(name)
    if landmark is not None:
        number = MEDIAPIPE_33.index(other_side(MEDIAPIPE_33[landmark]))
        return _LANDMARK.sub(f'l{number}', name, count=1)
    return _SIDE.sub(lambda side: _OPPOSITE[side[0]], name)


def sided_parts_on_arm(name: str) -> set[bool]:
    """Whether the parts of the body with a side in a name belong to an arm, from shoulder to
    fingers: {True} for `left_elbow`, both for `norm_dist_leftEar_leftHand`, {} without a side."""
    landmark = _landmark(name)
    parts = _PART.findall(name if landmark is None else MEDIAPIPE_33[landmark])
    return {part.lower() in _ARM for part in parts}


def understood(names: Sequence[str], key: str) -> list[Feature]:
    """`feature` of each name.

    Args:
      names: of features.
      key: the configuration key that needs them, for the error.

    Raises:
      InputError: a name is not known.
    """
    known = []
    for name in names:
        found = feature(name)
        if found is None:
            raise InputError(
                f'{key}: cannot tell what becomes of the feature {name}; expected 0, or only names '
                'like dist_leftHand_mouth, right_elbow_angle, l15_vx'
            )
        known.append(found)
    return known


def opposites(names: Sequence[str], key: str) -> np.ndarray:
    """The number of the name on the other side for each name, its own without a side, [names].

    Raises:
      InputError: a name has no partner.
    """
    number = {name: i for i, name in enumerate(names)}
    for name in names:
        if other_side(name) not in number:
            raise InputError(
                f'{key}: found {name} without {other_side(name)}; expected 0, or both sides'
            )
    return np.array([number[other_side(name)] for name in names], np.int32)


def _landmark(name: str) -> int | None:
    match = _LANDMARK.match(name)
    return int(match[1]) if match and int(match[1]) < len(MEDIAPIPE_33) else None
