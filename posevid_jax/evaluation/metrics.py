"""Metrics of predicted probabilities, with the trivial classifier beside them."""

import numpy as np
from scipy import special
from sklearn import metrics as sk

Record = dict[str, object]


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Class probabilities `[N, classes]` of logits `[N, 1]` (sigmoid) or `[N, K]` (softmax)."""
    logits = np.asarray(logits, np.float64)
    if logits.shape[1] == 1:
        positive = special.expit(logits)
        return np.concatenate([1 - positive, positive], axis=1)
    return special.softmax(logits, axis=1)


def best_f1_threshold(label: np.ndarray, prob: np.ndarray) -> float:
    """The probability that, as a threshold (prob >= threshold), gives the highest F1.

    Args:
      label: `[N]` 0 or 1.
      prob: `[N]` probability of the positive class.

    Returns:
      the threshold, half way to the next lower probability so that rounding cannot cross it; 0.5
      when there is no positive to find.
    """
    if not np.any(label):
        return 0.5
    precision, recall, thresholds = sk.precision_recall_curve(label, prob)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    lower = thresholds[best - 1] if best > 0 else 0.0
    return float((thresholds[best] + lower) / 2)


def evaluate(label: np.ndarray, probs: np.ndarray, threshold: float) -> Record:
    """Metrics of one set of clips.

    Args:
      label: `[N]` class numbers.
      probs: `[N, K]` class probabilities.
      threshold: stored decision threshold of the positive class, read when K is 2.

    Returns:
      JSON-ready record: `clips`, `roc_auc` and `average_precision` (None when only one class is
      there), then for two classes `positives`, `at_threshold`, `at_0.5` and `always_positive`, each
      with threshold, precision, recall, f1 and confusion [[tn, fp], [fn, tp]]; for more classes
      macro `f1`, `accuracy` and `confusion`, the ranking metrics averaged one against the rest.
    """
    if probs.shape[1] > 2:
        return _several_classes(label, probs)
    prob = probs[:, 1]
    both = 0 < label.sum() < len(label)
    return {
        'clips': len(label),
        'positives': int(label.sum()),
        'roc_auc': float(sk.roc_auc_score(label, prob)) if both else None,
        'average_precision': float(sk.average_precision_score(label, prob)) if both else None,
        'at_threshold': _decisions(label, prob >= threshold, threshold),
        'at_0.5': _decisions(label, prob >= 0.5, 0.5),
        'always_positive': _decisions(label, np.ones(len(label), bool), 0.0),
    }


def _decisions(label: np.ndarray, positive: np.ndarray, threshold: float) -> Record:
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        label, positive, average='binary', zero_division=0
    )
    return {
        'threshold': float(threshold),
        'precision': float(precision),
        'recall': float(recall),
        'f1': float(f1),
        'confusion': sk.confusion_matrix(label, positive, labels=[0, 1]).tolist(),
    }


def _several_classes(label: np.ndarray, probs: np.ndarray) -> Record:
    classes = np.arange(probs.shape[1])
    predicted = probs.argmax(axis=1)
    # A class that the set lacks, or that is all of it, has no ranking to score.
    scored = [k for k in classes if 0 < (label == k).sum() < len(label)]

    def macro(score):
        return float(np.mean([score(label == k, probs[:, k]) for k in scored])) if scored else None

    return {
        'clips': len(label),
        'roc_auc': macro(sk.roc_auc_score),
        'average_precision': macro(sk.average_precision_score),
        'f1': float(sk.f1_score(label, predicted, average='macro', zero_division=0)),
        'accuracy': float(sk.accuracy_score(label, predicted)),
        'confusion': sk.confusion_matrix(label, predicted, labels=classes).tolist(),
    }
