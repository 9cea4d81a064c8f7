"""A duration model from labelled recordings."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.inference.duration_model import DurationModel, min_frames
from posevid_jax.inference.viterbi import decode


class Row(NamedTuple):
    """What labels alone do not tell.

    Attributes:
      weight, prior_weight: as `DurationModel` has them.
      scale: factor of the shortest durations; at 0 they are a frame.
    """

    weight: float
    prior_weight: float
    scale: float


ROWS = tuple(
    Row(*values)
    for values in itertools.product((1.0, 0.3, 0.1, 0.03, 0.01), (1.0, 0.5, 0.0), (1.0, 0.5, 0.0))
)


@dataclasses.dataclass(frozen=True, eq=False)
class Labelled:
    """A recording of T frames with labels.

    Attributes:
      log_probs: [T, K] log of class probabilities, best of a classifier that never saw it.
      label: [T] class numbers, UNKNOWN_LABEL where unknown.
      fps: frames per second.
    """

    log_probs: np.ndarray
    label: np.ndarray
    fps: float


def choose(
    recordings: Sequence[Labelled],
    score: Callable[[list[np.ndarray]], float],
    rows: Sequence[Row] = ROWS,
) -> DurationModel:
    """The fitted model whose row makes the score highest; of equal ones, the first.

    Args:
      recordings: at least one.
      score: of the decoded labels, [T] of each recording in their order.
      rows: to try.
    """
    labels, fps = [r.label for r in recordings], [r.fps for r in recordings]
    num_classes = recordings[0].log_probs.shape[1]
    tried = []
    for row in rows:
        fitted = fit(labels, fps, num_classes, scale=row.scale)
        model = dataclasses.replace(fitted, weight=row.weight, prior_weight=row.prior_weight)
        found = [decode(r.log_probs, model, r.fps) for r in recordings]
        tried.append((score(found), model))
    return max(tried, key=lambda scored: scored[0])[1]


def fit(
    labels: Sequence[np.ndarray],
    fps: Sequence[float],
    num_classes: int,
    *,
    quantile: float = 0.05,
    scale: float = 1.0,
    pseudo_count: float = 0.1,
) -> DurationModel:
    """A model of the stretches of equal labels in recordings.

    A stretch at an end of a recording, or next to frames without a label, lasted longer than it
    was seen: it counts as censored. Shortest durations are a low quantile of those seen, and rates
    and transitions are those that make the stretches most probable.

    Args:
      labels: [T] class numbers of each recording, UNKNOWN_LABEL where unknown.
      fps: frames per second of each.
      num_classes: K.
      quantile: share of a class's stretches that may be shorter than its minimum.
      scale: factor of these minima, before anything else is fitted.
      pseudo_count: added to the count of each transition, and to the times that a class was left
        and the seconds that it lasted beyond its minimum, and to the seconds of each class.
    """
    known = [s for of, rate in zip(labels, fps, strict=True) for s in _stretches(of, rate)]
    columns = [np.array(column) for column in zip(*known, strict=True)] if known else []
    of, frames, rate, began, after = columns or np.zeros((5, 0))
    ended, began = after != UNKNOWN_LABEL, began.astype(bool)
    of, after, seconds = of.astype(int), after.astype(int), frames / rate
    classes = np.arange(num_classes)

    whole = began & ended
    shortest = scale * np.array(
        [_low_quantile(seconds[of == k], whole[of == k], quantile) for k in classes]
    )
    # Of a stretch that was there before, any frame may lie beyond its minimum.
    least = np.where(began, min_frames(shortest[of], rate), 1)
    beyond = (np.maximum(frames - least, 0) + 0.5 * ended) / rate  # left between two frames
    left, stayed, lasted = (
        np.bincount(of, by, num_classes) + pseudo_count for by in (ended, beyond, seconds)
    )
    follows = np.full((num_classes, num_classes), pseudo_count)
    np.add.at(follows, (of[ended], after[ended]), 1)
    np.fill_diagonal(follows, 0)
    return DurationModel(
        min_seconds=shortest.tolist(),
        leave_per_second=(left / stayed).tolist(),
        transition=(follows / follows.sum(1, keepdims=True)).tolist(),
        prior=(lasted / lasted.sum()).tolist(),
    )


def _stretches(label: np.ndarray, fps: float) -> list[tuple[int, int, float, bool, int]]:
    """Each stretch with a label: its class, its frames, `fps`, whether its beginning was seen, and
    the class after it, UNKNOWN_LABEL where its end was not seen."""
    label = np.asarray(label, np.int64)
    if not len(label):
        return []
    edges = np.flatnonzero(np.diff(label)) + 1
    start, end = np.append(0, edges), np.append(edges, len(label))
    of = label[start]
    before, after = np.append(UNKNOWN_LABEL, of[:-1]), np.append(of[1:], UNKNOWN_LABEL)
    return [
        (int(of[i]), int(end[i] - start[i]), fps, bool(before[i] != UNKNOWN_LABEL), int(after[i]))
        for i in np.flatnonzero(of != UNKNOWN_LABEL)
    ]


def _low_quantile(seconds: np.ndarray, whole: np.ndarray, quantile: float) -> float:
    """A quantile of durations, some of which were only seen to last at least so long.

    The estimate of Kaplan and Meier 1958, with one more at risk, so that of n whole durations the
    i-th lies at i / (n + 1): of a few, a low quantile is less than the shortest. 0 without any.
    """
    order = np.lexsort((~whole, seconds))  # at one duration, those that ended go first
    seconds, whole = seconds[order], whole[order]
    at_risk = len(seconds) + 1 - np.arange(len(seconds))
    below = (1 - np.cumprod(1 - whole / at_risk))[whole]
    return float(np.interp(quantile, np.append(0, below), np.append(0, seconds[whole])))
