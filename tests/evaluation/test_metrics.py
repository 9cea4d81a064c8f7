import numpy as np
import pytest
from sklearn import metrics as sk

from posevid_jax.errors import InputError
from posevid_jax.evaluation import metrics

LABEL = np.array([0, 0, 1, 1, 0, 1])
PROB = np.array([0.1, 0.6, 0.4, 0.9, 0.2, 0.8])


def two_columns(prob):
    return np.stack([1 - prob, prob], axis=1)


def test_record_against_numbers_worked_out_by_hand():
    record = metrics.evaluate(LABEL, two_columns(PROB), threshold=0.3)
    assert (record.clips, record.positives) == (6, 3)
    assert record.roc_auc == pytest.approx(8 / 9)  # 8 of 9 pairs in order
    assert record.average_precision == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert record.at_threshold.confusion == [[2, 1], [0, 3]]
    assert record.at_half.confusion == [[2, 1], [1, 2]]
    assert record.at_half.f1 == pytest.approx(2 / 3)
    assert record.always_positive.f1 == pytest.approx(2 / 3)
    assert record.always_positive.confusion == [[0, 3], [0, 3]]


@pytest.mark.parametrize('seed', range(5))
def test_every_number_is_that_of_sklearn(seed):
    rng = np.random.default_rng(seed)
    label = np.r_[0, 1, rng.integers(0, 2, 40)]
    prob = np.round(rng.random(42), 1)  # ties
    record = metrics.evaluate(label, two_columns(prob), threshold=0.35)
    found = [getattr(record, key) for key in ('roc_auc', 'average_precision', 'brier')]
    expected = (sk.roc_auc_score, sk.average_precision_score, sk.brier_score_loss)
    np.testing.assert_allclose(found, [function(label, prob) for function in expected])
    for at, threshold in (('at_threshold', 0.35), ('at_half', 0.5)):
        taken = prob >= threshold
        point = getattr(record, at)
        expected = {
            'precision': sk.precision_score(label, taken),
            'recall': sk.recall_score(label, taken),
            'specificity': sk.recall_score(label == 0, ~taken),
            'balanced_accuracy': sk.balanced_accuracy_score(label, taken),
            'f1': sk.f1_score(label, taken),
        }
        assert {key: getattr(point, key) for key in expected} == pytest.approx(expected)
        assert point.confusion == sk.confusion_matrix(label, taken).tolist()


def test_trivial_classifiers_by_hand():
    label = np.array([1, 1, 1, 0])
    record = metrics.evaluate(label, two_columns(np.array([0.9, 0.8, 0.7, 0.1])), 0.5)
    always, prior = record.always_positive, record.prior
    assert (always.brier, always.expected_calibration_error) == (0.25, 0.25)
    assert (prior.brier, prior.expected_calibration_error) == (0.75 * 0.25, 0)
    for trivial in (always, prior):  # positives are the majority, so both say yes
        assert (trivial.roc_auc, trivial.average_precision) == (0.5, 0.75)
        assert (trivial.precision, trivial.recall, trivial.specificity) == (0.75, 1, 0)
        assert trivial.balanced_accuracy == 0.5


def test_one_class_has_no_ranking():
    record = metrics.evaluate(np.zeros(3, int), two_columns(PROB[:3]), threshold=0.5)
    assert record.roc_auc is None and record.average_precision is None
    assert record.at_half.balanced_accuracy == record.at_half.specificity > 0


def test_a_model_that_has_diverged_is_named():
    with pytest.raises(InputError, match=r'NaN for 1 of 2 clips.*learning_rate'):
        metrics.evaluate(np.array([0, 1]), two_columns(np.array([0.2, np.nan])), threshold=0.5)


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
    assert [scores.support for scores in record.per_class] == [3, 2, 1, 0]
    assert [scores.precision for scores in record.per_class] == [1, 0.5, 0.5, 0]
    assert [scores.recall for scores in record.per_class] == pytest.approx([2 / 3, 0.5, 1, 0])
    aucs = [scores.roc_auc for scores in record.per_class]
    assert aucs == pytest.approx([9 / 9, 7 / 8, 5 / 5, None])
    assert record.roc_auc == pytest.approx((9 / 9 + 7 / 8 + 5 / 5) / 3)
    assert record.precision == pytest.approx(2 / 3)
    assert record.f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert record.accuracy == pytest.approx(4 / 6)
    assert record.confusion == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    majority = record.majority_class
    assert (majority.class_number, majority.accuracy) == (0, 0.5)
    assert majority.recall == pytest.approx(1 / 3)
    assert majority.f1 == pytest.approx(2 / 3 / 3)
    assert record.balanced_accuracy == record.recall
    assert record.per_class[1].specificity == pytest.approx(3 / 4)
    assert record.prior.brier == pytest.approx(1 - (9 + 4 + 1) / 36)
    assert record.prior.average_precision == pytest.approx(1 / 3)


def test_every_number_of_several_classes_is_that_of_sklearn():
    rng = np.random.default_rng(0)
    label = np.r_[np.arange(4), rng.integers(0, 4, 60)]
    probs = metrics.probabilities(np.round(rng.normal(size=(64, 4)), 1) + 1.5 * np.eye(4)[label])
    scores, predicted = metrics.evaluate(label, probs, None), probs.argmax(axis=1)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(label, predicted, average='macro')
    expected = {
        'roc_auc': sk.roc_auc_score(label, probs, multi_class='ovr'),
        'average_precision': sk.average_precision_score(np.eye(4)[label], probs),
        'precision': precision,
        'recall': recall,
        'f1': f1,
        'balanced_accuracy': sk.balanced_accuracy_score(label, predicted),
        'accuracy': sk.accuracy_score(label, predicted),
        'brier': 4 * np.mean([sk.brier_score_loss(label == k, probs[:, k]) for k in range(4)]),
    }
    assert {key: getattr(scores, key) for key in expected} == pytest.approx(expected)
    assert scores.confusion == sk.confusion_matrix(label, predicted).tolist()
    each = [sk.f1_score(label == k, predicted == k) for k in range(4)]
    assert [of.f1 for of in scores.per_class] == pytest.approx(each)


def test_the_class_is_among_the_most_probable_ones():
    rng = np.random.default_rng(0)
    label, probs = rng.integers(0, 7, 50), metrics.probabilities(rng.normal(size=(50, 7)))
    scores = metrics.evaluate(label, probs, None)
    for k, found in ((3, scores.top_3_accuracy), (5, scores.top_5_accuracy)):
        assert found == pytest.approx(sk.top_k_accuracy_score(label, probs, k=k))
    # Where all are equally probable, as often as a draw of so many classes would find it.
    equal = metrics.evaluate(label, np.full((50, 7), 1 / 7), None)
    assert (equal.top_3_accuracy, equal.top_5_accuracy) == pytest.approx((3 / 7, 5 / 7))
    few = metrics.evaluate(SEVERAL, SEVERAL_PROBS, None)
    assert few.top_3_accuracy == 1 and few.top_5_accuracy is None


def test_a_perfect_and_a_reversed_ranking_of_several_classes():
    label = np.array([0, 0, 1, 1, 2, 2])
    perfect = np.eye(3)[label] * 0.7 + 0.1
    record = metrics.evaluate(label, perfect, threshold=None)
    assert (record.roc_auc, record.f1, record.accuracy) == (1, 1, 1)
    worst = metrics.evaluate(label, np.roll(perfect, 1, axis=1), threshold=None)
    assert worst.accuracy == 0 and worst.roc_auc < 0.5
