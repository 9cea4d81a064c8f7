import numpy as np
import pytest
from scipy import special
from sklearn import metrics as sk

from posevid_jax.evaluation import cv_report, decision, out_of_fold, thresholds


def made(clips=120, members=3, outputs=1, seed=0):
    """Labels, logits [N, M, K] that know a little of them, folds, and groups within folds."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, max(outputs, 2), clips)
    signal = np.eye(outputs)[label] if outputs > 1 else label[:, None]
    logits = 1.5 * signal[:, None] - 0.5 + rng.normal(size=(clips, members, outputs))
    group = np.arange(clips) // 4
    return label, logits, group % 3, group


def evaluated(*clips, **options):
    return out_of_fold.evaluate(*clips, **({'recall': 0.8, 'samples': 40} | options))


def test_the_numbers_are_those_of_the_mean_logit():
    label, logits, fold, group = made()
    record = evaluated(label, logits, fold, group)
    prob = special.expit(logits.mean(axis=1)[:, 0])
    pooled = record.pooled
    assert pooled.roc_auc == pytest.approx(sk.roc_auc_score(label, prob))
    assert pooled.average_precision == pytest.approx(sk.average_precision_score(label, prob))
    assert pooled.trivial_f1 == sk.f1_score(label, np.ones_like(label))
    rates, recalls, _ = sk.roc_curve(label, prob, drop_intermediate=False)
    assert pooled.false_positive_rate == rates[recalls >= 0.8].min()
    each = [sk.roc_auc_score(label[fold == k], prob[fold == k]) for k in range(3)]
    assert [of.numbers.roc_auc for of in record.folds] == pytest.approx(each)
    assert record.mean.roc_auc == pytest.approx(np.mean(each))
    assert record.std.roc_auc == pytest.approx(np.std(each, ddof=1))
    assert [of.clips for of in record.folds] == [40, 40, 40]
    alone = record.members['roc_auc'].each
    assert alone == pytest.approx([sk.roc_auc_score(label, logits[:, m, 0]) for m in range(3)])
    low, high = record.intervals['roc_auc']
    assert low < pooled.roc_auc < high


def test_a_fold_is_decided_by_the_threshold_of_the_others():
    label, logits, fold, group = made(members=1)
    logits[fold == 0] += 3  # this fold would need a threshold of its own
    prob = special.expit(logits[:, 0, 0])
    decided = np.empty(len(label), bool)
    for k in range(3):
        others = fold != k
        decided[~others] = prob[~others] >= thresholds.highest_f1(label[others], prob[others])
    record = evaluated(label, logits, fold, group)
    assert record.pooled.f1 == pytest.approx(sk.f1_score(label, decided))
    best_of_all = thresholds.cuts(label, prob).f1.max()
    assert record.pooled.f1 < best_of_all
    point = out_of_fold.operating_points(
        label, prob, fold, thresholds.rules(recall=0.8, precision=0.6)
    )['f1']
    assert point.expected.f1 == pytest.approx(sk.f1_score(label, decided))
    assert point.threshold == thresholds.highest_f1(label, prob)


def test_a_rule_that_nothing_meets_has_no_threshold():
    label, prob = np.tile([0, 1], 10), np.linspace(1, 0, 20)  # the wrong way round
    points = out_of_fold.operating_points(
        label, prob, np.arange(20) % 2, thresholds.rules(recall=0.8, precision=1)
    )
    assert points['precision'].threshold is None and points['precision'].expected is None
    assert points['recall'].threshold is not None


def test_calibration_is_judged_on_other_folds_than_it_was_fitted_to():
    label, logits, fold, group = made(members=1, clips=600)
    sure = evaluated(label, 5 * logits, fold, group).calibration
    for kind in ('temperature', 'platt'):
        for key in ('log_loss', 'brier', 'expected_calibration_error'):
            assert getattr(sure[kind], key) < getattr(sure['before'], key)
    # One fold says the opposite: what the others teach makes it worse than fitting all would.
    label = np.where(fold == 0, 1 - label, label)
    found = evaluated(label, logits, fold, group).calibration
    fitted = decision.fit_calibrations(label, logits[:, 0])['platt']
    assert found['platt'].log_loss > out_of_fold.calibration.log_loss(fitted(logits[:, 0]), label)


def test_several_classes_and_a_fold_that_lacks_one():
    label, logits, fold, group = made(outputs=3, clips=90)
    record = evaluated(label, logits, fold, group, samples=10)
    assert record.pooled.roc_auc > 0.6 and not hasattr(record.pooled, 'false_positive_rate')
    right = logits.mean(axis=1).argmax(axis=1) == label
    assert record.pooled.accuracy == pytest.approx(right.mean())
    assert record.pooled.trivial_accuracy == pytest.approx(np.bincount(label).max() / len(label))
    assert record.calibration.keys() == {'before', 'temperature'}
    text = '\n'.join(cv_report.lines(record, None))
    assert 'pooled' in text and 'FPR' not in text and 'accuracy' in text and 'macro F1' in text
    assert 'top 3' not in text and 'videos where clips have no group_id' in text
    record = evaluated(*made(outputs=6, clips=90), samples=10, unit='subject')
    assert record.pooled.accuracy < record.pooled.top_3_accuracy < record.pooled.top_5_accuracy
    text = '\n'.join(cv_report.lines(record, None))
    assert 'top 3' in text and 'top 5' in text
    assert 'over 23 subjects, so few that it is rough itself' in text and 'of one group_id' in text

    label, logits, fold, group = made()
    label[fold == 1] = 0
    record = evaluated(label, logits, fold, group)
    assert record.folds[1].numbers.roc_auc is None
    assert record.folds[1].numbers.false_positive_rate is None
    points = out_of_fold.operating_points(
        label, special.expit(logits[:, 0, 0]), fold, thresholds.rules(recall=0.8, precision=0.6)
    )
    assert 'fold 2' in '\n'.join(cv_report.lines(record, points))
