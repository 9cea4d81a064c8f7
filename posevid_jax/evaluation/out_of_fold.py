"""What cross-validation says: every clip judged by classifiers that never saw its video.

Whatever is itself fitted to predictions, a threshold or a calibration, is judged on a fold as
fitted to the other folds. What is kept for later use is fitted to all of them.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from posevid_jax.evaluation import calibration, decision, intervals, metrics, thresholds
from posevid_jax.evaluation.cv_results import (
    BinaryNumbers,
    ClassNumbers,
    CrossValidation,
    Fold,
    Numbers,
    OutOfFoldThreshold,
)
from posevid_jax.evaluation.members import mean_logits, spread
from posevid_jax.evaluation.results import Truthfulness
from posevid_jax.evaluation.scores import Decisions

_T = TypeVar('_T')


def evaluate(
    label: np.ndarray,
    logits: np.ndarray,
    fold: np.ndarray,
    group: np.ndarray,
    *,
    recall: float,
    samples: int,
    seed: int = 0,
    for_fold: np.ndarray | None = None,
    unit: str | None = None,
) -> CrossValidation:
    """What a cross-validation says.

    Args:
      label: `[N]` class numbers.
      logits: `[N, M, K]` of the M members that did not see the clip.
      fold: `[N]` which fold held the clip out, from 0.
      group: `[N]` what the bootstrap draws: videos, or what belongs together.
      recall: at which to tell the false-positive rate.
      samples: draws of the bootstrap.
      seed: of the draws.
      for_fold: `[folds, N, K]` logits of all clips as they are to judge each fold, where the
        classifier is itself fitted to the other folds' predictions; by default the members' mean.
      unit: name of what the groups are, if not videos.
    """
    if for_fold is None:
        for_fold = _same_for_all(mean_logits(logits), fold)
    probs_for = np.stack([metrics.probabilities(each) for each in for_fold])
    probs = judging(probs_for, fold)
    decided = _decide(label, probs_for, fold)

    def numbers(rows: np.ndarray) -> Numbers:
        return _numbers(label[rows], probs[rows], decided[rows], recall)

    def of_member(member: np.ndarray) -> Numbers:
        for_all = _same_for_all(member, fold)
        return _numbers(label, member, _decide(label, for_all, fold), recall)

    folds = [
        Fold(
            fold=int(k) + 1,
            clips=len(rows),
            groups=len(np.unique(group[rows])),
            numbers=numbers(rows),
        )
        for k, rows in ((k, np.flatnonzero(fold == k)) for k in np.unique(fold))
    ]
    pooled = numbers(np.arange(len(label)))
    over_folds = spread([vars(each.numbers) for each in folds])
    alone = [metrics.probabilities(member) for member in np.moveaxis(logits, 1, 0)]
    return CrossValidation(
        clips=len(label),
        groups=len(np.unique(group)),
        recall=recall,
        folds=folds,
        mean=type(pooled)(**{key: of.mean for key, of in over_folds.items()}),
        std=type(pooled)(**{key: of.std for key, of in over_folds.items()}),
        pooled=pooled,
        members=spread([vars(of_member(member)) for member in alone]),
        intervals=intervals.bootstrap(
            lambda rows: vars(numbers(rows)), group, samples=samples, seed=seed
        ),
        calibration=_calibration(label, for_fold, fold),
        unit=unit,
    )


def judging(for_fold: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Of `[folds, N, ...]`, each clip's own entry: the one that is to judge its fold."""
    return for_fold[fold, np.arange(len(fold))]


def operating_points(
    label: np.ndarray,
    prob: np.ndarray,
    fold: np.ndarray,
    rules: thresholds.Rules,
    for_fold: np.ndarray | None = None,
) -> dict[str, OutOfFoldThreshold]:
    """Thresholds of one class by some rules, and what they do to videos they were not fitted to.

    Args:
      label: `[N]` 0 or 1.
      prob: `[N]` probability of class 1.
      fold: `[N]`.
      rules: from `thresholds.rules`.
      for_fold: `[folds, N]` probabilities, as in `evaluate`; by default `prob`.
    """
    if for_fold is None:
        for_fold = _same_for_all(prob, fold)
    return {
        name: OutOfFoldThreshold(
            rule=rule,
            threshold=choose(label, prob),
            expected=_expected(label, for_fold, fold, choose),
        )
        for name, (rule, choose) in rules.items()
    }


def _expected(
    label: np.ndarray, for_fold: np.ndarray, fold: np.ndarray, choose: thresholds.Rule
) -> Decisions | None:
    each = _fitted_to_others(lambda k, rows: choose(label[rows], for_fold[k, rows]), fold)
    if None in each.values():
        return None
    decided = judging(for_fold, fold) >= np.array([each[k] for k in fold])
    return thresholds.decisions(label, decided)


def _same_for_all(values: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """[N, ...] that judge every fold as `[folds, N, ...]`."""
    return np.broadcast_to(values, (fold.max() + 1, *values.shape))


def _fitted_to_others(fit: Callable[[int, np.ndarray], _T], fold: np.ndarray) -> dict[int, _T]:
    """For each fold, what `fit` makes of its number and the rows of all others."""
    return {int(k): fit(int(k), np.flatnonzero(fold != k)) for k in np.unique(fold)}


def _decide(label: np.ndarray, for_fold: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """[N] class decided for: by the threshold of the other folds, or the most probable one.

    Args:
      label, fold: [N].
      for_fold: [folds, N, K] probabilities.
    """
    probs = judging(for_fold, fold)
    if probs.shape[1] > 2:
        return probs.argmax(axis=1)
    each = _fitted_to_others(
        lambda k, rows: thresholds.highest_f1(label[rows], for_fold[k, rows, 1]), fold
    )
    return (probs[:, 1] >= np.array([each[k] for k in fold])).astype(np.int64)


def _numbers(label: np.ndarray, probs: np.ndarray, decided: np.ndarray, recall: float) -> Numbers:
    if probs.shape[1] > 2:
        scores = metrics.multiclass_scores(label, probs)
        return ClassNumbers(
            accuracy=scores.accuracy,
            trivial_accuracy=scores.majority_class.accuracy,
            top_3_accuracy=scores.top_3_accuracy,
            top_5_accuracy=scores.top_5_accuracy,
            roc_auc=scores.roc_auc,
            average_precision=scores.average_precision,
            f1=scores.f1,
            trivial_f1=scores.majority_class.f1,
        )
    prob = probs[:, 1]
    return BinaryNumbers(
        **vars(metrics.ranking(label == 1, prob)),
        f1=thresholds.decisions(label, decided).f1,
        trivial_f1=thresholds.decisions(label, np.ones(len(label))).f1,
        false_positive_rate=thresholds.false_positive_rate_at(label, prob, recall),
    )


def _calibration(
    label: np.ndarray, for_fold: np.ndarray, fold: np.ndarray
) -> dict[str, Truthfulness]:
    """Of the logits before calibration, and after each kind of it."""
    each = _fitted_to_others(
        lambda k, rows: decision.fit_calibrations(label[rows], for_fold[k, rows]), fold
    )
    logits = judging(for_fold, fold)
    found = {'before': _truthfulness(label, logits)}
    for kind in next(iter(each.values())):
        calibrated = np.empty(logits.shape)
        for k, fitted in each.items():
            calibrated[fold == k] = fitted[kind](logits[fold == k])
        found[kind] = _truthfulness(label, calibrated)
    return found


def _truthfulness(label: np.ndarray, logits: np.ndarray) -> Truthfulness:
    probs = metrics.probabilities(logits)
    return Truthfulness(
        # Of logits, so that one far on the wrong side costs what it costs.
        log_loss=calibration.log_loss(logits, label),
        brier=calibration.brier_score(probs, label),
        expected_calibration_error=metrics.reliability(label, probs).expected_calibration_error,
    )
