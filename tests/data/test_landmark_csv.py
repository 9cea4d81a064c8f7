"""Pose CSV: what it says, and the one line when it cannot be used."""

import gzip
import lzma
import re

import numpy as np
import pytest

from tests.data import landmark_files as files
from tests.data.landmark_reading import KNOWN, SIZE, read, refused


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
    joints[np.isnan(joints).any(-1)] = np.nan  # a part of a place is no place
    np.testing.assert_array_equal(found.joints, joints)
    assert found.joint_names == files.NAMES and found.name == 'video'
    assert (found.fps, found.width, found.height) == (29.97, 640, 480)
    np.testing.assert_allclose(found.time, np.arange(12) / 29.97, atol=1e-6)


def test_rows_that_are_left_out_are_missing_frames(tmp_path):
    path = tmp_path / 'a.csv'
    joints = files.joints(3)
    path.write_text(files.csv_text(joints, frames=[2, 3, 5], time=[0.3, 0.4, 0.65]))
    found = read(path)
    np.testing.assert_array_equal(found.joints[[2, 3, 5]], joints)
    assert np.isnan(found.joints[[0, 1, 4]]).all() and len(found.joints) == 6
    np.testing.assert_allclose(found.time, [0.1, 0.2, 0.3, 0.4, 0.525, 0.65])


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
    'no_depth': (changed('l9_z', 'l9_depth', 1), 'column z of joint 9: not found beside l9_x'),
    'twice': (changed('l9_z', 'l9_x', 1), 'column l9_x: found twice, as x of joint 9'),
    'unknown_joint': (
        lambda text: text.replace('l9_', 'l33_'),
        'joint 33: expected joints from 0 to 32',
    ),
    'no_rows': (lambda text: text.splitlines()[0] + '\n', 'found no frames'),
    'word': (changed('640', 'wide', 1), "line 2: column video_width: found 'wide'"),
    'half_a_row': (lambda text: text[: len(text) - 200], 'line 13: found 11 cells, expected 33'),
    'frame_twice': (changed('\n3,', '\n2,', 1), 'frame: found 2 after 2'),
    'frame_negative': (changed('\n0,', '\n-1,', 1), 'frame: found -1, expected numbers from 0'),
    'frame_fraction': (changed('\n3,', '\n3.5,', 1), 'frame: found 3.5, expected whole'),
    'frame_huge': (changed('\n11,', '\n99999999999,', 1), 'prepare.max_file_mb'),
    'two_rates': (changed('10.000000', '25.0', 1), 'column fps: found 10 and 25'),
    'times_stand': (
        lambda text: re.sub(r',0\.[3-9]00000,', ',0.2,', text),
        'that repeat or run',
    ),
    'no_height': (changed('480', '0'), 'column video_height: found 0'),
}


@pytest.mark.parametrize(('change', 'message'), BAD_CSV.values(), ids=BAD_CSV)
def test_a_bad_csv_is_one_line(tmp_path, change, message):
    path = tmp_path / 'a.csv'
    path.write_text(change(files.csv_text(files.joints())))
    line = refused(path)
    assert message in line
