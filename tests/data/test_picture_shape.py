"""The command that measures how well bodies tell the shape of a picture."""

import numpy as np
import pytest

from benchmarks import picture_shape
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.landmarks.picture_shape import estimate
from tests.data.test_gate import face


@pytest.fixture
def told(tmp_path, capsys):
    """Two recordings in 16:9, one that is said to be 9:16, one of unknown size, an empty file."""
    known = {'joint_names': MEDIAPIPE_33, 'fps': 25.0}
    wide, high = (1920, 1080), (1080, 1920)
    sizes = {'right': wide, 'small': (160, 90), 'turned': high, 'unknown': None}
    for name, size in sizes.items():
        said = {} if size is None else {'video_size': size}
        np.savez(tmp_path / f'{name}.npz', skeleton=face(16 / 9), **known, **said)
    (tmp_path / 'z.csv').write_text('')
    found = picture_shape.recordings([str(tmp_path)], '')
    told = [picture_shape.told_by_bodies(recording) for recording in found]
    assert 'left out: ' in capsys.readouterr().out
    return told


def test_only_recordings_of_known_size_count_and_each_by_what_can_be_measured(told):
    assert [one.video for one in told] == ['right', 'small', 'turned']
    assert [set(one.estimates) for one in told] == [{'faces', 'both'}] * 3  # without eyes
    rows = picture_shape.each(told).rows
    assert rows[0][:2] == ('right', '1.778') and rows[0][2].endswith('(40)')
    assert rows[0][3] == ''


def test_the_summary_counts_what_was_right_and_what_bodies_contradict(told):
    faces, shoulders, both = picture_shape.summary(told).rows
    assert faces[1:5] == ('3', '3', '100%', '67%') and faces[7:] == ('1 of 3', '2 of 3', '3 of 3')
    assert both[1:] == faces[1:] and shoulders[1:3] == ('3', '0')
    error = np.log(16 / 9) * 2  # of the one that is turned; the other one has next to none
    assert float(faces[5]) == pytest.approx(0, abs=0.01)
    assert float(faces[6]) == pytest.approx(0.8 * error, abs=0.01)


def test_without_anybody_the_summary_is_empty():
    assert picture_shape.summary([]).rows[0][1:3] == ('0', '0')


def test_a_size_is_contradicted_where_it_is_far_off_and_not_where_it_may_be_chance():
    found = estimate(face(16 / 9), MEDIAPIPE_33)
    for off, contradicted in ((1.5, False), (1 / 1.5, False), (1.6, True), (1 / 1.6, True)):
        assert found._replace(measured=16 / 9 * off).contradicts(16 / 9) == contradicted
