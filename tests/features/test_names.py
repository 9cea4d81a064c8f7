"""What names of joints and features say about sides, mirrors and speed."""

import pytest

from posevid_jax.data import synthetic
from posevid_jax.data.joints import JOINT_MAPS
from posevid_jax.errors import InputError
from posevid_jax.features import names

# The columns of pose archives.
ARCHIVE = (
    *(f'{kind}_{side}Hand_mouth' for kind in ('dist', 'norm_dist') for side in ('left', 'right')),
    *('dist_nose_leftHand', 'dist_nose_rightHand', 'mouth_conf_adj', 'occlusion_flag'),
    *(f'mouth_v{axis}' for axis in 'xyz'),
    *(f'l{n}_{kind}{axis}' for n in (15, 16, 19, 20) for kind in 'va' for axis in 'xyz'),
    'velocity_jump_flag',
)


@pytest.mark.parametrize(
    ('name', 'other'),
    [
        ('left_wrist', 'right_wrist'),
        ('mouth_left', 'mouth_right'),
        ('right_eye_outer', 'left_eye_outer'),
        ('dist_leftHand_mouth', 'dist_rightHand_mouth'),
        ('norm_dist_leftEar_leftHand', 'norm_dist_rightEar_rightHand'),
        ('noseToLeftHand', 'noseToRightHand'),
        ('l15_vx', 'l16_vx'),
        ('l20_ay', 'l19_ay'),
        ('l0_vx', 'l0_vx'),
        ('l99_vx', 'l99_vx'),
        ('mouth_vx', 'mouth_vx'),
        ('upright', 'upright'),
    ],
)
def test_left_and_right_are_exchanged_by_name(name, other):
    assert names.other_side(name) == other
    assert names.other_side(other) == name


def test_every_known_joint_and_feature_has_its_partner():
    config = {'num_videos': 2, 'clips_per_video': 1, 'num_frames': 4, 'seed': 0}
    simulated = synthetic.make_clips(**config).feature_names
    assert len(ARCHIVE) == 36
    for group in (*JOINT_MAPS.values(), ARCHIVE, simulated):
        opposite = names.opposites(group, 'key')
        assert [int(opposite[i]) for i in opposite] == list(range(len(group)))
    for group in (ARCHIVE, simulated):
        assert len(names.understood(group, 'key')) == len(group)


def test_what_a_feature_name_says():
    assert names.feature('l15_vx') == names.Feature(sideways=True, derivative=1, flag=False)
    assert names.feature('l15_ay') == names.Feature(sideways=False, derivative=2, flag=False)
    assert names.feature('nose_beside_ears') == names.Feature(True, 0, False)
    assert names.feature('occlusion_flag') == names.Feature(False, 0, True)
    assert names.feature('left_elbow_angle') == names.Feature(False, 0, False)
    for unknown in ('feature_3', 'head_yaw_angle', 'l15_x', 'dist'):
        assert names.feature(unknown) is None


@pytest.mark.parametrize(
    ('name', 'on_arm'),
    [
        ('left_elbow_angle', {True}),
        ('dist_nose_leftHand', {True}),
        ('l16_vx', {True}),
        ('right_index', {True}),
        ('left_shoulder', {True}),
        ('norm_dist_leftEar_leftHand', {True, False}),
        ('mouth_left', {False}),
        ('left_foot_index', {False}),
        ('l7_vx', {False}),
        ('nose', set()),
        ('mouth_vx', set()),
    ],
)
def test_parts_of_an_arm_are_told_apart(name, on_arm):
    assert names.sided_parts_on_arm(name) == on_arm


def test_names_that_say_too_little_are_refused():
    with pytest.raises(InputError, match=r'augment\.warp: cannot tell .* feature_1'):
        names.understood(('l15_vx', 'feature_1'), 'augment.warp')
    with pytest.raises(InputError, match=r'augment\.mirror: found right_wrist without left_wrist'):
        names.opposites(('nose', 'right_wrist'), 'augment.mirror')
