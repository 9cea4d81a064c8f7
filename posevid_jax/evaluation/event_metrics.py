"""How well events agree with labelled ones: found, missed, and false alarms per hour."""

import dataclasses

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

_ROUNDING = 1e-9  # of overlaps that are computed from seconds


@dataclasses.dataclass(frozen=True, eq=False)
class VideoEvents:
    """Found and labelled events of one video.

    Attributes:
      found: [E, 2] start and end, seconds.
      true: [L, 2] the same of the labelled events.
      seconds: of the video that have a label.
    """

    found: np.ndarray
    true: np.ndarray
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class EventScores:
    """How well events agree with labelled ones.

    Attributes:
      overlap: intersection over union from which on an event counts as found.
      true_events, found_events, matched: how many, over all videos.
      precision, recall, f1: 0 where they are 0 / 0.
      false_alarms_per_hour: of labelled time; None without any.
    """

    overlap: float
    true_events: int
    found_events: int
    matched: int
    precision: float
    recall: float
    f1: float
    false_alarms_per_hour: float | None


def overlaps(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union of stretches [E, 2] and [L, 2] of time, [E, L]."""
    start = np.maximum(found[:, None, 0], true[None, :, 0])
    end = np.minimum(found[:, None, 1], true[None, :, 1])
    common = np.maximum(end - start, 0)
    lengths = [stretch[:, 1] - stretch[:, 0] for stretch in (found, true)]
    return common / (lengths[0][:, None] + lengths[1][None] - common)


def enough(overlap: np.ndarray, least: float) -> np.ndarray:
    """Which overlaps are at least so large, but for the rounding of seconds, bool."""
    return overlap >= least - _ROUNDING


def matches(overlap: np.ndarray, least: float) -> int:
    """The most pairs of a found and a true event, each in one pair, that overlap by `least`."""
    if not overlap.size:
        return 0
    fit = enough(overlap, least)
    if fit.sum(0).max() <= 1 and fit.sum(1).max() <= 1:
        return int(fit.sum())  # nearly always, and there is nothing to choose
    graph = sparse.csr_matrix(fit)
    return int((csgraph.maximum_bipartite_matching(graph) >= 0).sum())


def evaluate_events(videos: list[VideoEvents], least: tuple[float, ...]) -> list[EventScores]:
    """Counts over all videos, for each overlap.

    Args:
      videos: found and labelled events of each.
      least: intersections over union from which on an event counts as found.
    """
    true = sum(len(video.true) for video in videos)
    found = sum(len(video.found) for video in videos)
    hours = sum(video.seconds for video in videos) / 3600
    records = []
    for overlap in least:
        matched = sum(matches(overlaps(video.found, video.true), overlap) for video in videos)
        records.append(
            EventScores(
                overlap=float(overlap),
                true_events=true,
                found_events=found,
                matched=matched,
                precision=matched / max(found, 1),
                recall=matched / max(true, 1),
                f1=2 * matched / max(found + true, 1),
                false_alarms_per_hour=(found - matched) / hours if hours else None,
            )
        )
    return records
