"""Found events against labelled ones."""

import itertools

import numpy as np
import pytest

from posevid_jax.evaluation.event_metrics import VideoEvents, evaluate_events, matches, overlaps


def spans(*pairs):
    return np.array(pairs, float).reshape(-1, 2)


def test_overlap_is_intersection_over_union():
    found, true = spans((0, 2), (5, 6)), spans((1, 3), (5, 6), (10, 12))
    np.testing.assert_allclose(overlaps(found, true), [[1 / 3, 0, 0], [0, 1, 0]])


def test_as_many_pairs_as_can_be():
    # The first one fits both; taken greedily, the second would stay alone.
    assert matches(np.array([[0.5, 0.6], [0.0, 0.55]]), 0.5) == 2
    rng = np.random.default_rng(0)
    for _ in range(30):
        overlap = rng.random((3, 4))
        best = max(
            sum(overlap[i, j] >= 0.6 for i, j in enumerate(order))
            for order in itertools.permutations(range(4), 3)
        )
        assert matches(overlap, 0.6) == best


def test_rounded_seconds_do_not_lose_a_match():
    seconds = np.arange(400) / 30
    for start in range(300):
        overlap = overlaps(seconds[[[start, start + 10]]], seconds[[[start, start + 20]]])
        assert matches(overlap, 0.5) == 1


def test_counts_over_videos():
    one = VideoEvents(spans((0, 4), (10, 11)), spans((0, 5), (20, 30)), seconds=1800)
    two = VideoEvents(spans(), spans((1, 2)), seconds=1800)
    loose, strict = evaluate_events([one, two], (0.5, 0.9))
    assert (loose.matched, loose.true_events, loose.found_events) == (1, 3, 2)
    assert loose.precision == 0.5 and loose.recall == pytest.approx(1 / 3)
    assert loose.f1 == pytest.approx(2 * 0.5 / 3 / (0.5 + 1 / 3))
    assert loose.false_alarms_per_hour == 1
    assert strict.matched == 0 and strict.false_alarms_per_hour == 2


def test_nothing_found_nothing_there():
    (record,) = evaluate_events([VideoEvents(spans(), spans(), seconds=0.0)], (0.5,))
    assert record.f1 == 0 and record.false_alarms_per_hour is None
