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


def evaluate(label: np.ndarray, probs: np.ndarray, threshold: float | None) -> Record:
    """Metrics of one set of clips.

    A ranking metric is None where the clips are all of one kind.

    Args:
      label: `[N]` class numbers.
      probs: `[N, K]` class probabilities.
      threshold: stored decision threshold of the positive class; not read when K is above 2.

    Returns:
      JSON-ready record: `clips`, `roc_auc`, `average_precision`, and for two classes `positives`,
      `at_threshold`, `at_0.5` and `always_positive`, each with threshold, precision, recall, f1 and
      confusion [[tn, fp], [fn, tp]]. For more classes, where the most probable one is predicted:
      `accuracy`, `precision`, `recall` and `f1`, averaged like the ranking metrics over the classes
      that the set holds; `per_class`, a record a class with its `support`, each class against the
      rest; `confusion` [K, K], a row a true class; and `majority_class`, what predicting the most
      frequent class of the set for every clip scores.
    """
    if probs.shape[1] > 2:
        return _several_classes(label, probs)
    prob = probs[:, 1]
    return {
        'clips': len(label),
        'positives': int(label.sum()),
        **ranking(label == 1, prob),
        'at_threshold': _decisions(label, prob >= threshold, threshold),
        'at_0.5': _decisions(label, prob >= 0.5, 0.5),
        'always_positive': _decisions(label, np.ones(len(label), bool), 0.0),
    }


def ranking(member: np.ndarray, prob: np.ndarray) -> Record:
    """`roc_auc` and `average_precision` of one class against the rest; None for clips of one kind.

    Args:
      member: `[N]` bool, whether a clip is of the class.
      prob: `[N]` probability of it.
    """
    both = member.any() and not member.all()
    return {
        'roc_auc': float(sk.roc_auc_score(member, prob)) if both else None,
        'average_precision': float(sk.average_precision_score(member, prob)) if both else None,
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
    num_classes = probs.shape[1]
    predicted = probs.argmax(axis=1)
    per_class = [
        record | ranking(label == k, probs[:, k])
        for k, record in enumerate(_per_class(label, predicted, num_classes))
    ]
    majority = int(np.bincount(label).argmax())
    always = _per_class(label, np.full(len(label), majority), num_classes)
    return {
        'clips': len(label),
        **_macro(per_class, ('roc_auc', 'average_precision', 'precision', 'recall', 'f1')),
        'accuracy': float((predicted == label).mean()),
        'per_class': per_class,
        'confusion': sk.confusion_matrix(label, predicted, labels=range(num_classes)).tolist(),
        'majority_class': {
            'class': majority,
            **_macro(always, ('precision', 'recall', 'f1')),
            'accuracy': float((label == majority).mean()),
        },
    }


def _per_class(label: np.ndarray, predicted: np.ndarray, num_classes: int) -> list[Record]:
    columns = sk.precision_recall_fscore_support(
        label, predicted, labels=range(num_classes), zero_division=0
    )
    return [
        {'support': int(n), 'precision': float(p), 'recall': float(r), 'f1': float(f)}
        for p, r, f, n in zip(*columns, strict=True)
    ]


def _macro(per_class: list[Record], keys: tuple[str, ...]) -> Record:
    """Means over the classes that are there, of what is defined for them."""
    present = [record for record in per_class if record['support']]
    values = {key: [r[key] for r in present if r[key] is not None] for key in keys}
    return {key: float(np.mean(found)) if found else None for key, found in values.items()}
