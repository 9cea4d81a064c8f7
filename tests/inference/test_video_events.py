"""Records of what was found in recordings with several gestures."""

import types

import numpy as np
import pytest

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.inference.events import Event, Rule
from posevid_jax.inference.video_events import Video, make_record
from tests import toy

NAMES = ['none', 'wave', 'clap']


def video(name, label, probs, events):
    frames = len(probs)
    recording = Recording(
        name=name, joints=np.zeros((frames, 1, 4), np.float32), joint_names=('nose',), fps=2.0,
        width=1, height=1, time=np.arange(frames) / 2,
    )  # fmt: skip
    rule = Rule(high=0.5, low=0.4, min_frames=1, gap_frames=0)
    return Video(recording, np.array(probs), np.zeros(frames, bool), rule, events, label)


def test_an_event_of_another_gesture_is_an_event_and_not_that_one():
    none, wave, clap = [0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.3, 0.5]
    probs = [none, wave, clap, wave, none, clap, clap, none]
    events = [Event(1, 4, 0.8), Event(5, 7, 0.8)]
    label = np.array([0, 1, 1, 1, 0, 1, 1, 0], np.int8)
    videos = [video('a', label, probs, events), video('b', None, probs, events)]
    run = types.SimpleNamespace(
        config=toy.config(predict__overlaps=(0.5,)), inputs={'class_names': NAMES}, threshold=None
    )
    record = make_record(videos, run)
    assert [e['label'] for e in record['videos'][1]['events']] == ['wave', 'clap']
    assert record['metrics'][0].f1 == 1
    found, each, no = (
        record['segmentation'][way] for way in ('found', 'one event each', 'no event')
    )
    assert (found.recordings, found.by_recording[0].name) == (1, 'a')
    assert found.numbers['f1@0.5'] == 0.5 and found.numbers['frame_accuracy'] == 0.75
    assert [(c.true_events, c.found_events) for c in found.classes] == [(2, 1), (0, 1)]
    assert each.numbers['frame_accuracy'] == pytest.approx(5 / 8)  # always wave
    assert no.numbers['frame_accuracy'] == pytest.approx(3 / 8)
