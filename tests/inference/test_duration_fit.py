"""Duration models of labels whose durations are known."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.inference.duration_fit import Labelled, Row, choose, fit

MIN_SECONDS, RATE = np.array([1.0, 0.4, 2.0]), np.array([0.2, 2.0, 0.5])
TRANSITION = np.array([[0, 0.8, 0.2], [1, 0, 0], [0.5, 0.5, 0]])


def simulated(rng, fps, seconds):
    """A recording cut out of one that has gone on for a while."""
    k, labels, frames = 0, [], int(seconds * fps)
    while len(labels) < 2 * frames:
        lasts = round(MIN_SECONDS[k] * fps) + rng.geometric(1 - np.exp(-RATE[k] / fps)) - 1
        labels += [k] * lasts
        k = rng.choice(3, p=TRANSITION[k])
    return np.array(labels[frames : 2 * frames])


@pytest.fixture(scope='module')
def recordings():
    rng = np.random.default_rng(0)
    fps = [25.0, 50.0] * 20
    return [simulated(rng, of, 60.0) for of in fps], fps


def test_known_durations_are_found(recordings):
    labels, fps = recordings
    model = fit(labels, fps, 3)
    # Of a rate r, 5 % are left within 0.05 / r seconds beyond the minimum.
    np.testing.assert_allclose(model.min_seconds, MIN_SECONDS + 0.051 / RATE, atol=0.2)
    np.testing.assert_allclose(model.leave_per_second, RATE, rtol=0.25)
    np.testing.assert_allclose(model.transition, TRANSITION, atol=0.1)
    shares = MIN_SECONDS + 1 / RATE
    shares *= [0.5, 0.45, 0.1]  # how often each comes: what TRANSITION leaves as it is
    np.testing.assert_allclose(model.prior, shares / shares.sum(), atol=0.1)


def test_what_is_cut_off_is_not_short():
    """Of 100 frames of class 1, no more is seen at once than 10."""
    whole = np.repeat([0, 1] * 10, 100)
    hidden = whole.copy()
    hidden[np.arange(len(whole)) % 50 < 40] = UNKNOWN_LABEL
    cut = [part for part in whole.reshape(-1, 50)[:, :10]]  # ends of recordings do the same
    found = fit([whole], [10.0], 2)
    assert found.min_seconds == pytest.approx([9, 9], abs=6)
    for labels in ([whole, hidden], [whole, *cut]):
        model = fit(labels, [10.0] * len(labels), 2)
        np.testing.assert_allclose(model.min_seconds, found.min_seconds)
    alone = fit(cut, [10.0] * len(cut), 2)
    assert list(alone.min_seconds) == [0, 0]  # nothing is known
    assert max(alone.leave_per_second) < 0.05


def test_a_stretch_that_was_there_before_may_be_beyond_its_minimum():
    labels = [np.repeat([0, 1], [20, 10]), np.repeat([1, 0, 1], [5, 30, 5])]
    model = fit(labels, [10.0, 10.0], 2, quantile=0.5)
    assert model.min_seconds[0] == pytest.approx(3)
    # Left twice, after 19.5 and 0.5 frames of 0.1 seconds, both with the pseudo count.
    assert model.leave_per_second[0] == pytest.approx(2.1 / 2.1)


def test_few_stretches_leave_room_for_shorter_ones():
    one = fit([np.repeat([0, 1, 0], 100)], [10.0], 2)
    assert one.min_seconds[1] == pytest.approx(10 * 0.05 * 2)  # the first of 1 lies at 1 / 2
    labels = np.repeat([0, 1, 0], [10, 30, 10])
    assert fit([labels], [10.0], 2, quantile=0.5).min_seconds[1] == pytest.approx(3)
    assert fit([labels], [10.0], 2, quantile=0.5, scale=0.5).min_seconds[1] == pytest.approx(1.5)


def test_classes_that_never_appear_are_possible():
    model = fit(
        [np.full(5, UNKNOWN_LABEL), np.zeros(0, np.int8), np.zeros(5, np.int8)], [5.0] * 3, 3
    )
    assert min(model.prior) > 0 and min(model.leave_per_second) > 0
    np.testing.assert_allclose(model.transition, (1 - np.eye(3)) / 2)


def test_the_row_with_the_highest_score_is_chosen(recordings):
    labels, fps = [of[:250] for of in recordings[0][:2]], recordings[1][:2]
    rng = np.random.default_rng(1)
    given = []
    for label, rate in zip(labels, fps, strict=True):
        logits = 2 * np.eye(3)[label] + 2 * rng.normal(size=(len(label), 3))
        given.append(Labelled(logits - np.log(np.exp(logits).sum(1, keepdims=True)), label, rate))

    def right(found):
        assert [len(of) for of in found] == [len(of) for of in labels]
        return np.mean(np.concatenate(found) == np.concatenate(labels))

    rows = (Row(1e-3, 1.0, 1.0), Row(1.0, 0.0, 1.0), Row(1.0, 0.0, 0.0))
    best = choose(given, right, rows)
    fitted = fit(labels, fps, 3)
    assert best == dataclasses.replace(fitted, weight=1.0, prior_weight=0.0)
    assert choose(given, lambda found: -right(found), rows).weight == 1e-3
    last = choose(given, lambda found: -float(np.diff(found[0]).astype(bool).sum()), rows[::-1])
    assert last.weight == 1e-3
    assert choose(given, lambda found: 0.0, rows[::-1]).min_seconds == [0, 0, 0]  # the first
