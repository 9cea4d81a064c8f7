"""Joint maps: the names behind the joint numbers of common pose estimators."""

from collections.abc import Sequence

from posevid_jax.errors import InputError

# https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker
MEDIAPIPE_33 = (
    'nose', 'left_eye_inner', 'left_eye', 'left_eye_outer',
    'right_eye_inner', 'right_eye', 'right_eye_outer', 'left_ear', 'right_ear',
    'mouth_left', 'mouth_right', 'left_shoulder', 'right_shoulder',
    'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist',
    'left_pinky', 'right_pinky', 'left_index', 'right_index', 'left_thumb', 'right_thumb',
    'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
    'left_heel', 'right_heel', 'left_foot_index', 'right_foot_index',
)  # fmt: skip

# https://cocodataset.org/#keypoints-2020
COCO_17 = (
    'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear',
    'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist',
    'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
)  # fmt: skip

# https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md
BODY_25 = (
    'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist',
    'left_shoulder', 'left_elbow', 'left_wrist', 'mid_hip', 'right_hip', 'right_knee',
    'right_ankle', 'left_hip', 'left_knee', 'left_ankle', 'right_eye', 'left_eye',
    'right_ear', 'left_ear', 'left_big_toe', 'left_small_toe', 'left_heel',
    'right_big_toe', 'right_small_toe', 'right_heel',
)  # fmt: skip

# OpenPose's COCO model, and kinetics-skeleton of ST-GCN.
COCO_18 = (
    'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist',
    'left_shoulder', 'left_elbow', 'left_wrist', 'right_hip', 'right_knee', 'right_ankle',
    'left_hip', 'left_knee', 'left_ankle', 'right_eye', 'left_eye', 'right_ear', 'left_ear',
)  # fmt: skip


def _hand(side: str) -> tuple[str, ...]:
    """21 joints from the wrist to the tips; the knuckles have the names that MediaPipe gives."""
    known = {0: 'hand_wrist', 2: 'thumb', 5: 'index', 17: 'pinky'}
    return tuple(f'{side}_{known.get(k, f"hand_{k}")}' for k in range(21))


def _face(count: int) -> tuple[str, ...]:
    """68 points of a face (iBUG 300-W), and the pupils as 69 and 70."""
    known = {
        36: 'right_eye_outer', 39: 'right_eye_inner', 42: 'left_eye_inner', 45: 'left_eye_outer',
        48: 'mouth_right', 54: 'mouth_left',
    }  # fmt: skip
    return tuple(known.get(k, f'face_{k}') for k in range(count))


_FEET_6 = (
    'left_big_toe', 'left_small_toe', 'left_heel', 'right_big_toe', 'right_small_toe', 'right_heel',
)  # fmt: skip

# OpenPose with --hand and --face: people have them in keys of their own.
BODY_25_HANDS_FACE = (*BODY_25, *_hand('left'), *_hand('right'), *_face(70))

# https://github.com/jin-s13/COCO-WholeBody
COCO_WHOLEBODY_133 = (*COCO_17, *_FEET_6, *_face(68), *_hand('left'), *_hand('right'))

# https://github.com/Fang-Haoshu/Halpe-FullBody
HALPE_26 = (
    *COCO_17, 'head', 'neck', 'mid_hip', 'left_big_toe', 'right_big_toe',
    'left_small_toe', 'right_small_toe', 'left_heel', 'right_heel',
)  # fmt: skip
HALPE_136 = (*HALPE_26, *_face(68), *_hand('left'), *_hand('right'))

# http://human-pose.mpi-inf.mpg.de
MPII_16 = (
    'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle',
    'mid_hip', 'thorax', 'neck', 'head', 'right_wrist', 'right_elbow', 'right_shoulder',
    'left_shoulder', 'left_elbow', 'left_wrist',
)  # fmt: skip

# Human3.6M in the order of most lifting programs.
H36M_17 = (
    'mid_hip', 'right_hip', 'right_knee', 'right_ankle', 'left_hip', 'left_knee', 'left_ankle',
    'spine', 'thorax', 'neck', 'head', 'left_shoulder', 'left_elbow', 'left_wrist',
    'right_shoulder', 'right_elbow', 'right_wrist',
)  # fmt: skip

# Kinect's SDK 1, and its SDK 2 as in NTU RGB+D.
KINECT_20 = (
    'mid_hip', 'spine', 'neck', 'head',
    'left_shoulder', 'left_elbow', 'left_wrist', 'left_hand',
    'right_shoulder', 'right_elbow', 'right_wrist', 'right_hand',
    'left_hip', 'left_knee', 'left_ankle', 'left_foot',
    'right_hip', 'right_knee', 'right_ankle', 'right_foot',
)  # fmt: skip
NTU_25 = (
    'mid_hip', 'spine', 'neck', 'head',
    'left_shoulder', 'left_elbow', 'left_wrist', 'left_hand',
    'right_shoulder', 'right_elbow', 'right_wrist', 'right_hand',
    'left_hip', 'left_knee', 'left_ankle', 'left_foot',
    'right_hip', 'right_knee', 'right_ankle', 'right_foot',
    'upper_spine', 'left_hand_tip', 'left_thumb', 'right_hand_tip', 'right_thumb',
)  # fmt: skip

JOINT_MAPS = {
    'mediapipe_33': MEDIAPIPE_33,
    'coco_17': COCO_17,
    'coco_18': COCO_18,
    'body_25': BODY_25,
    'body_25_hands_face': BODY_25_HANDS_FACE,
    'halpe_26': HALPE_26,
    'halpe_136': HALPE_136,
    'coco_wholebody_133': COCO_WHOLEBODY_133,
    'mpii_16': MPII_16,
    'h36m_17': H36M_17,
    'kinect_20': KINECT_20,
    'ntu_25': NTU_25,
}
"""What `prepare.joint_map` may name."""

# Joints that a line connects where a body is drawn, in any of the maps.
BONES = (
    ('left_shoulder', 'right_shoulder'), ('left_hip', 'right_hip'), ('mouth_left', 'mouth_right'),
    ('neck', 'nose'), ('neck', 'mid_hip'), ('nose', 'left_eye'), ('nose', 'right_eye'),
    *(
        (f'{side}_{a}', f'{side}_{b}')
        for side in ('left', 'right')
        for a, b in (
            ('eye_inner', 'eye'), ('eye', 'eye_outer'), ('eye', 'ear'), ('shoulder', 'elbow'),
            ('elbow', 'wrist'), ('wrist', 'thumb'), ('wrist', 'index'), ('wrist', 'pinky'),
            ('index', 'pinky'), ('shoulder', 'hip'),
            ('hip', 'knee'), ('knee', 'ankle'), ('ankle', 'heel'), ('heel', 'foot_index'),
        )
    ),
)  # fmt: skip


# The joint that each hangs on, the first one that there is; from the trunk outward.
_PARENTS = {
    'spine': ('mid_hip',), 'belly': ('mid_hip', 'neck'), 'upper_spine': ('spine', 'mid_hip'),
    'thorax': ('spine', 'mid_hip'), 'neck': ('upper_spine', 'thorax', 'spine', 'belly', 'mid_hip'),
    'nose': ('neck',), 'head': ('neck',),
} | {
    f'{side}_{joint}': tuple(parent.replace('SIDE', side) for parent in found)
    for side in ('left', 'right')
    for joint, found in {
        'ear': ('nose',), 'shoulder': ('neck', 'thorax', 'nose'), 'elbow': ('SIDE_shoulder',),
        'wrist': ('SIDE_elbow',), 'hand': ('SIDE_wrist',), 'hand_tip': ('SIDE_hand',),
        'thumb': ('SIDE_wrist',), 'index': ('SIDE_wrist',), 'pinky': ('SIDE_wrist',),
        'hip': ('mid_hip', 'belly', 'spine', 'SIDE_shoulder'), 'knee': ('SIDE_hip',),
        'ankle': ('SIDE_knee',), 'foot': ('SIDE_ankle',), 'heel': ('SIDE_ankle',),
        'foot_index': ('SIDE_ankle',), 'big_toe': ('SIDE_ankle',),
    }.items()
}  # fmt: skip


def parents(joint_names: Sequence[str]) -> dict[str, str]:
    """The joint that each hangs on, of those that a skeleton has; without it for the others."""
    found: dict[str, str] = {}
    for joint, candidates in _PARENTS.items():
        parent = next((name for name in candidates if name in joint_names), None)
        if joint in joint_names and parent:
            found[joint] = parent
    return found


HANDS_AND_MOUTH = (
    'nose', 'left_shoulder', 'left_elbow', 'left_wrist',
    'right_shoulder', 'right_elbow', 'right_wrist',
)  # fmt: skip
"""What features of hands and mouth cannot do without."""


def mediapipe_names(landmark_ids: Sequence[int]) -> tuple[str, ...]:
    """Names of MediaPipe landmark numbers.

    Raises:
      InputError: a number is outside 0..32.
    """
    wrong = [int(i) for i in landmark_ids if not 0 <= i < len(MEDIAPIPE_33)]
    if wrong:
        raise InputError(f'landmark_ids: found {wrong[0]}, expected numbers from 0 to 32')
    return tuple(MEDIAPIPE_33[i] for i in landmark_ids)


def joint_map(name: str, joint_names: Sequence[str]) -> tuple[str, ...] | None:
    """The names behind joint numbers as the configuration gives them.

    Args:
      name: `prepare.joint_map`: a key of `JOINT_MAPS`, or '' for none.
      joint_names: `prepare.joint_names`: a map of the user's own, or () for none.

    Returns:
      the names in the order of their numbers; None when the configuration leaves it to the format.

    Raises:
      InputError: the name is unknown, both are given, or the names are not unique.
    """
    if name and name not in JOINT_MAPS:
        raise InputError(
            f'prepare.joint_map: found {name!r}, expected one of {", ".join(JOINT_MAPS)}'
        )
    if name and joint_names:
        raise InputError('prepare.joint_names: found names beside prepare.joint_map, expected one')
    if len(set(joint_names)) < len(joint_names):
        twice = next(joint for joint in joint_names if list(joint_names).count(joint) > 1)
        raise InputError(f'prepare.joint_names: found {twice} twice, expected unique names')
    return JOINT_MAPS[name] if name else tuple(joint_names) or None
