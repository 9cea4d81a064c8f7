"""Metrics of predicted probabilities, with the trivial classifiers beside them."""

import numpy as np
from scipy import special

from posevid_jax.errors import InputError
from posevid_jax.evaluation import calibration, thresholds

Record = dict[str, object]

_MACRO = ('roc_auc', 'average_precision', 'precision', 'recall', 'specificity', 'f1')


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Class probabilities `[N, classes]` of logits `[N, 1]` (sigmoid) or `[N, K]` (softmax)."""
    logits = np.asarray(logits, np.float64)
    if logits.shape[1] == 1:
        positive = special.expit(logits)
        return np.concatenate([1 - positive, positive], axis=1)
    return special.softmax(logits, axis=1)


def evaluate(label: np.ndarray, probs: np.ndarray, threshold: float | None) -> Record:
    """Metrics of one set of clips.

    A ranking metric is None where the clips are all of one kind; of the others, 0 / 0 is 0.

    Args:
      label: `[N]` class numbers.
      probs: `[N, K]` class probabilities.
      threshold: stored decision threshold of the positive class; not read when K is above 2.

    Returns:
      JSON-ready record: `clips`, `roc_auc`, `average_precision`, `brier` and
      `expected_calibration_error`. For two classes `positives`, and a
      `thresholds.operating_point` each `at_threshold` and `at_0.5`; the same, with the four numbers
      before, of `always_positive`, which is sure of the gesture in every clip, and of `prior`,
      which gives each clip the set's own share of positives: no constant does better.

      For more classes, where the most probable one is predicted: `accuracy`, `precision`,
      `recall`, `specificity` and `f1`, averaged like the ranking metrics over the classes that the
      set holds; `balanced_accuracy`, which is the macro recall; `per_class`, a record a class with
      its `support`, each class against the rest; `confusion` [K, K], a row a true class; the same
      numbers of `majority_class`, which is sure of the set's most frequent class, `class`, in every
      clip, and of `prior`, which gives each class its share of the set.

    Raises:
      InputError: a probability is no number: the model has diverged.
    """
    lost = int((~np.isfinite(probs)).any(axis=1).sum())
    if lost:
        raise InputError(
            f'probabilities: found NaN for {lost} of {len(probs)} clips, expected numbers: '
            'training has diverged, a lower train.learning_rate may help'
        )
    if probs.shape[1] > 2:
        return _several_classes(label, probs)
    prob, sure, prior = probs[:, 1], np.ones(len(label)), np.full(len(label), np.mean(label == 1))
    return {
        'clips': len(label),
        'positives': int(label.sum()),
        **_quality(label, prob),
        'at_threshold': thresholds.operating_point(label, prob, threshold),
        'at_0.5': thresholds.operating_point(label, prob, 0.5),
        'always_positive': _quality(label, sure) | thresholds.operating_point(label, sure, 0.5),
        'prior': _quality(label, prior) | thresholds.operating_point(label, prior, 0.5),
    }


def ranking(member: np.ndarray, prob: np.ndarray) -> Record:
    """`roc_auc` and `average_precision` of one class against the rest; None for clips of one kind.

    Args:
      member: `[N]` bool, whether a clip is of the class.
      prob: `[N]` probability of it.
    """
    if member.all() or not member.any():
        return {'roc_auc': None, 'average_precision': None}
    every = thresholds.cuts(member, prob)
    recall, false = np.r_[every.recall, 0.0], np.r_[every.false_positive_rate, 0.0]
    return {
        'roc_auc': float(((false[:-1] - false[1:]) * (recall[:-1] + recall[1:])).sum() / 2),
        'average_precision': float(((recall[:-1] - recall[1:]) * every.precision).sum()),
    }


def reliability(label: np.ndarray, probs: np.ndarray) -> Record:
    """`calibration.reliability` of the positive class, or of the most probable one of several."""
    if probs.shape[1] == 2:
        return calibration.reliability(label == 1, probs[:, 1])
    return calibration.reliability(probs.argmax(axis=1) == label, probs.max(axis=1))


def _quality(label: np.ndarray, prob: np.ndarray) -> Record:
    return ranking(label == 1, prob) | _truthfulness(label, np.stack([1 - prob, prob], axis=1))


def _truthfulness(label: np.ndarray, probs: np.ndarray) -> Record:
    return {
        'brier': calibration.brier_score(probs, label),
        'expected_calibration_error': reliability(label, probs)['expected_calibration_error'],
    }


def _several_classes(label: np.ndarray, probs: np.ndarray) -> Record:
    num_classes = probs.shape[1]
    counts = np.bincount(label, minlength=num_classes)
    majority = int(counts.argmax())
    sure = np.zeros((len(label), num_classes))
    sure[:, majority] = 1
    shares = np.tile(counts / len(label), (len(label), 1))
    scores, per_class, confusion = _scores(label, probs)
    return {
        'clips': len(label),
        **scores,
        'per_class': per_class,
        'confusion': confusion.tolist(),
        'majority_class': {'class': majority, **_scores(label, sure)[0]},
        'prior': _scores(label, shares)[0],
    }


def _scores(label: np.ndarray, probs: np.ndarray) -> tuple[Record, list[Record], np.ndarray]:
    """The numbers of several classes together, each class alone, and who is taken for whom."""
    num_classes, predicted = probs.shape[1], probs.argmax(axis=1)
    per_class = []
    for k in range(num_classes):
        member = label == k
        point = thresholds.operating_point(member, predicted == k, 0.5)
        numbers = ranking(member, probs[:, k]) | {key: point[key] for key in _MACRO if key in point}
        per_class.append({'support': int(member.sum())} | numbers)
    present = [record for record in per_class if record['support']]
    macro = {}
    for key in _MACRO:
        values = [record[key] for record in present if record[key] is not None]
        macro[key] = float(np.mean(values)) if values else None
    confusion = np.bincount(label * num_classes + predicted, minlength=num_classes**2)
    scores = macro | {
        'balanced_accuracy': macro['recall'],
        'accuracy': float((predicted == label).mean()),
        **_truthfulness(label, probs),
    }
    return scores, per_class, confusion.reshape(num_classes, num_classes)
