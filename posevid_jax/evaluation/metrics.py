"""Metrics of predicted probabilities, with the trivial classifiers beside them.

They are computed here, from whole arrays: an interval draws the videos a thousand times and needs
every number of every draw, for which scikit-learn, which checks its arguments at every call, takes
far longer. The numbers of a set and those of its draws come from the same lines, and those in
history.json stay the same bit for bit (the last bit of ROC-AUC differs in scikit-learn). A test
compares each number with scikit-learn's.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import special

from posevid_jax.errors import InputError
from posevid_jax.evaluation import calibration, thresholds
from posevid_jax.evaluation.results import Reliability
from posevid_jax.evaluation.scores import (
    BinaryScores,
    ClassScores,
    ConstantScores,
    MacroScores,
    MajorityScores,
    MulticlassScores,
    Quality,
    Ranking,
    Scores,
)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Class probabilities `[N, classes]` of logits `[N, 1]` (sigmoid) or `[N, K]` (softmax)."""
    logits = np.asarray(logits, np.float64)
    if logits.shape[1] == 1:
        positive = special.expit(logits)
        return np.concatenate([1 - positive, positive], axis=1)
    return special.softmax(logits, axis=1)


def evaluate(label: np.ndarray, probs: np.ndarray, threshold: float | None) -> Scores:
    """Metrics of one set of clips.

    A ranking metric is None where the clips are all of one kind; of the others, 0 / 0 is 0.

    Args:
      label: `[N]` class numbers.
      probs: `[N, K]` class probabilities.
      threshold: stored decision threshold of the positive class; not read when K is above 2.

    Returns:
      `BinaryScores` of two classes, `MulticlassScores` of more.

    Raises:
      InputError: a probability is NaN: the model has diverged.
    """
    lost = int((~np.isfinite(probs)).any(axis=1).sum())
    if lost:
        raise InputError(
            f'probabilities: found NaN for {lost} of {len(probs)} clips, expected numbers: '
            'training has diverged, a lower train.learning_rate may help'
        )
    if probs.shape[1] > 2:
        return multiclass_scores(label, probs)
    if threshold is None:
        raise ValueError('threshold: found None, expected one where there are two classes')
    prob, sure, prior = probs[:, 1], np.ones(len(label)), np.full(len(label), np.mean(label == 1))
    return BinaryScores(
        clips=len(label),
        positives=int(label.sum()),
        **vars(_quality(label, prob)),
        at_threshold=thresholds.operating_point(label, prob, threshold),
        at_half=thresholds.operating_point(label, prob, 0.5),
        always_positive=_constant(label, sure),
        prior=_constant(label, prior),
    )


def multiclass_scores(label: np.ndarray, probs: np.ndarray) -> MulticlassScores:
    """`evaluate` of more than two classes: the most probable one is decided for."""
    clips, num_classes = probs.shape
    counts = np.bincount(label, minlength=num_classes)
    majority = int(counts.argmax())
    sure = np.zeros((clips, num_classes))
    sure[:, majority] = 1
    shares = np.tile(counts / clips, (clips, 1))
    per_class, predicted = _each_class(label, probs), probs.argmax(axis=1)
    confusion = np.bincount(label * num_classes + predicted, minlength=num_classes**2)
    return MulticlassScores(
        clips=clips,
        **vars(_macro(label, probs, per_class)),
        per_class=per_class,
        confusion=confusion.reshape(num_classes, num_classes).tolist(),
        majority_class=MajorityScores(class_number=majority, **vars(_macro(label, sure))),
        prior=_macro(label, shares),
    )


def ranking(member: np.ndarray, prob: np.ndarray) -> Ranking:
    """How one class is ranked above the rest.

    Args:
      member: `[N]` bool, whether a clip is of the class.
      prob: `[N]` probability of it.
    """
    if member.all() or not member.any():
        return Ranking(roc_auc=None, average_precision=None)
    every = thresholds.cuts(member, prob)
    recall, false = np.r_[every.recall, 0.0], np.r_[every.false_positive_rate, 0.0]
    return Ranking(
        roc_auc=float(((false[:-1] - false[1:]) * (recall[:-1] + recall[1:])).sum() / 2),
        average_precision=float(((recall[:-1] - recall[1:]) * every.precision).sum()),
    )


def reliability(label: np.ndarray, probs: np.ndarray) -> Reliability:
    """`calibration.reliability` of the positive class, or of the most probable one of several."""
    if probs.shape[1] == 2:
        return calibration.reliability(label == 1, probs[:, 1])
    return calibration.reliability(probs.argmax(axis=1) == label, probs.max(axis=1))


def _quality(label: np.ndarray, prob: np.ndarray) -> Quality:
    probs = np.stack([1 - prob, prob], axis=1)
    return Quality(
        **vars(ranking(label == 1, prob)),
        brier=calibration.brier_score(probs, label),
        expected_calibration_error=reliability(label, probs).expected_calibration_error,
    )


def _constant(label: np.ndarray, prob: np.ndarray) -> ConstantScores:
    point = thresholds.operating_point(label, prob, 0.5)
    return ConstantScores(**vars(_quality(label, prob)), **vars(point))


def _each_class(label: np.ndarray, probs: np.ndarray) -> list[ClassScores]:
    predicted, found = probs.argmax(axis=1), []
    for k in range(probs.shape[1]):
        member = label == k
        point = thresholds.decisions(member, predicted == k)
        found.append(
            ClassScores(
                support=int(member.sum()),
                **vars(ranking(member, probs[:, k])),
                precision=point.precision,
                recall=point.recall,
                specificity=point.specificity,
                f1=point.f1,
            )
        )
    return found


def _macro(
    label: np.ndarray, probs: np.ndarray, per_class: Sequence[ClassScores] | None = None
) -> MacroScores:
    """The numbers of several classes together, from those of each class where they are known."""
    present = [of for of in per_class or _each_class(label, probs) if of.support]
    recall = _mean(of.recall for of in present)
    return MacroScores(
        roc_auc=_mean_of_known(of.roc_auc for of in present),
        average_precision=_mean_of_known(of.average_precision for of in present),
        precision=_mean(of.precision for of in present),
        recall=recall,
        specificity=_mean(of.specificity for of in present),
        f1=_mean(of.f1 for of in present),
        balanced_accuracy=recall,
        accuracy=float((probs.argmax(axis=1) == label).mean()),
        brier=calibration.brier_score(probs, label),
        expected_calibration_error=reliability(label, probs).expected_calibration_error,
        top_3_accuracy=_among_the_first(label, probs, 3),
        top_5_accuracy=_among_the_first(label, probs, 5),
    )


def _among_the_first(label: np.ndarray, probs: np.ndarray, most: int) -> float | None:
    """Share of the clips whose class is among the `most` most probable ones, as it is on average
    when equally probable ones are drawn in any order; None where that is all classes."""
    if probs.shape[1] <= most:
        return None
    own = probs[np.arange(len(label)), label][:, None]
    above, equal = (probs > own).sum(axis=1), (probs == own).sum(axis=1)
    return float(np.clip((most - above) / equal, 0, 1).mean())


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _mean_of_known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _mean(known) if known else None
