"""Records of what was found in recordings with several gestures."""

import dataclasses
import types

import numpy as np
import pytest

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation import review_page, timeline
from posevid_jax.evaluation.drawing import Picture
from posevid_jax.inference import recording_files
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


@pytest.fixture
def videos():
    """Two recordings in which the first event is a wave and the second one, a wave too, a clap."""
    none, wave, clap = [0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.3, 0.5]
    probs = [none, wave, clap, wave, none, clap, clap, none]
    events = [Event(1, 4, 0.8), Event(5, 7, 0.8)]
    label = np.array([0, 1, 1, 1, 0, 1, 1, 0], np.int8)
    return [video('a', label, probs, events), video('b', None, probs, events)]


RUN = types.SimpleNamespace(
    config=toy.config(predict__overlaps=(0.5,)), inputs={'class_names': NAMES}, threshold=None
)


def test_an_event_of_another_gesture_is_an_event_and_not_that_one(videos):
    record = make_record(videos, RUN)
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


def test_timelines_tell_gestures_apart_where_there_are_several(videos, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(timeline, 'draw', lambda of: drawn.append(of) or Picture('<svg></svg>'))
    record = {'set': 'some'} | make_record(videos, RUN)
    recording_files.write(tmp_path / 'some', videos, record, NAMES, report=True, review=False)
    labelled, unlabelled = drawn
    assert labelled.gestures.found.tolist() == unlabelled.gestures.found.tolist() == [1, 2]
    assert labelled.gestures.labelled.tolist() == [1, 1]
    assert labelled.labelled.tolist() == [[0.5, 2.0], [2.5, 3.5]]
    assert unlabelled.labelled is None and not len(unlabelled.gestures.labelled)
    page = (tmp_path / 'some/index.html').read_text()
    assert page.count('<svg') == 2 and 'No labels.' in page
    two = dataclasses.replace(videos[1], probs=videos[1].probs[:, :2])
    recording_files.write(tmp_path / 'two', [two], record, NAMES[:2], report=False, review=False)
    assert drawn[-1].gestures is None


def test_doubt_is_what_the_probabilities_leave_to_other_classes(videos):
    # Frames of half a second; the events are a wave of 1 to 3, a clap of 5 and 6.
    wrong = [0.2, 0.3, 0.7, 0.3, 0.2, 0.5, 0.5, 0.2]
    assert videos[0].doubt == pytest.approx(sum(wrong) / 2)


def test_reviews_hold_what_was_found_and_what_is_known(videos, tmp_path, monkeypatch):
    made = {}
    monkeypatch.setattr(
        review_page, 'make', lambda of: made.update({of.recording.name: of}) or '<html>'
    )
    label = np.array([-1, 1, 1, 0, 0, 2, -1, -1], np.int8)
    some = [
        dataclasses.replace(videos[0], label=label),
        videos[1],
        video('c #d', None, [[1, 0, 0]], []),
    ]
    record = {'set': 'some'} | make_record(some, RUN)
    recording_files.write(tmp_path / 'some', some, record, NAMES, report=True, review=True)
    one, other, none = made['a'], made['b'], made['c #d']
    assert one.found.tolist() == other.found.tolist() == [[1, 4, 1], [5, 7, 2]]
    assert one.labelled.tolist() == [[1, 3, 1], [3, 5, 0], [5, 6, 2]]
    assert other.labelled is None and none.found.shape == (0, 3)
    assert one.limits == (0.5, 0.4) and one.class_names == NAMES
    assert (tmp_path / 'some/review/c #d.html').read_text() == '<html>'
    assert 'href="review/c%20%23d.html"' in (tmp_path / 'some/index.html').read_text()
