"""Numbers of baselines from their logits, and their tables as lines of text."""

import numpy as np

from posevid_jax.evaluation import cv_report, metrics, out_of_fold, report, thresholds
from posevid_jax.evaluation.baseline_results import BaselineNumbers, Baselines, BaselineTable
from posevid_jax.evaluation.cv_results import Numbers
from posevid_jax.evaluation.scores import Headline
from posevid_jax.evaluation.table import Table, number

_OF_TWO_CLASSES = ('f1', 'false_positive_rate')


def of_folds(
    label: np.ndarray, logits: np.ndarray, fold: np.ndarray, group: np.ndarray, recall: float
) -> BaselineNumbers:
    """The numbers of out-of-fold predictions, all clips together.

    Args:
      label: `[N]` class numbers.
      logits: `[N, 1]` or `[N, K]`, each clip's from a classifier that did not see its group.
      fold, group: `[N]`, see `out_of_fold.evaluate`.
      recall: at which to tell the false-positive rate.
    """
    found = out_of_fold.evaluate(label, logits[:, None], fold, group, recall=recall, samples=0)
    return _numbers(label, metrics.probabilities(logits), found.pooled, recall)


def of_set(
    label: np.ndarray, logits: np.ndarray, threshold: float, recall: float
) -> BaselineNumbers:
    """The numbers of a set that nothing was fitted to.

    Args:
      label: `[N]` class numbers.
      logits: `[N, 1]` or `[N, K]`.
      threshold: of two classes; see `threshold`.
      recall: at which to tell the false-positive rate.
    """
    probs = metrics.probabilities(logits)
    return _numbers(label, probs, metrics.evaluate(label, probs, threshold).headline, recall)


def threshold(label: np.ndarray, logits: np.ndarray) -> float:
    """That of the highest F1 over out-of-fold predictions of two classes; 0.5 for several."""
    probs = metrics.probabilities(logits)
    return thresholds.highest_f1(label, probs[:, 1]) if probs.shape[1] == 2 else 0.5


def _numbers(
    label: np.ndarray, probs: np.ndarray, of: Numbers | Headline, recall: float
) -> BaselineNumbers:
    alike = metrics.multiclass_scores(label, probs)
    two = probs.shape[1] == 2
    return BaselineNumbers(
        accuracy=alike.accuracy,
        macro_f1=alike.f1,
        roc_auc=of.roc_auc,
        average_precision=of.average_precision,
        f1=of.f1 if two else None,
        trivial_f1=of.trivial_f1,
        false_positive_rate=(
            thresholds.false_positive_rate_at(label, probs[:, 1], recall) if two else None
        ),
    )


def lines(found: Baselines, test: str) -> list[str]:
    """What a person reads.

    Args:
      found: what was measured.
      test: the set of the second table.
    """
    folds = found.folds
    title = f'in folds, {folds.clips} clips of {folds.groups} groups'
    tables = [_table(title, folds)]
    if found.test:
        of = found.test
        tables.append(_table(f'on {test}, {of.clips} clips, fitted on all of training', of))
    if folds.rows[0].numbers.f1 is None:
        trivial = 'the macro F1 of always saying the most frequent class'
    else:
        trivial = (
            'the F1 of saying yes to all; F1 by a threshold fitted to other clips; FPR: '
            f'false-positive rate at recall {found.recall:g}'
        )
    return [*report.indented(*tables), f'  trivial: {trivial}']


def _table(title: str, of: BaselineTable) -> Table:
    first = of.rows[0].numbers
    keys = [key for key in vars(first) if first.f1 is not None or key not in _OF_TWO_CLASSES]
    titles = {'macro_f1': 'macro F1'} | cv_report.COLUMNS
    rows = [
        [
            row.name,
            *(number(vars(row.numbers)[key], none='-') for key in keys),
            number(row.time['all_s'], '.1f'),
        ]
        for row in of.rows
    ]
    return Table(title, ('', *(titles[key] for key in keys), 'seconds'), rows)
