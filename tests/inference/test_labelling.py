"""What to label next: the doubtful first, not all of one recording, within the time given."""

import dataclasses

import numpy as np

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.inference import labelling
from posevid_jax.inference.events import Rule
from posevid_jax.inference.labelling import Cut, Stretch
from posevid_jax.inference.video_events import Video

FPS = 10


def video(prob, label=None, unseen=()):
    """A recording of 10 frames a second; nobody is seen in the frames `unseen`."""
    prob = np.asarray(prob, np.float64)
    joints = np.full((len(prob), 1, 4), 0.5, np.float32)
    joints[list(unseen)] = np.nan
    recording = Recording(
        name='v', joints=joints, joint_names=('nose',), fps=float(FPS), width=16, height=9,
        time=np.arange(len(prob)) / FPS,
    )  # fmt: skip
    return Video(
        recording=recording,
        probs=np.stack([1 - prob, prob], 1),
        uncertain=np.zeros(len(prob), bool),
        rule=Rule(0.5, 0.5, 1, 1),
        events=[],
        label=None if label is None else np.asarray(label),
    )


def test_stretches_are_all_of_a_recording_and_in_doubt_by_what_may_be_wrong():
    prob = np.r_[np.full(30, 0.9), np.full(30, 0.5), np.full(13, 0.2)]
    found = labelling.cut(video(prob, unseen=range(30, 45)), 7, seconds=3)
    spans = [(one.start, one.end) for one in found.unlabelled]
    assert spans == [(0, 36), (36, 73)] and found.labelled == 0
    first, second = found.unlabelled
    assert first.recording == 7 and np.isclose(first.seconds + second.seconds, 7.3)
    # Half a second of doubt a second where it is .5, but none where nobody is seen.
    assert np.isclose(first.doubt, 3 * 0.1)
    assert np.isclose(second.doubt, 1.5 * 0.5 + 1.3 * 0.2)


def test_what_is_labelled_is_no_longer_asked_for_but_counts():
    label = np.r_[np.full(20, -1), np.zeros(11), np.full(9, -1)]
    found = labelling.cut(video(np.full(40, 0.5), label), 0, seconds=2)
    assert [(one.start, one.end) for one in found.unlabelled] == [(0, 20)]
    assert found.labelled == 1


def stretches(recording, *doubts):
    return Cut([Stretch(recording, i, i + 1, 5.0, 5 * d) for i, d in enumerate(doubts)], 0)


def test_the_most_doubtful_come_first_and_less_and_less_of_one_recording():
    cuts = [stretches(0, 0.5, 0.4, 0.05), stretches(1, 0.3, 0.22), stretches(2, 0.01)]
    chosen = labelling.choose(cuts, 30.0)
    assert [(one.recording, one.start) for one in chosen] == [
        (0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (2, 0),
    ]  # fmt: skip
    # The other way about once two stretches of the first recording are labelled.
    cuts[0] = dataclasses.replace(cuts[0], labelled=2)
    assert [one.recording for one in labelling.choose(cuts, 10.0)] == [1, 0]


def test_the_time_is_kept_to_half_a_stretch():
    cuts = [stretches(0, 0.5, 0.4, 0.3)]
    lengths = [len(labelling.choose(cuts, seconds)) for seconds in (2.0, 2.5, 7.4, 7.5, 99.0)]
    assert lengths == [0, 1, 1, 2, 3]


def test_neighbours_are_one_stretch_to_look_at():
    spans = [(20, 30), (0, 10), (30, 40), (50, 55)]
    found = labelling.joined([Stretch(0, a, b, 1.0, 0.1) for a, b in spans])
    assert found.tolist() == [[0, 10], [20, 40], [50, 55]]
