"""What the columns of a landmark CSV mean: one table of the ways in which people name them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from posevid_jax.data.joints import JOINT_MAPS
from posevid_jax.data.landmarks.naming import standard
from posevid_jax.errors import InputError

AXES = {
    'x': 'x', 'y': 'y', 'z': 'z', 'v': 'v', 'vis': 'v', 'visibility': 'v', 'score': 'v',
    'conf': 'v', 'confidence': 'v', 'likelihood': 'v', 'c': 'v',
}  # fmt: skip
_AXIS = f'(?P<axis>{"|".join(sorted(AXES, key=len, reverse=True))})'

# The joint and the axis of a column, in this order; {joint} and {axis} of `prepare.columns` are
# groups of the same names.
_PATTERNS = (
    rf'(?P<joint>.+?)[\s_.:/\-]+{_AXIS}',  # l0_x, NOSE_x, landmark_0_visibility, nose.x
    rf'(?P<joint>.+?)\s*[\[(]{_AXIS}[\])]',  # nose[x], nose (x)
    rf'{_AXIS}[\s_.:/\-]*(?P<joint>\d+)',  # x_0, x0
    rf'{_AXIS}[\s_.:/\-]+(?P<joint>.+)',  # x_nose
    rf'(?P<joint>[a-z]*\d+){_AXIS}',  # l0x
)
_NUMBER = re.compile(
    r'(?:l|lm|landmarks?|kp|kpt|keypoints?|points?|pt|p|joints?|pose(?:_landmarks?)?)?[\s_.\-]*(\d+)'
)
# Places that are not joints'.
_KNOWN_JOINTS = {joint for joints in JOINT_MAPS.values() for joint in joints}
_ENOUGH = 3
_OTHERS = re.compile(r'(bbox|box|cent(er|re)|offset|gaze|cam(era)?|roi|crop)')

FRAME = (
    'frame', 'frame_id', 'frame_no', 'frame_nr', 'frame_num', 'frame_number', 'frame_index',
    'frame_idx', 'frames', 'image_id', 'img_id',
)  # fmt: skip
TIME = {
    '': ('time', 'time_sec', 'time_s', 'timestamp', 'timestamp_s', 'seconds', 'sec', 'secs', 't'),
    'ms': ('time_ms', 'timestamp_ms', 'ms', 'msec', 'milliseconds', 'time_msec', 'time_stamp_ms'),
    'us': ('time_us', 'timestamp_us', 'us', 'microseconds', 'time_usec'),
}
"""Names of times by unit. A name of seconds proves nothing: what they are is seen by steps."""
FPS = ('fps', 'frame_rate', 'framerate', 'video_fps')
WIDTH = ('video_width', 'width', 'frame_width', 'image_width', 'img_width', 'w')
HEIGHT = ('video_height', 'height', 'frame_height', 'image_height', 'img_height', 'h')
PERSON = ('person_id', 'track_id', 'person', 'track', 'pid', 'subject_id')
JOINT = ('landmark', 'landmark_id', 'landmark_name', 'landmark_index', 'joint', 'joint_id',
         'joint_name', 'keypoint', 'keypoint_id', 'keypoint_name', 'index', 'id', 'name',
         'bodypart')  # fmt: skip


class Joint(NamedTuple):
    """The columns of a joint: by axis, their numbers in the file."""

    name: str
    columns: dict[str, int]


class Columns(NamedTuple):
    """Columns by meaning, as their numbers in the file.

    Attributes:
      joints: in the order of the file; their names as in the file, or digits.
      numbered: whether the names are numbers.
      known: of `frame`, `time`, `fps`, `width`, `height`, `person`, `joint`, those that are there.
      time_unit: by the name of the column, '' unknown.
    """

    joints: tuple[Joint, ...]
    numbered: bool
    known: dict[str, int]
    time_unit: str


def columns(where: str, header: Sequence[str], own: str) -> Columns | None:
    """The meaning of a header, None where it holds no joints.

    Args:
      where: file and format, for messages.
      header: names of the columns.
      own: `prepare.columns`, a pattern with {joint} and {axis}, or ''.

    Raises:
      InputError: a column twice, a joint without an x or a y, or some with and some without depth
        or visibility.
    """
    names = [name.strip() for name in header]
    known, time_unit = meanings(names)
    joints: dict[str, dict[str, int]] = {}
    for number, name in enumerate(names):
        found = joint_and_axis(name, own)
        if found is None or number in known.values():
            continue
        joint, axis = found
        if axis in joints.setdefault(joint, {}):
            raise InputError(f'{where}: column {name}: found twice, as {axis} of joint {joint}')
        joints[joint][axis] = number
    joints = {joint: by_axis for joint, by_axis in joints.items() if {'x', 'y'} & by_axis.keys()}
    if not joints:
        return None
    numbered = all(joint.isdigit() for joint in joints)
    if not numbered:
        # Beside names that are known, others (speed_x, ...) are no joints.
        named = [joint for joint in joints if joint in _KNOWN_JOINTS]
        kept = named if len(named) >= _ENOUGH else [name for name in joints if not name.isdigit()]
        joints = {joint: joints[joint] for joint in kept}
    axes = [axis for axis in 'xyzv' if any(axis in at for at in joints.values())]
    for joint, at in joints.items():
        for axis in dict.fromkeys('xy' + ''.join(axes)):
            if axis not in at:
                other = names[next(iter(at.values()))]
                raise InputError(
                    f'{where}: column {axis} of joint {joint}: not found beside {other}'
                )
    return Columns(
        tuple(Joint(name, at) for name, at in joints.items()), numbered, known, time_unit
    )


def of_rows(header: Sequence[str]) -> Columns | None:
    """The meaning of a header with a row a joint (frame, joint, x, y, ...), None for another."""
    names = [name.strip().lower() for name in header]
    known, time_unit = meanings(names)
    at = {AXES[name]: number for number, name in enumerate(names) if name in AXES}
    joint = next((names.index(name) for name in JOINT if name in names), None)
    if joint is None or not {'x', 'y'} <= at.keys():
        return None
    return Columns((Joint('', at),), False, known | {'joint': joint}, time_unit)


def meanings(names: Sequence[str]) -> tuple[dict[str, int], str]:
    plain = [re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_') for name in names]
    known = {}
    for meaning, spellings in (
        ('frame', FRAME), ('fps', FPS), ('width', WIDTH), ('height', HEIGHT), ('person', PERSON)
    ):  # fmt: skip
        found = next((name for name in spellings if name in plain), None)
        if found is not None:
            known[meaning] = plain.index(found)
    time_unit = ''
    for unit, spellings in TIME.items():
        found = next((name for name in spellings if name in plain), None)
        if found is not None and 'time' not in known:
            known['time'] = plain.index(found)
            time_unit = unit
    return known, time_unit


def joint_and_axis(name: str, own: str) -> tuple[str, str] | None:
    """Joint (a number as digits, or a name as it is spelt here) and axis of a column."""
    patterns = (_of_own(own),) if own else _PATTERNS
    for pattern in patterns:
        match = re.fullmatch(pattern, name, re.IGNORECASE)
        if match is None:
            continue
        joint = match['joint'].strip().lower()
        if _OTHERS.search(joint):
            return None
        number = _NUMBER.fullmatch(joint)
        axis = AXES[match['axis'].lower()]
        return (str(int(number[1])) if number else standard(match['joint'])), axis
    return None


def _of_own(pattern: str) -> str:
    if pattern.count('{joint}') != 1 or pattern.count('{axis}') != 1:
        raise InputError(
            f'prepare.columns: found {pattern!r}, expected a pattern such as kp_{{joint}}_{{axis}}'
        )
    escaped = re.escape(pattern)
    return escaped.replace(re.escape('{joint}'), '(?P<joint>.+?)').replace(
        re.escape('{axis}'), _AXIS
    )
