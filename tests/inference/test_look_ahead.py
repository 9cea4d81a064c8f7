"""What the benchmark of look-ahead counts: events as a stream tells them, and when."""

import numpy as np

from benchmarks import look_ahead
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.inference import viterbi
from posevid_jax.inference.decoded_events import DecodedEventFinder
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import EventFinder, Rule, find_events

FPS = 10.0
MODEL = DurationModel(
    min_seconds=[0.5, 0.4, 0.4], leave_per_second=[0.5, 1.0, 1.0],
    transition=[[0, 0.5, 0.5], [1, 0, 0], [1, 0, 0]], prior=[0.8, 0.1, 0.1],
)  # fmt: skip


def probs():
    """Two events of different classes, the last one open at the end."""
    found = np.tile([0.9, 0.05, 0.05], (60, 1))
    found[10:20], found[45:] = [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]
    return found


def test_with_a_look_ahead_starts_are_told_so_much_later():
    for frames in (0, 5):
        way = look_ahead.durations(DecodedEventFinder(MODEL, FPS, frames))
        found = look_ahead.find(way, probs())
        expected = viterbi.decode_with_look_ahead(np.log(probs()), MODEL, FPS, frames)
        np.testing.assert_array_equal(found.label, expected)
        starts = np.flatnonzero(np.diff(expected, prepend=0) * (expected > 0))
        assert found.told == {start: start + frames for start in starts}


def test_thresholds_tell_an_event_when_it_is_long_enough_and_name_its_class():
    rule = Rule(high=0.5, low=0.5, min_frames=3, gap_frames=2)
    finder = EventFinder(rule)
    way = look_ahead.Finder(lambda of: finder.push(1 - of[0]), finder.finish)
    found = look_ahead.find(way, probs())
    assert found.told == {10: 12, 45: 47}
    assert [(e.start, e.end) for e in find_events(1 - probs()[:, 0], rule)] == [(10, 20), (45, 60)]
    assert set(found.label[10:20]) == {1} and set(found.label[45:]) == {2}
    assert not found.label[20:45].any()


def test_a_delay_is_from_the_labelled_start_to_the_frame_that_told_it():
    true, found = np.zeros((2, 60), np.int64)
    true[8:20], true[30:40], true[44:60] = 1, 1, 2
    found[10:20], found[25:27], found[45:60] = 1, 1, 2
    of = SegmentedRecording(true, found, np.arange(61) / FPS)
    # The event that matches none is late for nobody, and the labelled one that nothing matches too.
    late = look_ahead.delays(of, {10: 12, 25: 27, 45: 50}, classes=3)
    np.testing.assert_allclose(late, [0.4, 0.6])
