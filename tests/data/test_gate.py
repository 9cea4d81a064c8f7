"""The gate: whatever the unit of a file, a number means the same afterwards, or is refused."""

import numpy as np
import pytest

from posevid_jax.data.joints import COCO_17, MEDIAPIPE_33
from posevid_jax.data.landmarks import gate, picture_shape
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.landmarks.known import Known
from posevid_jax.errors import InputError
from tests.data.landmark_reading import SIZE, settings

FRAMES, FPS = 40, 25.0


def person(seed=0):
    """[T, 17, 4] in shares of the picture: somebody who stands still but for small movements."""
    rng = np.random.default_rng(seed)
    body = rng.uniform(0.3, 0.7, (1, 17, 4))
    body[..., 1] = np.linspace(0.2, 0.8, 17)  # from nose to ankles
    return np.round(body + rng.uniform(-0.01, 0.01, (FRAMES, 17, 4)), 6).clip(0.01, 0.99)


def found(joints, **fields):
    given = {'fps': FPS, 'size': SIZE, 'has_depth': True, 'has_visibility': True} | fields
    return Detections(
        where='file', joints=joints, joint_names=COCO_17, names_from='coco_17', **given
    )


def accept(joints, *, known=None, config=None, **fields):
    known = Known(None, None, 'largest') if known is None else known
    return gate.accept(found(joints, **fields), 'v', known, config or settings())


def refused(joints, **fields):
    with pytest.raises(InputError) as raised:
        accept(joints, **fields)
    line = str(raised.value)
    assert line.startswith('file: ') and '\n' not in line
    return line


# Places


def test_pixels_and_shares_of_the_whole_picture_are_the_same_place():
    shares = person()
    pixels = shares * np.array([*SIZE, 1, 1])
    for joints in (shares, pixels):
        np.testing.assert_allclose(accept(joints).joints, shares, rtol=1e-6)
    signed = shares * np.array([2, 2, 0, 1]) - np.array([1, 1, 0, 0])
    recording = accept(signed)
    np.testing.assert_allclose(recording.joints[..., :2], shares[..., :2], rtol=1e-5)
    assert 'from -1 to 1' in recording.origin.notes[0]
    known = Known(None, SIZE, 'largest')
    np.testing.assert_allclose(accept(pixels, known=known, size=None).joints, shares, rtol=1e-6)


def test_pixels_without_a_size_or_with_that_of_another_video_are_refused_with_the_numbers():
    pixels = person() * np.array([1920, 1080, 1, 1])
    line = refused(pixels, size=None)
    assert 'prepare.video_size' in line and 'x up to 1' in line
    assert '320 x 240 (file)' in refused(pixels, size=(320, 240))


@pytest.mark.parametrize('upwards', [False, True])
def test_places_about_the_body_keep_their_proportions_and_stand_upright(upwards):
    metres = person() * np.array([1.6, 1.6, 1.6, 1])
    metres[..., :3] -= metres[:, [11, 12], :3].mean(1, keepdims=True)  # centred at the hips
    given = metres * np.array([1, -1 if upwards else 1, 1, 1])
    recording = accept(given, size=None)
    assert recording.aspect == 1 and 'about the body' in recording.origin.notes[0]
    shown = recording.joints[..., :2] - recording.joints[:, :1, :2]
    wanted = metres[..., :2] - metres[:, :1, :2]
    factor = np.linalg.norm(shown) / np.linalg.norm(wanted)
    np.testing.assert_allclose(shown, wanted * factor, atol=1e-5)


# Missing


@pytest.mark.parametrize(
    'missing',
    [(np.nan, 0.5, 0, 0.9), (0, 0, 0, 0), (0, 0, 0, 0.9), (-1, -1, 0, 0.9), (0.5, 0.5, 0, 0),
     (0.5, 0.5, 0, -1), (0.5, 0.5, 0, np.nan)],
)  # fmt: skip
@pytest.mark.parametrize('unit', [1, 640])
def test_what_files_write_for_a_joint_that_was_not_found_is_missing(missing, unit):
    joints = person() * np.array([unit, unit, 1, 1])
    joints[5:9, 3] = missing
    recording = accept(joints, size=(unit, unit) if unit > 1 else SIZE)
    gone = np.isnan(recording.joints).all(-1)
    assert gone[5:9, 3].all() and gone.sum() == 4


# Visibility


@pytest.mark.parametrize(
    ('write', 'note'),
    [
        (lambda v: v, ''),
        (lambda v: 100 * v, 'percent'),
        (lambda v: np.log(v / (1 - v)), 'logits'),
    ],
)
def test_visibility_in_shares_percent_and_logits_is_the_same(write, note):
    joints = person()
    given = joints.copy()
    given[..., 3] = write(joints[..., 3])
    recording = accept(given)
    np.testing.assert_allclose(recording.joints[..., 3], joints[..., 3], rtol=1e-5)
    assert note in ' '.join(recording.origin.notes)


def test_flags_are_flags_and_scores_beyond_one_are_clipped_and_nonsense_is_refused():
    joints = person()
    joints[..., 3] = np.arange(FRAMES)[:, None] % 3
    seen = accept(joints).joints[..., 3]
    assert np.isnan(seen[0]).all() and (seen[1] == 0.5).all() and (seen[2] == 1).all()
    joints = person()
    joints[0, 0, 3] = 1.2
    assert accept(joints).joints[0, 0, 3] == 1
    joints[..., 3] = 4000
    assert 'visibility: found values from 4000 to 4000' in refused(joints)


# Time


def test_seconds_milliseconds_microseconds_and_frames_are_the_same_times():
    seconds = np.arange(FRAMES) / FPS
    for factor, note in ((1, ''), (1e3, 'ms'), (1e6, 'us'), (FPS, 'count frames')):
        for fps in (FPS, None) if factor != FPS else (FPS,):
            recording = accept(person(), time=seconds * factor, fps=fps)
            np.testing.assert_allclose(recording.time, seconds, atol=1e-9)
            assert recording.fps == pytest.approx(FPS)
            assert note in ' '.join(recording.origin.notes)


@pytest.mark.parametrize('fps', [30.0, 25.0, 29.97, 60.0])
def test_times_in_whole_milliseconds_give_the_rate_that_they_were_rounded_from(fps):
    time = np.round(1e3 * np.arange(FRAMES) / fps)
    time[20:] += 4000  # what is no step from frame to frame does not count
    assert accept(person(), time=time, time_unit='ms', fps=None).fps == pytest.approx(fps, rel=2e-3)


def test_rates_that_contradict_the_times_are_refused_with_both():
    line = refused(person(), time=np.arange(FRAMES) / 10)
    assert '10 frames a second' in line and 'fps is 25 (file)' in line
    uneven = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, FRAMES)) / FPS
    steady = accept(person(), time=uneven, fps=None)
    assert steady.fps == pytest.approx(1 / np.median(np.diff(uneven)), rel=1e-2)
    np.testing.assert_allclose(np.diff(steady.time), np.diff(uneven), atol=1e-9)


def test_times_that_run_backwards_are_counted_and_many_are_refused():
    time = np.arange(FRAMES) / FPS
    time[10] = time[9]
    recording = accept(person(), time=time)
    assert '1 times repeat or run backwards' in recording.origin.notes[0]
    np.testing.assert_allclose(recording.time, np.arange(FRAMES) / FPS, atol=1e-9)
    time[:20] = 0
    assert 'found 19 of 40 that repeat' in refused(person(), time=time)


# Frames


@pytest.mark.parametrize(('first', 'place'), [(0, 0), (1, 0), (60, 60)])
def test_frames_keep_their_place_wherever_their_numbers_begin(first, place):
    numbers = np.arange(first, first + FRAMES)
    recording = accept(person(), frame=numbers)
    assert len(recording.time) == place + FRAMES
    assert np.isnan(recording.joints[:place]).all() and np.isfinite(recording.joints[place:]).all()
    by_time = accept(person(), frame=numbers, time=numbers / FPS)
    np.testing.assert_array_equal(by_time.joints[first:], recording.joints[place:])


def test_frame_numbers_that_are_times_or_of_several_recordings_are_noticed():
    assert 'go up by 33' in refused(person(), frame=33 * np.arange(FRAMES))
    assert 'is it a time' in refused(person(), frame=np.arange(FRAMES) / 7)
    twice = np.arange(FRAMES) % 20
    assert 'several recordings in one file' in refused(person(), frame=twice, ordered=True)


def test_a_hole_in_time_is_missing_frames():
    time = np.arange(FRAMES) / FPS
    time[10:] += 4
    recording = accept(person(), frame=np.arange(FRAMES), time=time)
    assert len(recording.time) == FRAMES + 100
    assert np.isnan(recording.joints[10:110]).all()
    np.testing.assert_allclose(recording.time[[9, 110]], time[[9, 10]])


# The picture


def face(aspect, turned=False):
    """[T, 33, 4] of a head and shoulders from the front, in shares of a picture of that shape."""
    rng = np.random.default_rng(0)
    joints = np.full((FRAMES, 33, 4), np.nan)
    places = {'left_eye_outer': (0.06, 0.3), 'right_eye_outer': (-0.06, 0.3), 'nose': (0, 0.35),
              'mouth_left': (0.03, 0.3 + 0.12 / 1.31), 'mouth_right': (-0.03, 0.3 + 0.12 / 1.31),
              'left_shoulder': (0.2, 0.6), 'right_shoulder': (-0.2, 0.6)}  # fmt: skip
    for name, (x, y) in places.items():
        x = x + 0.05 if turned and name == 'nose' else x
        joints[:, MEDIAPIPE_33.index(name)] = (0.5 + x / aspect, y, 0, 0.9)
    joints[..., :2] += rng.uniform(-1e-4, 1e-4, joints[..., :2].shape)
    return joints


@pytest.mark.parametrize('aspect', [16 / 9, 1.0, 3 / 4])
def test_the_shape_of_the_picture_is_told_by_faces(aspect):
    estimate = picture_shape.estimate(face(aspect), MEDIAPIPE_33)
    assert estimate.aspect == aspect and estimate.by == 'faces'
    assert not estimate.contradicts(aspect) and estimate.contradicts(2.5 * aspect)
    assert picture_shape.estimate(face(aspect, turned=True), MEDIAPIPE_33) is None
    recording = gate.accept(
        Detections(where='file', joints=face(aspect), joint_names=MEDIAPIPE_33, names_from='x',
                   has_visibility=True, fps=FPS),
        'v', Known(None, None, 'largest'), settings(),
    )  # fmt: skip
    assert recording.aspect == aspect and recording.origin.size == 'bodies'
    assert 'the shape of the picture is estimated' in recording.origin.notes[0]


def test_without_a_face_the_shape_has_to_be_said():
    assert 'too few bodies face the camera' in refused(person(), size=None)
