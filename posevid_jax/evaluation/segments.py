"""A recording as stretches of classes, and what is counted in it."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize

from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.evaluation import event_metrics

_MATCHED = 0.1  # the overlap from which on starts and ends are compared


@dataclasses.dataclass(frozen=True, eq=False)
class SegmentedRecording:
    """A recording of T frames.

    Attributes:
      true: [T] class numbers, 0 without an event, UNKNOWN_LABEL where unknown.
      found: [T] class numbers.
      seconds: [T + 1] when each frame begins, and the end of the last one.
      name: of the recording.
    """

    true: np.ndarray
    found: np.ndarray
    seconds: np.ndarray
    name: str = ''


class Counts(NamedTuple):
    """Of R recordings or of R sums over recordings, with O overlaps and K classes.

    Attributes:
      matched: [R, O, K - 1], events of the classes from 1 on.
      found, true: [R, K - 1].
      edit, edited: [R] edit score, 0 without a labelled frame, and whether there is one.
      confusion: [R, K, K] frames, a row a true class.
      hours: [R] with a label.
    """

    matched: np.ndarray
    found: np.ndarray
    true: np.ndarray
    edit: np.ndarray
    edited: np.ndarray
    confusion: np.ndarray
    hours: np.ndarray

    def sums(self, times: np.ndarray) -> 'Counts':
        """Sums in which the recordings come as often as `times` [S, R] says, [S, ...]."""
        times = times.astype(np.float64)  # products of whole numbers are slow
        return Counts(*(np.tensordot(times, part.astype(np.float64), 1) for part in self))


def stretches(flag: np.ndarray) -> np.ndarray:
    """First frame and end of each stretch of True in [T], as [E, 2]."""
    return np.flatnonzero(np.diff(flag, prepend=False, append=False)).reshape(-1, 2)


def events_of(of: SegmentedRecording, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Found and true events of a class as stretches of seconds, [E, 2] and [L, 2]; found ones that
    lie mostly where there is no label are left out."""
    known = np.append(0, np.cumsum(of.true != UNKNOWN_LABEL))
    found = stretches(of.found == label)
    found = found[2 * (known[found[:, 1]] - known[found[:, 0]]) >= found[:, 1] - found[:, 0]]
    return of.seconds[found], of.seconds[stretches(of.true == label)]


def edit_score(true: np.ndarray, found: np.ndarray) -> float:
    """100 * (1 - Levenshtein distance of the events in their order / number of the more numerous).

    As in the published program, what lies between events is none of them.

    Args:
      true, found: [T] class numbers, T above 0.

    Returns:
      0 to 100; 100 where there is no event in either.
    """
    one, other = (of[(np.diff(of, prepend=0) != 0) & (of != 0)] for of in (true, found))
    if not len(one) and not len(other):
        return 100.0
    row = np.arange(len(other) + 1)
    for i, label in enumerate(one, start=1):
        changed = row[:-1] + (other != label)
        best = np.append(i, np.minimum(changed, row[1:] + 1))
        steps = np.arange(len(best))
        row = np.minimum.accumulate(best - steps) + steps  # with what is left out on the way
    return 100 * (1 - float(row[-1]) / max(len(one), len(other)))


def count(
    of: SegmentedRecording, classes: int, overlaps: Sequence[float]
) -> tuple[Counts, np.ndarray]:
    """Of one recording, and [M, 2] errors of starts and ends in seconds."""
    pairs = [events_of(of, k) for k in range(1, classes)]
    shared = [event_metrics.overlaps(*pair) for pair in pairs]
    known = of.true != UNKNOWN_LABEL
    true, found = of.true[known].astype(np.int64), of.found[known].astype(np.int64)
    cells = np.bincount(classes * true + found, minlength=classes**2)
    counts = Counts(
        matched=np.array([[event_metrics.matches(s, o) for s in shared] for o in overlaps]),
        found=np.array([len(one) for one, _ in pairs]),
        true=np.array([len(other) for _, other in pairs]),
        edit=np.array(edit_score(true, found) if known.any() else 0.0),
        edited=np.array(known.any()),
        confusion=cells.reshape(classes, classes),
        hours=np.diff(of.seconds)[known].sum() / 3600,
    )
    errors = [_errors(*pair, s) for pair, s in zip(pairs, shared, strict=True)]
    return counts, np.concatenate(errors)


def pairs(shared: np.ndarray, least: float = _MATCHED) -> tuple[np.ndarray, np.ndarray]:
    """The best pairs of found and true events: as many as match, and of all such pairings that
    with the largest sum of overlaps.

    Args:
      shared: [E, L] overlaps of found and true events.
      least: overlap from which on they match.

    Returns:
      numbers of the found and of the true events, [M] each.
    """
    enough = event_metrics.enough(shared, least)
    value = np.where(enough, min(shared.shape) + shared, 0)  # a pair is worth more than overlaps
    one, other = optimize.linear_sum_assignment(value, maximize=True)
    kept = enough[one, other]
    return one[kept], other[kept]


def _errors(found: np.ndarray, true: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """How much later the found events of the best pairs begin and end, [M, 2] seconds."""
    one, other = pairs(shared)
    return found[one] - true[other]
