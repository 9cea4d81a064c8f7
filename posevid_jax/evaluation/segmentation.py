"""How well recordings are cut into events: the measures of temporal action segmentation.

Segmental F1 and edit score are those of Lea et al. 2017, "Temporal Convolutional Networks for
Action Segmentation and Detection". Of the pairs of a found and a true event of one class that
overlap enough, as many count as can be matched at once; the published program takes the true event
that overlaps most for each found one in turn, which finds fewer where events are short and close.
From an overlap of a half on, an event has one partner at most, and both are the same.

Frames without a label are neither right nor wrong: an event that lies mostly in them is left out,
and what is said of single frames leaves them out too.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posevid_jax.evaluation import intervals, segments
from posevid_jax.evaluation.scores import Interval
from posevid_jax.evaluation.segmentation_results import (
    Boundary,
    ClassEvents,
    RecordingEvents,
    Segmentation,
)
from posevid_jax.evaluation.segments import Counts, SegmentedRecording
from posevid_jax.evaluation.units import Unit

OVERLAPS = (0.1, 0.25, 0.3, 0.5, 0.75)
"""Intersections over union from which on an event counts as found."""

_TAIL = 0.9


class _Rates(NamedTuple):
    """Shares of events of some counts, each of their shape; 0 where they are 0 / 0."""

    f1: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    false_per_hour: np.ndarray  # NaN without a labelled frame


def evaluate(
    recordings: Sequence[SegmentedRecording],
    class_names: Sequence[str],
    *,
    overlaps: Sequence[float] = OVERLAPS,
    samples: int = 0,
    seed: int = 0,
    group: Sequence[int] | None = None,
) -> Segmentation:
    """Compares what was found with labels.

    Args:
      recordings: at least one.
      class_names: K names, the one without an event first.
      overlaps: intersections over union from which on an event counts as found.
      samples: draws of recordings for the intervals; 0 for none.
      seed: of the draws.
      group: what each recording belongs to, such as its person; None for itself.
    """
    every = [segments.count(of, len(class_names), overlaps) for of in recordings]
    counts = Counts(*map(np.array, zip(*(one for one, _ in every), strict=True)))
    total = counts.sums(np.ones((1, len(recordings))))
    errors = np.concatenate([of for _, of in every])
    own = np.arange(len(recordings)) if group is None else np.asarray(group)
    numbers = _numbers(total, overlaps)
    return Segmentation(
        recordings=len(recordings),
        hours=float(total.hours[0]),
        overlaps=list(overlaps),
        true_events=int(total.true.sum()),
        found_events=int(total.found.sum()),
        matched=_whole(total.matched[0].sum(-1)),
        numbers={name: _known(of[0]) for name, of in numbers.items()},
        intervals=_intervals(counts, overlaps, own, samples, seed),
        drawn=Unit(name='recording' if group is None else 'group', count=len(np.unique(own))),
        classes=_classes(total, class_names),
        start=_boundary(errors[:, 0]),
        end=_boundary(errors[:, 1]),
        by_recording=_by_recording(counts, recordings, overlaps, own, [of for _, of in every]),
    )


def one_event_each(recordings: Sequence[SegmentedRecording]) -> list[SegmentedRecording]:
    """The answer that looks at nothing: one event over each recording, of the class that has most
    of the labelled time of all events."""
    true = np.concatenate([of.true for of in recordings])
    counts = np.bincount(true[true > 0], minlength=2)
    likely = int(counts.argmax()) or 1
    return [dataclasses.replace(of, found=np.full_like(of.found, likely)) for of in recordings]


def no_event(recordings: Sequence[SegmentedRecording]) -> list[SegmentedRecording]:
    """The other one: nothing anywhere, which is right in most frames where events are rare."""
    return [dataclasses.replace(of, found=np.zeros_like(of.found)) for of in recordings]


def _rates(matched: np.ndarray, found: np.ndarray, true: np.ndarray, hours: np.ndarray) -> _Rates:
    with np.errstate(invalid='ignore', divide='ignore'):
        hourly = np.where(hours > 0, (found - matched) / hours, np.nan)
    return _Rates(
        f1=2 * matched / np.maximum(found + true, 1),
        precision=matched / np.maximum(found, 1),
        recall=matched / np.maximum(true, 1),
        false_per_hour=hourly,
    )


def _numbers(counts: Counts, overlaps: Sequence[float]) -> dict[str, np.ndarray]:
    """By name, [R] each; NaN where undefined."""
    found, true = counts.found.sum(-1), counts.true.sum(-1)
    matched = counts.matched.sum(-1)  # [R, O]
    rates = _rates(matched, found[:, None], true[:, None], counts.hours[:, None])._asdict()
    frames, there = counts.confusion.sum((-2, -1)), counts.confusion.sum(-1) > 0
    with np.errstate(invalid='ignore'):
        return {
            f'{name}@{overlap:g}': of[:, o]
            for name, of in rates.items()
            for o, overlap in enumerate(overlaps)
        } | {
            'edit': counts.edit / counts.edited,
            'frame_accuracy': np.trace(counts.confusion, axis1=-2, axis2=-1) / frames,
            # A class that is nowhere has an F1 of 0.
            'frame_macro_f1': _frame_f1(counts.confusion).sum(-1) / there.sum(-1),
        }


def _frame_f1(confusion: np.ndarray) -> np.ndarray:
    """[..., K] F1 of each class in frames; 0 where it is 0 / 0."""
    either = confusion.sum(-2) + confusion.sum(-1)
    return 2 * np.diagonal(confusion, axis1=-2, axis2=-1) / np.maximum(either, 1)


def _intervals(
    counts: Counts, overlaps: Sequence[float], group: np.ndarray, samples: int, seed: int
) -> dict[str, Interval | None]:
    if len(np.unique(group)) < 2:
        samples = 0
    times = intervals.times_drawn(group, samples=samples, seed=seed)
    return {
        name: intervals.percentiles(of[~np.isnan(of)], samples)
        for name, of in _numbers(counts.sums(times), overlaps).items()
    }


def _classes(total: Counts, class_names: Sequence[str]) -> list[ClassEvents]:
    """All but class 0, from one sum."""
    matched, found, true, _, _, confusion, hours = (part[0] for part in total)
    rates, frame_f1 = _rates(matched, found, true, hours), _frame_f1(confusion)
    return [
        ClassEvents(
            name=name,
            true_events=int(true[k]),
            found_events=int(found[k]),
            matched=_whole(matched[:, k]),
            precision=rates.precision[:, k].tolist(),
            recall=rates.recall[:, k].tolist(),
            f1=rates.f1[:, k].tolist(),
            false_per_hour=[_known(of) for of in rates.false_per_hour[:, k]],
            frame_f1=float(frame_f1[k + 1]),
        )
        for k, name in enumerate(class_names[1:])
    ]


def _by_recording(
    counts: Counts,
    recordings: Sequence[SegmentedRecording],
    overlaps: Sequence[float],
    group: np.ndarray,
    errors: Sequence[np.ndarray],
) -> list[RecordingEvents]:
    numbers = _numbers(counts, overlaps)
    found, true, matched = (of.sum(-1) for of in (counts.found, counts.true, counts.matched))
    any_event = found + true > 0
    return [
        RecordingEvents(
            name=of.name,
            true_events=int(true[r]),
            found_events=int(found[r]),
            matched=_whole(matched[r]),
            f1=[float(numbers[f'f1@{o:g}'][r]) if any_event[r] else None for o in overlaps],
            edit=_known(numbers['edit'][r]),
            frame_accuracy=_known(numbers['frame_accuracy'][r]),
            group=int(group[r]),
            frames=int(counts.confusion[r].sum()),
            seconds=3600 * float(counts.hours[r]),
            start=errors[r][:, 0].tolist(),
            end=errors[r][:, 1].tolist(),
        )
        for r, of in enumerate(recordings)
    ]


def _boundary(errors: np.ndarray) -> Boundary:
    if not len(errors):
        return Boundary(median=None, median_abs=None, p90_abs=None)
    size = np.abs(errors)
    return Boundary(
        median=float(np.median(errors)),
        median_abs=float(np.median(size)),
        p90_abs=float(np.quantile(size, _TAIL)),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _whole(values: np.ndarray) -> list[int]:
    return [round(float(value)) for value in values]
