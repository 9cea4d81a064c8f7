import numpy as np
import pytest

from posevid_jax.evaluation import metrics, report

LABEL = np.array([0, 0, 1, 1, 0, 1])
PROB = np.array([0.1, 0.6, 0.4, 0.9, 0.2, 0.8])


def two_columns(prob):
    return np.stack([1 - prob, prob], axis=1)


def test_record_against_numbers_worked_out_by_hand():
    record = metrics.evaluate(LABEL, two_columns(PROB), threshold=0.3)
    assert (record['clips'], record['positives']) == (6, 3)
    assert record['roc_auc'] == pytest.approx(8 / 9)  # 8 of 9 pairs in order
    assert record['average_precision'] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert record['at_threshold']['confusion'] == [[2, 1], [0, 3]]
    assert record['at_0.5']['confusion'] == [[2, 1], [1, 2]]
    assert record['at_0.5']['f1'] == pytest.approx(2 / 3)
    assert record['always_positive']['f1'] == pytest.approx(2 / 3)
    assert record['always_positive']['confusion'] == [[0, 3], [0, 3]]


def test_one_class_has_no_ranking_but_still_a_record_and_a_table():
    record = metrics.evaluate(np.zeros(3, int), two_columns(PROB[:3]), threshold=0.5)
    assert record['roc_auc'] is None and record['average_precision'] is None
    assert 'undefined' in '\n'.join(report.lines('set', record))


def test_probabilities_of_one_logit_and_of_several_sum_to_one():
    one = metrics.probabilities(np.array([[0.0], [800.0], [-800.0]]))
    np.testing.assert_allclose(one[:, 1], [0.5, 1, 0])
    several = metrics.probabilities(np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0]]))
    np.testing.assert_allclose(several.sum(axis=1), 1)


SEVERAL = np.array([0, 0, 0, 1, 1, 2])
# Predicted 0, 0, 1, 1, 2, 2; class 3 exists and is neither there nor predicted.
SEVERAL_PROBS = np.array([
    [0.7, 0.2, 0.1, 0.0], [0.6, 0.2, 0.2, 0.0], [0.3, 0.5, 0.2, 0.0],
    [0.1, 0.8, 0.1, 0.0], [0.2, 0.3, 0.4, 0.1], [0.1, 0.1, 0.8, 0.0],
])  # fmt: skip


def test_several_classes_against_numbers_worked_out_by_hand():
    record = metrics.evaluate(SEVERAL, SEVERAL_PROBS, threshold=None)
    assert [scores['support'] for scores in record['per_class']] == [3, 2, 1, 0]
    assert [scores['precision'] for scores in record['per_class']] == [1, 0.5, 0.5, 0]
    assert [scores['recall'] for scores in record['per_class']] == pytest.approx([2 / 3, 0.5, 1, 0])
    aucs = [scores['roc_auc'] for scores in record['per_class']]
    assert aucs == pytest.approx([9 / 9, 7 / 8, 5 / 5, None])
    assert record['roc_auc'] == pytest.approx((9 / 9 + 7 / 8 + 5 / 5) / 3)
    assert record['precision'] == pytest.approx(2 / 3)
    assert record['f1'] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert record['accuracy'] == pytest.approx(4 / 6)
    assert record['confusion'] == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    majority = record['majority_class']
    assert (majority['class'], majority['accuracy']) == (0, 0.5)
    assert majority['recall'] == pytest.approx(1 / 3)
    assert majority['f1'] == pytest.approx(2 / 3 / 3)


def test_a_set_of_one_of_several_classes_still_has_a_record_and_a_table():
    names = ['a', 'b', 'c', 'a class with a rather long name']
    record = metrics.evaluate(np.full(3, 3), SEVERAL_PROBS[:3], None) | {'class_names': names}
    assert record['roc_auc'] is None and record['accuracy'] == 0
    text = report.lines('set', record)
    assert 'undefined' in text[0]
    rows = [line for line in text if 'rather long name' in line]
    assert len({line.index('3') for line in rows[:2]}) == 1  # the columns stay aligned


def test_a_perfect_and_a_reversed_ranking_of_several_classes():
    label = np.array([0, 0, 1, 1, 2, 2])
    perfect = np.eye(3)[label] * 0.7 + 0.1
    record = metrics.evaluate(label, perfect, threshold=None)
    assert (record['roc_auc'], record['f1'], record['accuracy']) == (1, 1, 1)
    worst = metrics.evaluate(label, np.roll(perfect, 1, axis=1), threshold=None)
    assert worst['accuracy'] == 0 and worst['roc_auc'] < 0.5
