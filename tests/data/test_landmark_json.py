"""OpenPose folders and keypoint JSON: what they say, and the one line when they cannot be used."""

import json

import numpy as np
import pytest

from posevid_jax.data.joints import BODY_25, COCO_17
from posevid_jax.errors import InputError
from tests.data import landmark_files as files
from tests.data.landmark_reading import KNOWN, SIZE, in_shares, pixels, read, refused

# OpenPose


def test_an_openpose_folder_is_read_in_shares_of_the_picture(tmp_path):
    person = pixels(4, 25)
    person[1, 7] = np.nan  # written as 0, 0, 0
    frames = [[person[0]], [person[1]], [], [person[3]]]
    folder = files.openpose(tmp_path / 'a', frames)
    (folder / 'clip_000000000000_rendered.png').write_bytes(b'picture')
    found = read(folder, **KNOWN)
    expected = in_shares(person)
    expected[2] = np.nan
    np.testing.assert_allclose(found.joints, expected, rtol=1e-6)
    assert found.joint_names == BODY_25 and found.fps == 25 and found.width == 640


def test_openpose_files_say_which_frame_they_are(tmp_path):
    person = pixels(2, 25)
    folder = files.openpose(tmp_path / 'a', [[person[0]], [person[1]]], numbers=[2, 10])
    found = read(folder, **KNOWN)
    assert len(found.joints) == 11
    np.testing.assert_allclose(found.joints[10], in_shares(person)[1], rtol=1e-6)
    assert np.flatnonzero(np.isfinite(found.joints).all((1, 2))).tolist() == [2, 10]


def test_bad_openpose_folders_are_one_line(tmp_path):
    person = pixels(2, 25)
    folder = files.openpose(tmp_path / 'a', [[person[0]], [person[1]]])
    first = folder / 'clip_000000000000_keypoints.json'
    for content, message in (
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', 'found 3 numbers, expected 75'),
        ('{"people": [{}]}', 'pose_keypoints_2d: found None'),
        ('{"people": [7]}', 'people: not found'),
        ('{"persons": []}', 'people: not found'),
        ('[]', 'people: not found'),
        ('{"people": [', 'no JSON'),
        ('[' * 100_000, 'no JSON'),
        (json.dumps({'people': [{'pose_keypoints_2d': ['x'] * 75}]}), 'else than numbers'),
    ):
        first.write_text(content)
        assert message in refused(folder, **KNOWN)
    first.rename(folder / 'other_000000000000_keypoints.json')
    assert 'of 2 videos or kinds; expected a folder per video' in refused(folder, **KNOWN)
    (tmp_path / 'b').mkdir()
    assert 'frame number and .json' in refused(tmp_path / 'b', **KNOWN)


# Keypoint JSON


@pytest.mark.parametrize('form', ['demo', 'inferencer', 'alphapose', 'coco'])
def test_keypoint_json_of_mmpose_alphapose_and_coco(tmp_path, form):
    person = pixels(4, 17)
    frames = [[person[0]], [], [person[2]], [person[3]]]
    results = files.alphapose(frames)
    content = {
        'demo': {'meta_info': {'dataset_name': 'coco'}, 'instance_info': files.mmpose(frames)},
        'inferencer': files.mmpose(frames, first=0),
        'alphapose': results,
        'coco': [r | {'image_id': int(r['image_id'].split('.')[0])} for r in reversed(results)],
    }[form]
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    found = read(path, **KNOWN)
    expected = in_shares(person)
    expected[1] = np.nan
    np.testing.assert_allclose(found.joints, expected, rtol=1e-6)
    assert found.joint_names == COCO_17
    assert 'prepare.fps' in refused(path, prepare__video_size=SIZE)
    assert 'prepare.video_size' in refused(path, prepare__fps=25.0)


def test_scores_above_1_are_full_visibility(tmp_path):
    person = pixels(1, 17)
    person[..., 3] = 2
    (tmp_path / 'a.json').write_text(json.dumps(files.alphapose([[person[0]]])))
    assert (read(tmp_path / 'a.json', **KNOWN).joints[..., 3] == 1).all()


def test_a_map_of_the_users_own_names_the_joints(tmp_path):
    person = pixels(2, 3)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(files.alphapose([[person[0]], [person[1]]])))
    assert 'found 3 joints, expected the 17' in refused(path, **KNOWN)
    names = ('nose', 'left_wrist', 'right_wrist')
    assert read(path, **KNOWN, prepare__joint_names=names).joint_names == names
    with pytest.raises(InputError, match='found nose twice'):
        read(path, **KNOWN, prepare__joint_names=('nose', 'nose', 'x'))
    with pytest.raises(InputError, match=r'prepare\.joint_map.*coco_17'):
        read(path, **KNOWN, prepare__joint_map='coco')
    with pytest.raises(InputError, match='expected one'):
        read(path, **KNOWN, prepare__joint_map='coco_17', prepare__joint_names=names)


BAD_JSON = {
    'other': ({'a': 1}, 'expected the results'),
    'one_frame': ({'people': []}, 'expected the results'),
    'nothing': ([], 'found no frames'),
    'words': (['a'], 'expected the results'),
    'no_keypoints': ([{'image_id': 0}], 'keypoints: found None'),
    'no_image': ([{'keypoints': [0] * 51}], 'image_id: found None'),
    'image_name': ([{'image_id': 'x.jpg', 'keypoints': [0] * 51}], "image_id: found 'x.jpg'"),
    'image_huge': ([{'image_id': 2**80, 'keypoints': [0] * 51}], 'image_id: found'),
    'image_far': ([{'image_id': 2**40, 'keypoints': [0] * 51}], 'prepare.max_file_mb'),
    'number_huge': ([{'image_id': 0, 'keypoints': [10**400] * 51}], 'else than numbers'),
    'depth': (
        [{'frame_id': 0, 'instances': [{'keypoints': [[1, 2, 3]], 'keypoint_scores': [1]}]}],
        'expected keypoints [J, 2]',
    ),
    'no_instances': ([{'frame_id': 0, 'instances': None}], 'instances: not found'),
}


@pytest.mark.parametrize(('content', 'message'), BAD_JSON.values(), ids=BAD_JSON)
def test_bad_keypoint_json_is_one_line(tmp_path, content, message):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    assert message in refused(path, **KNOWN)
