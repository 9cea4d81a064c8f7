"""Recordings cut into clips: which frames, which labels, which times."""

import itertools

import numpy as np
import pytest

from posevid_jax.data import slicing
from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.data.intervals import Intervals
from posevid_jax.errors import InputError
from tests import toy
from tests.data import landmark_files as files

CLASSES = ('no', 'yes')


def settings(**keys):
    keys = {'clip_length': 4.0, 'stride': 3.0} | keys
    config = toy.config(**{f'prepare__{key}': value for key, value in keys.items()}).prepare
    slicing.check(config)
    return config


def intervals(*rows):
    start, end, label = zip(*rows, strict=True)
    return Intervals(np.array(start, float), np.array(end, float), label)


EVERYWHERE = intervals((0, 1000, 'no'))


def cut(recording, labels=EVERYWHERE, classes=CLASSES, **keys):
    return slicing.slice_recording(recording, labels, classes, settings(**keys), 'set')


@pytest.mark.parametrize('frames', range(4, 14))
def test_clips_begin_every_stride_and_all_are_whole(frames):
    joints = files.joints(frames)
    clips = cut(files.recording(joints)).clips
    np.testing.assert_array_equal(clips.start_frame, np.arange(0, frames - 3, 3))
    np.testing.assert_array_equal(clips.end_frame, clips.start_frame + 3)
    for start, skeleton in zip(clips.start_frame, clips.skeleton, strict=True):
        np.testing.assert_array_equal(skeleton, joints[start : start + 4])
    assert clips.videos == ('set:a',) and clips.joint_names[0] == 'j0'
    np.testing.assert_array_equal(clips.fps, 10)
    np.testing.assert_allclose(clips.aspect, 640 / 480)


def test_a_recording_shorter_than_a_clip_gives_none():
    slices = cut(files.recording(files.joints(3)))
    assert slices.clips is None and slices.too_short
    assert not cut(files.recording(files.joints(4))).too_short


def test_lengths_in_seconds_follow_the_rate():
    recording = files.recording(files.joints(50), fps=25.0)
    clips = cut(recording, unit='seconds', clip_length=0.4, stride=0.2, context=0.1).clips
    assert clips.skeleton.shape[1] == 10 and clips.context_skeleton.shape[1] == 2 * 2
    np.testing.assert_array_equal(np.diff(clips.start_frame), 5)


def test_a_clip_is_positive_from_the_threshold_on():
    """4 frames at 10 per second; the gesture covers 0, 1, ... 4 of those of the first clip."""
    recording = files.recording(files.joints(4))
    for covered in range(5):
        labels = intervals((0, covered / 10, 'yes'), (covered / 10, 9, 'no'))
        clips = cut(recording, labels, positive_share=0.75).clips
        assert clips.label[0] == (covered >= 3)
        np.testing.assert_array_equal(clips.frame_label[0], np.arange(4) < covered)


def test_the_label_of_the_centre():
    recording = files.recording(files.joints(5))
    for frame in range(5):
        labels = intervals((frame / 10, (frame + 1) / 10, 'yes'))
        clips = cut(recording, labels, clip_length=5.0, label_rule='centre', outside='no').clips
        assert clips.label[0] == (frame == 2)
    slices = cut(recording, intervals((0, 0.2, 'no')), clip_length=5.0, label_rule='centre')
    assert slices.clips is None and slices.undecided == 1


def test_the_share_against_every_way_to_fill_unknown_frames():
    """A label is given exactly when it would be the same whatever the unknown frames are."""
    for share, classes in itertools.product((0.3, 0.5, 1.0), (2, 3)):
        config = settings(positive_share=share)
        for row in itertools.product(range(-1, classes), repeat=4):
            unknown = np.flatnonzero(np.array(row) < 0)
            fillings = np.array([*itertools.product(range(classes), repeat=len(unknown))], int)
            full = np.tile(row, (len(fillings), 1))
            full[:, unknown] = fillings
            possible = set(slicing.clip_labels(full, classes, config).tolist())
            expected = possible.pop() if len(possible) == 1 else UNKNOWN_LABEL
            assert slicing.clip_labels(np.array([row]), classes, config)[0] == expected, row


def test_the_class_with_the_most_frames_wins():
    config = settings(positive_share=0.4)
    rows = np.array([[1, 1, 2, 2, 2], [0, 0, 0, 1, 2], [1, 1, 2, 2, 0], [0, 0, 0, 2, 2]])
    np.testing.assert_array_equal(slicing.clip_labels(rows, 3, config), [2, 0, 1, 2])


def test_clips_without_enough_poses_are_left_out_and_counted():
    joints = files.joints(12)
    joints[:3] = np.nan
    joints[3, 1:] = np.nan  # one joint is a pose
    keys = {'stride': 4.0}
    everything = cut(files.recording(joints), **keys)
    assert len(everything.clips) == 3 and everything.no_pose == 0
    for coverage, left in ((0.25, 3), (0.26, 2)):
        slices = cut(files.recording(joints), min_coverage=coverage, **keys)
        assert len(slices.clips) == left and slices.no_pose == 3 - left
    assert not everything.clips.skeleton_mask[0, :3].any()


def test_context_is_what_surrounds_the_clip_and_missing_outside_of_the_video():
    joints = files.joints(12)
    clips = cut(files.recording(joints), context=2.0).clips
    np.testing.assert_array_equal(clips.start_frame, [0, 3, 6])
    assert clips.context_skeleton.shape == (3, 4, files.JOINTS, 4)
    padded = np.pad(joints, ((2, 2), (0, 0), (0, 0)))
    for start, context in zip(clips.start_frame, clips.context_skeleton, strict=True):
        around = [start, start + 1, start + 6, start + 7]  # in the padded recording
        np.testing.assert_array_equal(context, padded[around])
    seen = clips.context_mask.all(-1)
    np.testing.assert_array_equal(seen, [[0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    assert cut(files.recording(joints)).clips.context_skeleton is None


def test_joints_to_keep_are_taken_by_name_in_their_order():
    joints = files.joints(4)
    recording = files.recording(joints, names=files.NAMES)
    clips = cut(recording, joints=('left_wrist', 'nose')).clips
    assert clips.joint_names == ('left_wrist', 'nose')
    np.testing.assert_array_equal(
        clips.skeleton[0], joints[:, [files.NAMES.index('left_wrist'), 0]]
    )
    with pytest.raises(InputError, match=r'prepare\.joints: neck not found'):
        cut(recording, joints=('nose', 'neck'))


def test_without_labels_there_are_clips_without_labels():
    slices = cut(files.recording(files.joints(8)), None, ())
    assert len(slices.clips) == 2 and not slices.clips.labelled
    assert (slices.clips.frame_label == UNKNOWN_LABEL).all() and slices.undecided == 0


def test_labels_that_reach_beyond_the_recording_are_measured():
    assert cut(files.recording(files.joints(11)), intervals((0, 4, 'no'))).beyond == pytest.approx(
        3
    )


# Resampling


def line(time):
    """Joints on straight lines over time: [T, 2, 4]."""
    slope = np.array([[0.1, -0.2, 0.3, 0.0], [0.05, 0.1, 0.0, 0.2]])
    return (0.5 + np.asarray(time)[:, None, None] * slope).astype(np.float32)


def test_resampling_keeps_times():
    time = np.arange(61) / 30
    recording = files.recording(line(time), fps=30.0)
    for fps in (25, 10, 60, 29.97):
        found = slicing.resample(recording, fps, 1.0)
        np.testing.assert_allclose(found.time, np.arange(len(found.time)) / fps)
        assert 2 - 1 / fps < found.time[-1] <= 2 and found.fps == fps
        np.testing.assert_allclose(found.joints, line(found.time), atol=1e-6)


def test_resampling_to_the_same_rate_changes_nothing():
    joints = files.joints(40)
    joints[7] = np.nan
    time = np.round(np.arange(40) / 29.97, 6)  # as written to a file
    recording = files.recording(joints, fps=29.97, time=time)
    np.testing.assert_array_equal(slicing.resample(recording, 29.97, 1.0).joints, joints)
    assert slicing.resample(recording, 0.0, 1.0) is recording


def test_resampling_follows_the_times_of_a_camera_of_varying_rate():
    time = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.06, 60))
    found = slicing.resample(files.recording(line(time), fps=30.0, time=time), 20.0, 1.0)
    known = found.time >= time[0]
    np.testing.assert_allclose(found.joints[known], line(found.time[known]), atol=1e-5)
    assert np.isnan(found.joints[~known]).all() and found.time[0] == 0


def test_resampling_does_not_bridge_what_is_missing():
    joints = line(np.arange(10) / 10)
    joints[4, 0] = np.nan
    found = slicing.resample(files.recording(joints), 20.0, 1.0)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.joints[:, 0, 0])), [7, 8, 9])
    assert np.isfinite(found.joints[:, 1]).all()


def test_nothing_is_interpolated_over_a_longer_gap_than_allowed():
    time = np.array([0.0, 0.1, 0.2, 0.6, 0.7])
    recording = files.recording(line(time), time=time)
    found = slicing.resample(recording, 20.0, 0.2)
    missing = np.isnan(found.joints[:, 0, 0])
    np.testing.assert_allclose(found.time[missing], np.arange(0.25, 0.6, 0.05))
    assert not np.isnan(slicing.resample(recording, 20.0, 0.5).joints).any()
    with pytest.raises(InputError, match=r'found 4 frames a second.*at most 0\.2 s apart'):
        slicing.resample(files.recording(line(time), fps=4.0), 20.0, 0.2)


def test_times_that_cannot_be_seconds_are_refused():
    recording = files.recording(files.joints(3), time=[0, 1, 1e12])
    with pytest.raises(InputError, match=r'time: found 1e\+12 s for the 3 frames of video a'):
        slicing.resample(recording, 30.0, 1e15)


def test_labels_of_a_resampled_recording_keep_their_seconds():
    labels = intervals((0, 1, 'no'), (1, 2, 'yes'), (2, 9, 'no'))
    for fps in (30.0, 25.0):
        recording = files.recording(line(np.arange(3 * fps) / fps), fps=fps)
        clips = cut(recording, labels, resample_fps=20.0, clip_length=10.0, stride=10.0).clips
        second = clips.start_frame / clips.fps
        np.testing.assert_array_equal(clips.label, (second >= 1) & (second < 2))
        np.testing.assert_array_equal(clips.fps, 20)


BAD = {
    'unit': ('minutes', 'frames, seconds'),
    'label_rule': ('most', 'share, centre'),
    'clip_length': (0.0, 'above 0'),
    'stride': (2.5, 'whole frames'),
    'context': (-1.0, 'no negative'),
    'resample_fps': (-1.0, 'no negative'),
    'positive_share': (0.0, 'above 0'),
    'min_coverage': (1.5, '0 to 1'),
}


@pytest.mark.parametrize('key', BAD)
def test_a_wrong_key_is_named(key):
    value, message = BAD[key]
    with pytest.raises(InputError, match=rf'prepare\.{key}: found .*{message}'):
        settings(**{key: value})
