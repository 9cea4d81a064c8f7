"""Readers of landmark files: what each format says, and the one line when it cannot be used."""

import gzip
import io
import json
import lzma
import pathlib
import pickle

import numpy as np
import pytest

from posevid_jax.data.joints import BODY_25, COCO_17
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.landmarks.recording import Recording
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


# Pose CSV


@pytest.mark.parametrize('name', ['a.csv', 'a.csv.gz', 'a.csv.xz', 'a.txt'])
def test_pose_csv_is_read_whatever_it_is_called_and_compressed_with(tmp_path, name):
    joints = files.joints()
    joints[3] = np.nan
    joints[5, 2, :3] = np.nan
    joints[7, -1, 3] = np.nan
    text = files.csv_text(joints, fps=29.97).encode()
    compress = {'.gz': gzip.compress, '.xz': lzma.compress}.get(name[-3:], bytes)
    (tmp_path / name).write_bytes(compress(text))
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.joints, joints)
    assert found.joint_names == files.NAMES and found.name == 'video'
    assert (found.fps, found.width, found.height) == (29.97, 640, 480)
    np.testing.assert_allclose(found.time, np.arange(12) / 29.97, atol=1e-6)


def test_rows_that_are_left_out_are_missing_frames(tmp_path):
    path = tmp_path / 'a.csv'
    joints = files.joints(3)
    path.write_text(files.csv_text(joints, frames=[2, 3, 5], time=[0.3, 0.4, 0.9]))
    found = read(path)
    np.testing.assert_array_equal(found.joints[[2, 3, 5]], joints)
    assert np.isnan(found.joints[[0, 1, 4]]).all() and len(found.joints) == 6
    np.testing.assert_allclose(found.time, [0.1, 0.2, 0.3, 0.4, 0.65, 0.9])


def test_a_csv_may_leave_rate_and_size_to_the_configuration_and_hold_other_columns(tmp_path):
    joints = files.joints(4)
    lines = files.csv_text(joints).splitlines()
    lines = [','.join([row.split(',')[0], 'word', *row.split(',')[5:]]) for row in lines]
    lines[0] = lines[0].replace('word', 'note')
    path = tmp_path / 'a.csv'
    path.write_text('\ufeff' + '\r\n'.join(lines), newline='')
    found = read(path, **KNOWN)
    np.testing.assert_array_equal(found.joints, joints)
    assert (found.fps, found.aspect) == (25, 640 / 480)
    np.testing.assert_array_equal(found.time, np.arange(4) / 25)
    assert 'prepare.fps' in refused(path, prepare__video_size=SIZE)
    assert 'prepare.video_size' in refused(path, prepare__fps=25.0)


def changed(old, new, count=-1):
    return lambda text: text.replace(old, new, count)


BAD_CSV = {
    'no_frame': (changed('frame,', 'number,', 1), 'column frame: not found'),
    'no_depth': (changed('l9_z', 'l9_depth', 1), 'column l9_z: not found'),
    'twice': (changed('l9_z', 'l9_x', 1), 'column l9_x: found twice'),
    'unknown_joint': (lambda text: text.replace('l9_', 'l33_'), 'l33_x: expected joints from 0'),
    'no_rows': (lambda text: text.splitlines()[0] + '\n', 'found no frames'),
    'word': (changed('640', 'wide', 1), "line 2: column video_width: found 'wide'"),
    'half_a_row': (lambda text: text[: len(text) - 200], 'line 13: found 11 cells, expected 33'),
    'frame_twice': (changed('\n3,', '\n2,', 1), 'column frame: found 2 after 2'),
    'frame_negative': (changed('\n0,', '\n-1,', 1), 'column frame: expected whole numbers'),
    'frame_fraction': (changed('\n3,', '\n3.5,', 1), 'column frame: expected whole numbers'),
    'frame_huge': (changed('\n11,', '\n99999999999,', 1), 'prepare.max_file_mb'),
    'two_rates': (changed('10.000000', '25.0', 1), 'column fps: found 10 and 25'),
    'no_rate': (changed(',10.000000', ',', -1), 'prepare.fps'),
    'time_stands': (changed(',0.300000', ',0.200000', 1), 'time: expected seconds'),
    'no_height': (changed('480', '0'), 'height: found 0'),
}


@pytest.mark.parametrize(('change', 'message'), BAD_CSV.values(), ids=BAD_CSV)
def test_a_bad_csv_is_one_line(tmp_path, change, message):
    path = tmp_path / 'a.csv'
    path.write_text(change(files.csv_text(files.joints())))
    line = refused(path)
    assert message in line


# Any file


def test_damaged_and_foreign_files_are_named(tmp_path):
    path = tmp_path / 'a.csv.xz'
    whole = lzma.compress(files.csv_text(files.joints()).encode())
    for content, message in (
        (whole[: len(whole) // 2], 'damaged'),
        (gzip.compress(whole)[:-9], 'damaged'),
        (b'', 'empty file'),
        (lzma.compress(b''), 'empty file'),
        (b'\x89PNG\r\n\x1a\n', 'expected the columns of a pose CSV'),
        (b'a,b\n1,2\n', 'expected the columns of a pose CSV'),
        (pickle.dumps({'a': 1}), 'expected the columns of a pose CSV'),
    ):
        path.write_bytes(content)
        assert message in refused(path)
    assert 'not found' in refused(tmp_path / 'none.csv')


@pytest.mark.parametrize('compress', [lzma.compress, gzip.compress])
def test_a_small_file_that_expands_beyond_the_limit_is_refused(tmp_path, compress):
    text = files.csv_text(files.joints())
    path = tmp_path / 'a.csv.xz'
    path.write_bytes(compress((text + '\n' * 3 * 2**20).encode()))
    assert path.stat().st_size < 20_000
    assert 'more than 2 MiB, decompressed' in refused(path, prepare__max_file_mb=2)
    assert len(read(path, prepare__max_file_mb=4).joints) == 12


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
    assert "frames of 'clip' and of 'other'" in refused(folder, **KNOWN)
    (tmp_path / 'b').mkdir()
    assert '*_keypoints.json' in refused(tmp_path / 'b', **KNOWN)


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
    assert 'found 9 numbers, expected 51' in refused(path, **KNOWN)
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


# Arrays


def test_arrays_in_pixels_or_shares_of_two_to_four_numbers(tmp_path):
    person = pixels(5, 17)
    person[2, 3] = np.nan
    path = tmp_path / 'a.npy'
    named = KNOWN | {'prepare__joint_map': 'coco_17'}
    np.save(path, person)
    np.testing.assert_allclose(read(path, **named).joints, in_shares(person), rtol=1e-6)
    np.save(path, in_shares(person).astype('>f8'))
    np.testing.assert_allclose(read(path, **named).joints, in_shares(person), rtol=1e-6)
    np.save(path, person[..., :2])
    found = read(path, **named).joints
    np.testing.assert_allclose(found[..., :2], in_shares(person)[..., :2], rtol=1e-6)
    assert (found[~np.isnan(person)[..., 0]][:, 2:] == (0, 1)).all()
    np.save(path, person[..., [0, 1, 3]])
    assert 'prepare.array_axes' in refused(path, **named)
    found = read(path, **named, prepare__array_axes='xyv').joints
    np.testing.assert_allclose(found, in_shares(person), rtol=1e-6)
    assert 'prepare.joint_map' in refused(path, **KNOWN, prepare__array_axes='xyv')


def test_an_npz_may_say_names_rate_and_size(tmp_path):
    path = tmp_path / 'a.npz'
    joints = files.joints(5, 3)
    names = ('nose', 'left_wrist', 'right_wrist')
    np.savez(path, skeleton=joints, joint_names=names, fps=50.0, video_size=(100, 200))
    found = read(path)
    np.testing.assert_array_equal(found.joints, joints)
    assert (found.joint_names, found.fps, found.aspect) == (names, 50, 0.5)
    np.savez(path, joints)
    np.testing.assert_array_equal(read(path, **KNOWN, prepare__joint_names=names).joints, joints)


def test_bad_arrays_are_one_line(tmp_path):
    named = KNOWN | {'prepare__joint_map': 'coco_17'}
    path = tmp_path / 'a.npy'
    objects = np.array([None, pathlib.Path('x')])
    good = files.joints(5, 17)
    for array, message in (
        (files.joints(5, 16), 'expected [T, 17, C]'),
        (files.joints(5, 17)[0], 'expected [T, 17, C]'),
        (good[:0], 'expected [T, 17, C]'),
        (np.concatenate([good, good], -1), 'found 8 numbers a joint'),
        (np.full((5, 17, 4), 'x'), 'expected numbers'),
        (objects, 'object array, which is never unpickled'),
    ):
        np.save(path, array)
        assert message in refused(path, **named)
    np.save(path, good)
    path.write_bytes(path.read_bytes()[:-40])
    assert 'damaged' in refused(path, **named)
    path = tmp_path / 'a.npz'
    np.savez(path, x=good, y=good)
    assert 'skeleton: not found' in refused(path, **named)
    np.savez(path, skeleton=objects)
    assert 'never unpickled' in refused(path, **named)


def samples():
    """A small file of each format."""
    person = pixels(3, 17)
    array = io.BytesIO()
    np.save(array, person)
    archive = io.BytesIO()
    np.savez_compressed(archive, skeleton=person, fps=25.0)
    text = files.csv_text(files.joints(3)).encode()
    frames = [[p] for p in person]
    return {
        'csv': text,
        'xz': lzma.compress(text),
        'gz': gzip.compress(text),
        'mmpose': json.dumps({'instance_info': files.mmpose(frames)}).encode(),
        'alphapose': json.dumps(files.alphapose(frames)).encode(),
        'npy': array.getvalue(),
        'npz': archive.getvalue(),
    }


@pytest.mark.parametrize('sample', samples())
def test_mutated_files_give_a_recording_or_one_line(tmp_path, sample):
    rng = np.random.default_rng(0)
    whole = samples()[sample]
    config = settings(**KNOWN, prepare__joint_map='coco_17', prepare__max_file_mb=1)
    path = tmp_path / 'file'
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(content)))
            kind = rng.integers(3)
            if kind == 0:
                content[at] = rng.integers(256)
            elif kind == 1:
                del content[at : at + int(rng.integers(1, 40))]
            else:
                content[at:at] = bytes(
                    rng.choice(list(b'0123456789-,.eE[]{}"\n')) for _ in range(2)
                )
            if not content:
                break
        path.write_bytes(content)
        try:
            assert isinstance(read_recording(path, 'video', config), Recording)
        except InputError as error:
            assert str(path) in str(error) and '\n' not in str(error)
