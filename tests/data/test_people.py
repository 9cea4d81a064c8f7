"""Which of several people is kept, and for how long."""

import json

import numpy as np
import pytest

from posevid_jax.data.landmarks import known, people
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.errors import InputError
from tests import toy
from tests.data import landmark_files as files

FPS = 10.0


def walker(x, speed, size, score=0.9, frames=20):
    """A body of 17 joints that walks through the picture: [T, 17, 4] in pixels."""
    shape = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (size / 2, size)
    body = np.zeros((frames, 17, 4), np.float32)
    body[..., :2] = shape + np.array([x, 100])
    body[..., 0] += speed * np.arange(frames)[:, None]
    body[..., 3] = score
    return body


LARGE = walker(100, 4, 200, score=0.6)
SMALL = walker(400, -10, 100, score=0.9)  # crosses the large one


def crowd(*bodies, seed=0):
    """Detections of each frame in random order: frame [D], joints [D, J, 4], body [D]."""
    rng = np.random.default_rng(seed)
    frame, joints, body = [], [], []
    for t in range(20):
        for b in rng.permutation(len(bodies)):
            if np.isfinite(bodies[b][t]).any():
                frame.append(t)
                joints.append(bodies[b][t])
                body.append(b)
    return np.array(frame), np.array(joints), np.array(body)


def keep(frame, joints, choice, ids=None):
    """Numbers of the detections that are kept."""
    return people.one_person('file', frame, joints, ids, FPS, choice).rows


@pytest.mark.parametrize(('choice', 'wanted'), [('largest', 0), ('confident', 1)])
def test_one_person_is_followed_through_the_crowd(choice, wanted):
    frame, joints, body = crowd(LARGE, SMALL)
    kept = keep(frame, joints, choice)
    np.testing.assert_array_equal(frame[kept], np.arange(20))
    assert (body[kept] == wanted).all()


def test_first_is_who_is_there_first():
    late = LARGE.copy()
    late[:3] = np.nan
    frame, joints, body = crowd(late, SMALL)
    assert (body[keep(frame, joints, 'first')] == 1).all()


def test_a_person_is_still_the_same_after_a_short_gap_and_the_next_one_fills_it():
    gone = LARGE.copy()
    gone[5:9] = np.nan
    frame, joints, body = crowd(gone, SMALL)
    kept = keep(frame, joints, 'largest')
    expected = np.zeros(20)
    expected[5:9] = 1
    np.testing.assert_array_equal(body[kept], expected)


def test_a_far_jump_is_another_person():
    """Linked across the jump, the second body would outrank the first in all frames."""
    here, there = LARGE.copy(), walker(100, 4, 190)
    here[10:] = np.nan
    there[:10, :, 0] += 500
    there[10:, :, 0] += 1000
    frame, joints, body = crowd(here, there, SMALL)
    kept = keep(frame, joints, 'largest')
    assert (body[kept][:10] == 0).all() and (body[kept][10:] == 1).all()


def test_joints_that_only_one_detection_has_do_not_disturb():
    some = LARGE.copy()
    some[::2, 5:] = np.nan
    frame, joints, body = crowd(some, SMALL)
    assert (body[keep(frame, joints, 'largest')] == 0).all()


def test_a_single_person_is_kept_however_it_moves():
    jumping = LARGE.copy()
    jumping[10:, :, 0] += 5000
    frame, joints, _ = crowd(jumping)
    np.testing.assert_array_equal(keep(frame, joints, 'largest'), np.arange(20))


def test_the_choice_reaches_the_readers(tmp_path):
    frames = [[LARGE[t], SMALL[t]] for t in range(20)]
    (tmp_path / 'a.json').write_text(json.dumps(files.mmpose(frames)))
    files.openpose(tmp_path / 'a', [[np.pad(p, ((0, 8), (0, 0))) for p in f] for f in frames])
    for name in ('a.json', 'a'):
        for choice, body in (('largest', LARGE), ('confident', SMALL)):
            config = toy.config(
                prepare__fps=FPS, prepare__video_size=(640, 480), prepare__person=choice
            ).prepare
            found = read_recording(tmp_path / name, 'a', config)
            np.testing.assert_allclose(found.joints[:, :17, 0], body[..., 0] / 640, rtol=1e-5)


def test_a_track_id_is_followed_and_one_that_is_not_there_is_named(tmp_path):
    entries = files.alphapose([[LARGE[t], SMALL[t]] for t in range(20)])
    for number, entry in enumerate(entries):
        entry['idx'] = 7 + number % 2
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(entries))

    def read(person):
        keys = {'prepare__fps': FPS, 'prepare__video_size': (640, 480), 'prepare__person': person}
        return read_recording(path, 'a', toy.config(**keys).prepare)

    found = read('8')
    np.testing.assert_allclose(found.joints[..., 0], SMALL[..., 0] / 640, rtol=1e-5)
    assert found.origin.people == (('8', 0, 20),)
    with pytest.raises(InputError, match=r"person: found '9', expected .*a track id .*\(7, 8\)"):
        read('9')
    for entry in entries:
        del entry['idx']
    path.write_text(json.dumps(entries))
    with pytest.raises(InputError, match=r"person: found '8', and the file has no track ids"):
        read('8')


@pytest.fixture
def tracked(tmp_path):
    """A file in which the small body is track 8, and reads it with a CSV of track ids."""
    entries = files.alphapose([[LARGE[t], SMALL[t]] for t in range(20)])
    for number, entry in enumerate(entries):
        entry['idx'] = 7 + number % 2
    (tmp_path / 'a.json').write_text(json.dumps(entries))
    people_csv = tmp_path / 'people.csv'

    def read(text, video='a', **keys):
        known._table.cache_clear()  # the file may have changed
        if text is not None:
            people_csv.write_text(text)
        given = {'fps': FPS, 'video_size': (640, 480), 'person': str(people_csv)} | keys
        config = toy.config(**{f'prepare__{key}': value for key, value in given.items()}).prepare
        return read_recording(tmp_path / 'a.json', video, config)

    return read


def test_a_file_of_track_ids_says_whom_to_keep_in_each_video(tracked, tmp_path):
    found = tracked('Video;person\na;8\nb;7\n')
    assert found.origin.people == (('8', 0, 20),) and not found.origin.notes
    for text in ('video,person\nb,8\n', 'video,person\na,\nb,8\n'):
        found = tracked(text)
        assert found.origin.people == (('7', 0, 20),)
        (note,) = found.origin.notes
        assert 'people.csv (prepare.person) has no row of the video: the largest' in note
    (tmp_path / 'videos.csv').write_text('video,person\na,8\n')
    found = tracked(None, video_table=str(tmp_path / 'videos.csv'))
    assert found.origin.people == (('8', 0, 20),) and not found.origin.notes


@pytest.mark.parametrize(
    ('text', 'line'),
    [
        (None, r'prepare\.person: .*people\.csv: not found'),
        ('', 'people.csv: column video: not found, the columns are none'),
        ('video,person\n', 'people.csv: found no rows, expected one a video'),
        ('video,track\na,8\n', 'column person: not found, the columns are video, track'),
        ('video,person\na,8\na,7\n', "line 3: found 'a' a second time"),
        ('video,person\na\n', 'line 2: found 1 cells, expected 2'),
        ('video,person\na,9\n', r"found '9', expected .*a track id of the file \(7, 8\)"),
    ],
)
def test_a_bad_file_of_track_ids_is_one_line(tracked, text, line):
    with pytest.raises(InputError, match=line):
        tracked(text)
