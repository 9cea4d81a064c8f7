"""What cross-validation says: every clip judged by classifiers that never saw its video.

Whatever is itself fitted to predictions, a threshold or a calibration, is judged on a fold as
fitted to the other folds. What is kept for later use is fitted to all of them.
"""

from collections.abc import Callable

import numpy as np

from posevid_jax.evaluation import calibration, decision, intervals, metrics, thresholds
from posevid_jax.evaluation.members import mean_logits, spread
from posevid_jax.evaluation.metrics import Record


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
) -> Record:
    """The record of a cross-validation.

    Args:
      label: `[N]` class numbers.
      logits: `[N, M, K]` of the M members that did not see the clip.
      fold: `[N]` which fold held the clip out, from 0.
      group: `[N]` what the bootstrap draws: videos.
      recall: at which to tell the false-positive rate.
      samples: draws of the bootstrap.
      seed: of the draws.
      for_fold: `[folds, N, K]` logits of all clips as they are to judge each fold, where the
        classifier is itself fitted to the other folds' predictions; by default the members' mean.

    Returns:
      JSON-ready. `folds`: for each one its number, clips, groups and numbers; `mean` and `std` of
      these over the folds; `pooled`: the same of all clips; `members`: `spread` of the
      pooled numbers of each member alone; `intervals`: 95 % around the pooled ones, [low, high].
      The numbers are `roc_auc`, `average_precision`, `f1` as decided by the threshold of highest F1
      in the other folds, and `trivial_f1`, of saying yes to every clip; with several classes, where
      the most probable one is decided for, of the most frequent class. With two classes also
      `false_positive_rate`, the lowest with at least `recall`. `calibration`: `log_loss`, `brier`
      and `expected_calibration_error` before and after, each fold calibrated by the others.
    """
    if for_fold is None:
        for_fold = _same_for_all(mean_logits(logits), fold)
    probs_for = np.stack([metrics.probabilities(each) for each in for_fold])
    probs = judging(probs_for, fold)
    decided = _decide(label, probs_for, fold)

    def numbers(rows: np.ndarray) -> Record:
        return _numbers(label[rows], probs[rows], decided[rows], recall)

    folds = [
        {'fold': int(k) + 1, 'clips': len(rows), 'groups': len(np.unique(group[rows]))}
        | numbers(rows)
        for k, rows in ((k, np.flatnonzero(fold == k)) for k in np.unique(fold))
    ]
    pooled = numbers(np.arange(len(label)))
    over_folds = spread([{key: each[key] for key in pooled} for each in folds])
    alone = [metrics.probabilities(member) for member in np.moveaxis(logits, 1, 0)]
    return {
        'clips': len(label),
        'groups': len(np.unique(group)),
        'recall': recall,
        'folds': folds,
        'mean': {key: value['mean'] for key, value in over_folds.items()},
        'std': {key: value['std'] for key, value in over_folds.items()},
        'pooled': pooled,
        'members': spread(
            [
                _numbers(label, each, _decide(label, _same_for_all(each, fold), fold), recall)
                for each in alone
            ]
        ),
        'intervals': intervals.bootstrap(numbers, group, samples=samples, seed=seed),
        'calibration': _calibration(label, for_fold, fold),
    }


def judging(for_fold: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Of `[folds, N, ...]`, each clip's own entry: the one that is to judge its fold."""
    return for_fold[fold, np.arange(len(fold))]


def operating_points(
    label: np.ndarray,
    prob: np.ndarray,
    fold: np.ndarray,
    rules: thresholds.Rules,
    for_fold: np.ndarray | None = None,
) -> dict[str, Record]:
    """Thresholds of one class by some rules, and what they do to videos they were not fitted to.

    Args:
      label: `[N]` 0 or 1.
      prob: `[N]` probability of class 1.
      fold: `[N]`.
      rules: from `thresholds.rules`.
      for_fold: `[folds, N]` probabilities, as in `evaluate`; by default `prob`.

    Returns:
      For each rule, JSON-ready, its `rule` in words; `threshold`, fitted
      to all clips, None where no threshold does what the rule asks for; and `expected`, what
      becomes of the clips when each fold is decided by the threshold of the others
      (`thresholds.operating_point` without a threshold), None where one of these does not exist.
    """
    if for_fold is None:
        for_fold = _same_for_all(prob, fold)
    return {
        name: {
            'rule': rule,
            'threshold': choose(label, prob),
            'expected': _expected(label, for_fold, fold, choose),
        }
        for name, (rule, choose) in rules.items()
    }


def _expected(label, for_fold, fold, choose: Callable) -> Record | None:
    each = _fitted_to_others(lambda k, rows: choose(label[rows], for_fold[k, rows]), fold)
    if None in each.values():
        return None
    decided = judging(for_fold, fold) >= np.array([each[k] for k in fold])
    point = thresholds.operating_point(label, decided, 0.5)
    return {key: value for key, value in point.items() if key != 'threshold'}


def _same_for_all(values: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """[N, ...] that judge every fold as `[folds, N, ...]`."""
    return np.broadcast_to(values, (fold.max() + 1, *values.shape))


def _fitted_to_others(
    fit: Callable[[int, np.ndarray], object], fold: np.ndarray
) -> dict[int, object]:
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


def _numbers(label: np.ndarray, probs: np.ndarray, decided: np.ndarray, recall: float) -> Record:
    if probs.shape[1] > 2:
        record = metrics.evaluate(label, probs, None)
        return {
            'roc_auc': record['roc_auc'],
            'average_precision': record['average_precision'],
            'f1': record['f1'],
            'trivial_f1': record['majority_class']['f1'],
        }
    prob = probs[:, 1]
    return metrics.ranking(label == 1, prob) | {
        'f1': thresholds.operating_point(label, decided, 0.5)['f1'],
        'trivial_f1': thresholds.operating_point(label, np.ones(len(label)), 0.5)['f1'],
        'false_positive_rate': thresholds.false_positive_rate_at(label, prob, recall),
    }


def _calibration(label: np.ndarray, for_fold: np.ndarray, fold: np.ndarray) -> Record:
    each = _fitted_to_others(
        lambda k, rows: decision.fit_calibrations(label[rows], for_fold[k, rows]), fold
    )
    logits = judging(for_fold, fold)
    found = {'before': _calibration_numbers(label, logits)}
    for kind in next(iter(each.values())):
        calibrated = np.empty(logits.shape)
        for k, fitted in each.items():
            calibrated[fold == k] = fitted[kind](logits[fold == k])
        found[kind] = _calibration_numbers(label, calibrated)
    return found


def _calibration_numbers(label: np.ndarray, logits: np.ndarray) -> Record:
    probs = metrics.probabilities(logits)
    return {
        'log_loss': calibration.log_loss(logits, label),
        'brier': calibration.brier_score(probs, label),
        'expected_calibration_error': metrics.reliability(label, probs)[
            'expected_calibration_error'
        ],
    }
