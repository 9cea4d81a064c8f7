"""Decision thresholds: chosen on clips that nothing was fitted to, by a rule with a name.

Everything here is about one class against the rest: label 1 is the class to find, prob its
probability, and a clip is found when prob >= threshold. With several classes, each has thresholds
of its own: pass `label == k` and the k-th probability.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from posevid_jax.evaluation.scores import Decisions, OperatingPoint

Rule = Callable[[np.ndarray, np.ndarray], float | None]  # of label and prob
Rules = dict[str, tuple[str, Rule]]


@dataclasses.dataclass(frozen=True, eq=False)
class Cuts:
    """Every way to cut a set of clips in two by probability, the lowest threshold first.

    Each cut finds at least one clip; the first one finds all.

    Attributes:
      threshold: [M] f64, half way to the next lower probability, so that rounding cannot cross it.
      found: [M] i64, clips of the class at or above the threshold (true positives).
      false: [M] i64, other clips at or above the threshold (false positives).
    """

    threshold: np.ndarray
    found: np.ndarray
    false: np.ndarray

    @property
    def recall(self) -> np.ndarray:
        """[M] share of the class that is found; 0 where the class has no clip."""
        return self.found / max(self.found[0], 1)

    @property
    def precision(self) -> np.ndarray:
        """[M] share of the class among what is found."""
        return self.found / (self.found + self.false)

    @property
    def f1(self) -> np.ndarray:
        """[M] harmonic mean of precision and recall."""
        # From counts, so that equal values are equal: thresholds then do not depend on rounding.
        return 2 * self.found / (self.found + self.false + self.found[0])

    @property
    def false_positive_rate(self) -> np.ndarray:
        """[M] share of the other clips that is found; 0 where there is no other clip."""
        return self.false / max(self.false[0], 1)


def cuts(label: np.ndarray, prob: np.ndarray) -> Cuts:
    """All cuts of a set of clips.

    Args:
      label: `[N]` 0 or 1, N at least 1.
      prob: `[N]` probability of class 1.
    """
    value, place = np.unique(prob, return_inverse=True)
    members = np.bincount(place, label, len(value)).astype(np.int64)
    sizes = np.bincount(place, minlength=len(value))
    return Cuts(
        threshold=(value + np.r_[0.0, value[:-1]]) / 2,
        found=members[::-1].cumsum()[::-1],
        false=(sizes - members)[::-1].cumsum()[::-1],
    )


def highest_f1(label: np.ndarray, prob: np.ndarray) -> float:
    """The threshold of the highest F1, the lowest one of equals; 0.5 without a clip to find."""
    every = cuts(label, prob)
    return float(every.threshold[every.f1.argmax()]) if every.found[0] else 0.5


def at_recall(label: np.ndarray, prob: np.ndarray, recall: float) -> float:
    """The highest threshold with at least this recall, so the one with the fewest false alarms.

    0.5 without a clip to find.
    """
    every = cuts(label, prob)
    if not every.found[0]:
        return 0.5
    return float(every.threshold[np.flatnonzero(every.recall >= recall)[-1]])


def false_positive_rate_at(label: np.ndarray, prob: np.ndarray, recall: float) -> float | None:
    """The lowest false-positive rate with at least this recall; None for clips of one kind."""
    if len(np.unique(label)) < 2:
        return None
    point = operating_point(label, prob, at_recall(label, prob, recall))
    return point.false_positive_rate


def at_precision(label: np.ndarray, prob: np.ndarray, precision: float) -> float | None:
    """The lowest threshold with at least this precision, so the one that finds most; or None.

    None: no threshold is that precise.
    """
    every = cuts(label, prob)
    enough = np.flatnonzero((every.precision >= precision) & (every.found > 0))
    return float(every.threshold[enough[0]]) if len(enough) else None


def lowest_cost(
    label: np.ndarray, prob: np.ndarray, *, false_positive: float, false_negative: float
) -> float:
    """The threshold at which false alarms and misses cost least, the lowest one of equals.

    Args:
      label, prob: as for `cuts`.
      false_positive: cost of a clip found wrongly.
      false_negative: cost of a clip missed.
    """
    every = cuts(label, prob)
    missed = every.found[0] - every.found
    return float(every.threshold[(false_positive * every.false + false_negative * missed).argmin()])


def rules(*, recall: float, precision: float, costs: tuple[float, float] | None = None) -> Rules:
    """The ways to choose a threshold, by name: in words, and as a function of label and prob.

    Args:
      recall, precision: what `recall` and `precision` reach at least.
      costs: of a false alarm and of a miss; with them, there is `cost` too.
    """
    found = {
        'f1': ('highest F1', highest_f1),
        'recall': (f'recall >= {recall:g}', lambda y, p: at_recall(y, p, recall)),
        'precision': (f'precision >= {precision:g}', lambda y, p: at_precision(y, p, precision)),
    }
    if costs:
        alarm, miss = costs
        found['cost'] = (
            f'lowest cost, {alarm:g} a false alarm and {miss:g} a miss',
            lambda y, p: lowest_cost(y, p, false_positive=alarm, false_negative=miss),
        )
    return found


def operating_point(label: np.ndarray, prob: np.ndarray, threshold: float) -> OperatingPoint:
    """What a threshold does to a set of clips.

    Args:
      label, prob: as for `cuts`.
      threshold: a clip is found when its probability is at least this.
    """
    point = decisions(label, np.asarray(prob) >= threshold)
    return OperatingPoint(threshold=float(threshold), **vars(point))


def decisions(label: np.ndarray, decided: np.ndarray) -> Decisions:
    """What it means to a set of clips that some are found.

    Args:
      label: as for `cuts`.
      decided: `[N]` 1 for clips that are found.
    """
    label, found = np.asarray(label) == 1, np.asarray(decided) == 1
    tp, fp = int((label & found).sum()), int((~label & found).sum())
    fn, tn = int((label & ~found).sum()), int((~label & ~found).sum())
    recall, specificity = tp / max(tp + fn, 1), tn / max(fp + tn, 1)
    return Decisions(
        precision=tp / max(tp + fp, 1),
        recall=recall,
        f1=2 * tp / max(2 * tp + fp + fn, 1),
        specificity=specificity,
        balanced_accuracy=(recall + specificity) / max((tp + fn > 0) + (fp + tn > 0), 1),
        false_positive_rate=fp / max(fp + tn, 1),
        confusion=[[tn, fp], [fn, tp]],
    )
