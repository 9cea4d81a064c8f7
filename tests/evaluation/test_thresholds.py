import numpy as np
import pytest
from sklearn import metrics as sk

from posevid_jax.evaluation import thresholds

LABEL = np.array([0, 0, 1, 1, 0, 1])
PROB = np.array([0.1, 0.6, 0.4, 0.9, 0.2, 0.8])


def random_clips(seed, clips=40):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, clips)
    label[:2] = 0, 1
    return label, np.round(rng.random(clips), 1)  # ties


def test_points_worked_out_by_hand():
    assert thresholds.highest_f1(LABEL, PROB) == pytest.approx(0.3)  # 3 found, 1 false
    assert thresholds.at_recall(LABEL, PROB, 0.6) == pytest.approx(0.7)  # 2 of 3
    assert thresholds.at_recall(LABEL, PROB, 2 / 3) == pytest.approx(0.7)
    assert thresholds.at_recall(LABEL, PROB, 0.8) == pytest.approx(0.3)
    assert thresholds.at_precision(LABEL, PROB, 0.9) == pytest.approx(0.7)
    point = thresholds.operating_point(LABEL, PROB, 0.3)
    assert point.confusion == [[2, 1], [0, 3]]
    assert point.false_positive_rate == pytest.approx(1 / 3)
    assert (point.precision, point.recall) == (0.75, 1)
    assert point.f1 == pytest.approx(6 / 7)


def test_a_miss_that_costs_more_lowers_the_threshold():
    cheap = thresholds.lowest_cost(LABEL, PROB, false_positive=1, false_negative=0.5)
    dear = thresholds.lowest_cost(LABEL, PROB, false_positive=1, false_negative=10)
    assert (cheap, dear) == (pytest.approx(0.7), pytest.approx(0.3))


@pytest.mark.parametrize('seed', range(10))
def test_cuts_are_those_of_sklearn(seed):
    label, prob = random_clips(seed)
    cuts = thresholds.cuts(label, prob)
    precision, recall, at = sk.precision_recall_curve(label, prob)
    np.testing.assert_allclose(cuts.precision, precision[:-1])
    np.testing.assert_allclose(cuts.recall, recall[:-1])
    assert (cuts.threshold <= at).all() and (cuts.threshold[1:] > at[:-1]).all()
    false_positive_rate, _, _ = sk.roc_curve(label, prob, drop_intermediate=False)
    np.testing.assert_allclose(cuts.false_positive_rate, false_positive_rate[:0:-1])


@pytest.mark.parametrize('seed', range(10))
def test_each_rule_gives_the_best_of_all_thresholds(seed):
    label, prob = random_clips(seed)
    points = [thresholds.operating_point(label, prob, t) for t in np.linspace(0, 1, 41)]
    points = [point for point in points if np.sum(point.confusion, 0)[1]]  # finds something

    def at(threshold):
        return thresholds.operating_point(label, prob, threshold)

    assert at(thresholds.highest_f1(label, prob)).f1 == max(p.f1 for p in points)
    chosen = at(thresholds.at_recall(label, prob, 0.8))
    assert chosen.recall >= 0.8
    assert chosen.false_positive_rate == min(
        p.false_positive_rate for p in points if p.recall >= 0.8
    )
    precise = [p.recall for p in points if p.precision >= 0.6 and p.recall]
    threshold = thresholds.at_precision(label, prob, 0.6)
    assert (threshold is None) == (not precise)
    if precise:
        assert at(threshold).precision >= 0.6 and at(threshold).recall == max(precise)

    def cost(point):
        (_, fp), (fn, _) = point.confusion
        return 2 * fp + 3 * fn

    cheapest = at(thresholds.lowest_cost(label, prob, false_positive=2, false_negative=3))
    assert cost(cheapest) == min(map(cost, points))


def test_clips_all_of_one_class_have_a_threshold_and_no_division_by_zero():
    nothing, everything = np.zeros(6, int), np.ones(6, int)
    assert thresholds.highest_f1(nothing, PROB) == 0.5
    assert thresholds.at_recall(nothing, PROB, 0.8) == 0.5
    assert thresholds.at_precision(nothing, PROB, 0.8) is None
    assert thresholds.operating_point(nothing, PROB, 0.95).precision == 0
    assert thresholds.operating_point(everything, PROB, 0.0).f1 == 1
    assert thresholds.operating_point(everything, PROB, 0.0).false_positive_rate == 0
