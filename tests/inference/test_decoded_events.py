"""Events by a duration model, of whole recordings and as frames come."""

import types

import numpy as np
import pytest

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.inference.decoded_events import DecodedEventFinder, decoded_events, segments
from posevid_jax.inference.events import Event
from posevid_jax.inference.video_events import Video, make_record
from posevid_jax.inference.viterbi import decode_with_look_ahead
from tests.inference.test_viterbi import FPS, THREE, random_log_probs


def test_segments_are_stretches_of_a_class():
    labels = np.array([1, 1, 0, 2, 1, 1])
    probs = np.arange(18).reshape(6, 3) / 10
    assert segments(labels, probs) == [
        Event(0, 2, pytest.approx((0.1 + 0.4) / 2), 1),
        Event(3, 4, pytest.approx(1.1), 2),
        Event(4, 6, pytest.approx((1.3 + 1.6) / 2), 1),
    ]
    assert segments(np.zeros(3, int), probs[:3]) == segments(labels[:0], probs[:0]) == []


def test_an_event_has_the_name_of_its_class():
    probs = np.tile([0.1, 0.5, 0.4], (4, 1))
    recording = Recording(
        name='v', joints=np.zeros((4, 1, 4), np.float32), joint_names=('nose',),
        fps=FPS, width=4, height=3, time=np.arange(4) / FPS,
    )  # fmt: skip
    video = Video(
        recording=recording,
        probs=probs,
        uncertain=np.zeros(4, bool),
        rule=THREE,
        events=[Event(0, 2, 0.4, 2), Event(2, 4, 0.4)],  # decoded, and of the gesture
        label=None,
    )
    run = types.SimpleNamespace(inputs={'class_names': ['none', 'a', 'b']})
    (record,) = make_record([video], run)['videos']
    assert [event['label'] for event in record['events']] == ['b', 'a']


@pytest.mark.parametrize('look_ahead', [0, 4, 200])
def test_changes_are_the_events_of_the_classes_that_are_told(look_ahead):
    probs = np.exp(random_log_probs(np.random.default_rng(4), 120, 3))
    finder = DecodedEventFinder(THREE, FPS, look_ahead)
    told = [finder.push(frame) for frame in probs]
    changes = [change for frame in told for change in frame] + finder.finish()
    ended = [event for kind, event in changes if kind == 'end']
    labels = decode_with_look_ahead(np.log(probs), THREE, FPS, look_ahead)
    expected = segments(labels, probs)
    assert len(ended) == len(expected) > 5
    for found, event in zip(ended, expected, strict=True):
        assert (found.start, found.end, found.label) == (event.start, event.end, event.label)
        assert found.confidence == pytest.approx(event.confidence)
    if look_ahead == 200:
        assert expected == decoded_events(probs, THREE, FPS)
    started = [(event.start, event.label) for kind, event in changes if kind == 'start']
    assert started == [(event.start, event.label) for event in ended]
    for frame, of in enumerate(told):
        for kind, event in of:
            assert frame - look_ahead == (event.start if kind == 'start' else event.end)
    assert finder.finish() == []
