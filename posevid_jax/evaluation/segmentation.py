"""How well recordings are cut into events: the measures of temporal action segmentation.

Segmental F1 and edit score are those of Lea et al. 2017, "Temporal Convolutional Networks for
Action Segmentation and Detection". Of the pairs of a found and a true event of one class that
overlap enough, as many count as can be matched at once; the published program takes the true event
that overlaps most for each found one in turn, which finds fewer where events are short and close.

Frames without a label are neither right nor wrong: an event that lies mostly in them is left out,
and what is said of single frames leaves them out too.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import optimize

from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.evaluation import event_metrics, intervals
from posevid_jax.evaluation.scores import Interval
from posevid_jax.evaluation.table import Table, number

OVERLAPS = (0.1, 0.25, 0.3, 0.5, 0.75)
"""Intersections over union from which on an event counts as found."""

_FALSE_AT = 0.5  # the overlap that false events an hour are counted at
_MATCHED = 0.1  # the overlap from which on starts and ends are compared
_TAIL = 0.9
_FORMS = {'edit': '.1f', 'false_per_hour': '.0f'}  # of numbers that are no shares


@dataclasses.dataclass(frozen=True, eq=False)
class SegmentedRecording:
    """A recording of T frames.

    Attributes:
      true: [T] class numbers, 0 without an event, UNKNOWN_LABEL where unknown.
      found: [T] class numbers.
      seconds: [T + 1] when each frame begins, and the end of the last one.
    """

    true: np.ndarray
    found: np.ndarray
    seconds: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Boundary:
    """Errors of the starts or ends of found events, in seconds; late is above 0.

    Attributes:
      median, median_abs, p90_abs: of the signed and of the absolute errors; None without a match.
    """

    median: float | None
    median_abs: float | None
    p90_abs: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassEvents:
    """Events of one class; `f1` is by overlap, in the order of `Segmentation.overlaps`."""

    name: str
    true_events: int
    found_events: int
    f1: tuple[float, ...]
    frame_f1: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Segmentation:
    """How well some recordings are segmented.

    Attributes:
      recordings, hours: how many, and how much of them has a label.
      overlaps: that F1 is given at.
      numbers: by name: `f1@.5` for each overlap (all classes together), `precision@.5`,
        `recall@.5` and `false_per_hour@.5`, `edit` (0 to 100), `frame_accuracy` and
        `frame_macro_f1`; None where undefined.
      intervals: of them, by bootstrap over recordings.
      classes: each of them but class 0.
      start, end: errors of events that overlap a true one by a tenth.
    """

    recordings: int
    hours: float
    overlaps: tuple[float, ...]
    numbers: dict[str, float | None]
    intervals: dict[str, Interval | None]
    classes: list[ClassEvents]
    start: Boundary
    end: Boundary


@dataclasses.dataclass(frozen=True, eq=False)
class _Counts:
    """Of R recordings, with O overlaps and K classes; events are of the classes from 1 on.

    Attributes:
      matched: [R, O, K - 1]; found, true: [R, K - 1].
      edit: [R], NaN without a labelled frame.
      confusion: [R, K, K] frames, a row a true class.
      hours: [R] with a label.
      errors: [M, 2] of starts and ends in seconds.
    """

    matched: np.ndarray
    found: np.ndarray
    true: np.ndarray
    edit: np.ndarray
    confusion: np.ndarray
    hours: np.ndarray
    errors: np.ndarray


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
    overlaps = tuple(overlaps)
    counts = _count(recordings, len(class_names), overlaps)
    own = np.arange(len(recordings)) if group is None else np.asarray(group)

    def numbers(rows: np.ndarray) -> dict[str, float | None]:
        return _numbers(counts, rows, overlaps)

    matched, found, true = (of.sum(0) for of in (counts.matched, counts.found, counts.true))
    frame_f1 = _frame_f1(counts.confusion.sum(0))
    return Segmentation(
        recordings=len(recordings),
        hours=float(counts.hours.sum()),
        overlaps=overlaps,
        numbers=numbers(np.arange(len(recordings))),
        intervals=intervals.bootstrap(numbers, own, samples=samples, seed=seed),
        classes=[
            ClassEvents(
                name=name,
                true_events=int(true[k]),
                found_events=int(found[k]),
                f1=tuple(_f1(matched[o, k], found[k], true[k]) for o in range(len(overlaps))),
                frame_f1=float(frame_f1[k + 1]),
            )
            for k, name in enumerate(class_names[1:])
        ],
        start=_boundary(counts.errors[:, 0]),
        end=_boundary(counts.errors[:, 1]),
    )


def one_event_each(recordings: Sequence[SegmentedRecording]) -> list[SegmentedRecording]:
    """The answer that looks at nothing: one event over each recording, of the class that has most
    of the labelled time of all events."""
    true = np.concatenate([of.true for of in recordings])
    counts = np.bincount(true[true > 0], minlength=2)
    likely = int(counts.argmax()) or 1
    return [dataclasses.replace(of, found=np.full_like(of.found, likely)) for of in recordings]


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
    starts = [np.flatnonzero(np.diff(of, prepend=0) * of) for of in (true, found)]
    one, other = true[starts[0]], found[starts[1]]
    if not len(one) and not len(other):
        return 100.0
    row = np.arange(len(other) + 1)
    for i, label in enumerate(one, start=1):
        changed = row[:-1] + (other != label)
        best = np.append(i, np.minimum(changed, row[1:] + 1))
        steps = np.arange(len(best))
        row = np.minimum.accumulate(best - steps) + steps  # with what is left out on the way
    return 100 * (1 - float(row[-1]) / max(len(one), len(other)))


def table(title: str, found: Mapping[str, Segmentation]) -> Table:
    """A row a measure with its interval, a column a way to segment the same recordings."""
    first = next(iter(found.values()))
    rows = [(_title(name), *(_cell(name, of) for of in found.values())) for name in first.numbers]
    for which in ('start', 'end'):
        for key, called in (('median', 'median'), ('median_abs', 'off by'), ('p90_abs', '90 %')):
            values = [getattr(getattr(of, which), key) for of in found.values()]
            rows.append((f'{which}, {called} (s)', *(number(v, '.2f', none='-') for v in values)))
    return Table(title, ('', *found), rows)


def class_table(of: Segmentation) -> Table:
    """A row a class that has events."""
    header = ('', 'events', 'found', *(f'F1@{o:g}' for o in of.overlaps), 'F1 of frames')
    rows = [
        (
            c.name, f'{c.true_events}', f'{c.found_events}', *(f'{f1:.3f}' for f1 in c.f1),
            f'{c.frame_f1:.3f}',
        )
        for c in of.classes
    ]  # fmt: skip
    return Table('Each class', header, rows)


def _title(name: str) -> str:
    return name.replace('_', ' ').replace('f1', 'F1')


def _cell(name: str, of: Segmentation) -> str:
    form = next((form for start, form in _FORMS.items() if name.startswith(start)), '.3f')
    value, interval = of.numbers[name], of.intervals[name]
    if value is None or interval is None:
        return number(value, form, none='-')
    return f'{value:{form}} [{interval.low:{form}}, {interval.high:{form}}]'


def _count(
    recordings: Sequence[SegmentedRecording], classes: int, overlaps: tuple[float, ...]
) -> _Counts:
    matched, found, true = [], [], []
    edit, confusion, hours, errors = [], [], [], [np.zeros((0, 2))]
    for of in recordings:
        pairs = [events_of(of, k) for k in range(1, classes)]
        shared = [event_metrics.overlaps(*pair) for pair in pairs]
        matched.append([[event_metrics.matches(s, least) for s in shared] for least in overlaps])
        found.append([len(one) for one, _ in pairs])
        true.append([len(other) for _, other in pairs])
        errors += [_errors(*pair, s) for pair, s in zip(pairs, shared, strict=True)]
        known = of.true != UNKNOWN_LABEL
        one, other = of.true[known], of.found[known]
        edit.append(edit_score(one, other) if known.any() else np.nan)
        cells = np.bincount(classes * one + other, minlength=classes**2)
        confusion.append(cells.reshape(classes, classes))
        hours.append(np.diff(of.seconds)[known].sum() / 3600)
    return _Counts(
        *(np.array(part) for part in (matched, found, true, edit, confusion, hours)),
        errors=np.concatenate(errors),
    )


def _errors(found: np.ndarray, true: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """How much later the found events of the best pairs begin and end, [M, 2] seconds."""
    one, other = optimize.linear_sum_assignment(shared, maximize=True)
    kept = shared[one, other] >= _MATCHED
    return found[one[kept]] - true[other[kept]]


def _numbers(
    counts: _Counts, rows: np.ndarray, overlaps: tuple[float, ...]
) -> dict[str, float | None]:
    matched = counts.matched[rows].sum((0, 2))  # [O]
    found, true = int(counts.found[rows].sum()), int(counts.true[rows].sum())
    confusion, hours = counts.confusion[rows].sum(0), float(counts.hours[rows].sum())
    at = overlaps.index(_FALSE_AT) if _FALSE_AT in overlaps else len(overlaps) - 1
    frames, edit = confusion.sum(), counts.edit[rows]
    numbers: dict[str, float | None] = {
        f'f1@{overlap:g}': _f1(m, found, true) for overlap, m in zip(overlaps, matched, strict=True)
    }
    return numbers | {
        f'precision@{overlaps[at]:g}': float(matched[at] / max(found, 1)),
        f'recall@{overlaps[at]:g}': float(matched[at] / max(true, 1)),
        f'false_per_hour@{overlaps[at]:g}': (found - matched[at]) / hours if hours else None,
        'edit': float(np.nanmean(edit)) if np.isfinite(edit).any() else None,
        'frame_accuracy': float(np.trace(confusion) / frames) if frames else None,
        'frame_macro_f1': float(_frame_f1(confusion).mean()) if frames else None,
    }


def _f1(matched: float, found: float, true: float) -> float:
    return float(2 * matched / max(found + true, 1))


def _frame_f1(confusion: np.ndarray) -> np.ndarray:
    """[K] F1 of each class in frames; 0 where it is 0 / 0."""
    either = confusion.sum(0) + confusion.sum(1)
    return 2 * np.diag(confusion) / np.maximum(either, 1)


def _boundary(errors: np.ndarray) -> Boundary:
    if not len(errors):
        return Boundary(median=None, median_abs=None, p90_abs=None)
    size = np.abs(errors)
    return Boundary(
        median=float(np.median(errors)),
        median_abs=float(np.median(size)),
        p90_abs=float(np.quantile(size, _TAIL)),
    )
