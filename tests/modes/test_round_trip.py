"""Events of mode predict, read back as labels: the same frames."""

import csv
import pathlib
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from ml_collections import ConfigDict

from posevid_jax.data import source
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.inference import recording_files, video_events
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.events import Event, Rule
from posevid_jax.inference.video_events import Video
from posevid_jax.modes import prepare, read_recordings
from tests import toy

NAMES = ('still', 'wave', 'clap')
JOINTS = ('nose', 'left_wrist')
RATES = {'at 30': (30.0, 0.0), 'at 29.97': (30000 / 1001, 0.0), 'from 25 to 30': (25.0, 30.0)}
"""Frames a second of the files, and those that they are resampled to."""


class Trip(NamedTuple):
    """What was found in three recordings, and the keys that read it as their labels."""

    settings: ConfigDict
    form: ClipForm
    videos: list[Video]


@pytest.fixture(params=RATES)
def trip(request, tmp_path, monkeypatch):
    """The events lie where times have many digits, touch each other, the start and the end, last a
    frame, and are uncertain; in one recording nothing was found."""
    fps, rate = RATES[request.param]
    (tmp_path / 'landmarks').mkdir()
    for name in ('a.b', 'long', 'nothing'):
        frames = 1500 if name == 'long' else 60
        joints = np.random.default_rng(0).random((frames, 2, 4), np.float32)
        np.savez(
            tmp_path / f'landmarks/{name}.npz', skeleton=joints, joint_names=JOINTS, fps=fps,
            video_size=[4, 3],
        )  # fmt: skip
    settings = toy.config(
        prepare__landmarks=str(tmp_path / 'landmarks'), prepare__resample_fps=rate,
        prepare__outside='still',
    ).prepare  # fmt: skip
    form = ClipForm(
        whose='the run', num_frames=16, subclip=None, context=0, joint_names=JOINTS,
        feature_names=(), class_names=NAMES, typical=None,
    )  # fmt: skip
    videos = [found_in(of.recording) for of in read_recordings.read(settings, form, Report())]
    run = SimpleNamespace(inputs={'class_names': list(NAMES)})
    monkeypatch.setattr(recording_files, 'draw', lambda *_: '<svg></svg>')  # which takes long
    record = video_events.make_record(videos, run)
    recording_files.write(tmp_path / 'out', videos, record, list(NAMES), report=False, review=False)
    settings.labels = str(tmp_path / 'out/events.csv')
    return Trip(settings, form, videos)


def found_in(recording: Recording) -> Video:
    frames = len(recording.time)
    events = {
        'a.b': [Event(0, 7, 0.9, 1), Event(7, 8, 0.8, 2), Event(frames - 1, frames, 0.7, 1)],
        'long': [Event(k, k + 4, 0.9, 1 + k % 2) for k in range(3, frames - 4, 7)],
        'nothing': [],
    }[recording.name]
    return Video(
        recording=recording, probs=np.full((frames, 3), 1 / 3), uncertain=np.arange(frames) < 9,
        rule=Rule(0.5, 0.4, 1, 0), events=events, label=None,
    )  # fmt: skip


def test_labels_are_the_events_to_the_frame(trip):
    read = {
        of.recording.name: of.label
        for of in read_recordings.read(trip.settings, trip.form, Report())
    }
    assert len(read) == 3
    for video in trip.videos:
        found = read[video.recording.name]
        np.testing.assert_array_equal(found, video.found_label, video.recording.name)


def test_clips_of_them_have_the_labels_of_the_events(trip, tmp_path):
    config = toy.config()
    config.prepare.update(
        trip.settings.to_dict() | {'clip_length': 20.0, 'stride': 20.0, 'classes': NAMES}
    )
    config.prepare.output = str(tmp_path / 'clips.npz')
    prepare.prepare(config)
    clips = source.load(config.prepare.output, config.data)
    found = {video.recording.name: video.found_label for video in trip.videos}
    assert set(clips.video_ids) == set(found)
    for name, start, label in zip(
        clips.video_ids, clips.start_frame, clips.frame_label, strict=True
    ):
        np.testing.assert_array_equal(label, found[name][start : start + 20], name)


def test_a_video_without_events_has_a_row_and_an_uncertain_event_is_one(trip):
    path = pathlib.Path(trip.settings.labels)
    rows = list(csv.DictReader(path.open()))
    assert [row for row in rows if row['video'] == 'nothing'] == [
        dict.fromkeys(rows[0], '') | {'video': 'nothing'}
    ]
    assert {row['uncertain'] for row in rows} == {'True', 'False', ''}
