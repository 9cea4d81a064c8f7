"""Several runs beside each other by the events that they found in recordings."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from posevid_jax.evaluation import intervals, segmentation_report
from posevid_jax.evaluation.run_pictures import Point
from posevid_jax.evaluation.scores import Interval
from posevid_jax.evaluation.segmentation_results import ONE_EVENT_EACH, Segmentation
from posevid_jax.evaluation.table import Table


@dataclasses.dataclass(frozen=True)
class JudgedEvents:
    """How well a run finds events in a set of recordings, and how well one event over each does."""

    found: Segmentation
    trivial: Segmentation


def tables(name: str, runs: Mapping[str, JudgedEvents], *, samples: int, seed: int) -> list[Table]:
    """A table of measures, and one of how far the runs are from the first.

    The second one is of runs that judged the same recordings as the first, and is left out where
    there is none; both runs then see the same draws of recordings.

    Args:
      name: of the set of recordings.
      runs: by name, one or more.
      samples: draws of recordings, for the intervals of differences.
      seed: of the draws.
    """
    (first_name, first), *others = runs.items()
    columns = {run: of.found for run, of in runs.items()}
    if not warnings(name, runs):
        columns[ONE_EVENT_EACH] = first.trivial
    title = f'{name}{segmentation_report.drawn(first.found)}'
    scores = segmentation_report.table(title, columns)
    counts = {'recordings': 'recordings', 'labelled events': 'true_events', 'found': 'found_events'}
    rows = [
        (called, *(str(getattr(of, key)) for of in columns.values()))
        for called, key in counts.items()
    ]
    scores = dataclasses.replace(scores, rows=[*rows, *scores.rows])
    alike = {run: of.found for run, of in others if _comparable(first.found, of.found)}
    if not alike:
        return [scores]
    gains = [_gains(first.found, of, samples, seed) for of in alike.values()]
    title = (
        f'{name}: difference from {first_name}, with 95 % intervals, the same '
        f'{first.found.drawn.name}s drawn for both'
    )
    shared = [key for key in gains[0] if all(key in of for of in gains)]
    rows = [(key, *(of[key] for of in gains)) for key in shared]
    return [scores, Table(title, ('', *alike), rows)]


def warnings(name: str, runs: Mapping[str, JudgedEvents]) -> list[str]:
    """What must not be compared, a sentence each."""
    judged = [_recordings(of.found) for of in runs.values()]
    if all(of == judged[0] for of in judged):
        return []
    return [f'{name}: not the same recordings, or other labels of them, in {", ".join(runs)}']


def points(runs: Mapping[str, JudgedEvents]) -> dict[str, list[Point]]:
    """The numbers to draw, of each run that has them."""
    first = next(iter(runs.values())).found
    at = f'f1@{first.overlaps[segmentation_report.middle(first)]:g}'
    found: dict[str, list[Point]] = {}
    for title, key in ((at.replace('f1', 'F1'), at), ('edit', 'edit')):
        found[title] = [
            (run, value, of.found.intervals.get(key) or Interval(value, value))
            for run, of in runs.items()
            if (value := of.found.numbers.get(key)) is not None
        ]
    return found


def _recordings(of: Segmentation) -> list[tuple[str, int]]:
    return [(one.name, one.true_events) for one in of.by_recording]


def _comparable(one: Segmentation, other: Segmentation) -> bool:
    """Whether both judged the same recordings and have kept what draws of them say."""
    kept = (any(recording.frames for recording in of.by_recording) for of in (one, other))
    return _recordings(one) == _recordings(other) and all(kept)


def _gains(first: Segmentation, other: Segmentation, samples: int, seed: int) -> dict[str, str]:
    """Differences with their intervals as cells, by the name of the number."""
    group = np.array([of.group for of in first.by_recording])
    if len(np.unique(group)) < 2:
        samples = 0
    every = np.ones((1, len(group)), np.int64)
    times = np.concatenate([every, intervals.times_drawn(group, samples=samples, seed=seed)])
    before, after = _numbers(first, times), _numbers(other, times)
    cells = {}
    for name in before.keys() & after.keys():
        value, *drawn = after[name] - before[name]
        known = np.array(drawn)[~np.isnan(drawn)]
        cells[name] = _signed(float(value), intervals.percentiles(known, samples), _form(name))
    return {name: cells[name] for name in before if name in cells}


def _numbers(of: Segmentation, times: np.ndarray) -> dict[str, np.ndarray]:
    """By name, [S] each; NaN where undefined.

    Args:
      of: R recordings.
      times: [S, R] how often each recording comes in each of S draws.
    """
    recordings = of.by_recording

    def total(values: Iterable[float | None]) -> np.ndarray:
        return times @ np.array([value or 0 for value in values], np.float64)

    matched = times @ np.array([one.matched for one in recordings])  # [S, overlaps]
    found = total(one.found_events for one in recordings)
    events = found + total(one.true_events for one in recordings)
    middle = segmentation_report.middle(of)
    with np.errstate(invalid='ignore', divide='ignore'):
        return {
            **{
                f'F1@{overlap:g}': 2 * matched[:, o] / np.maximum(events, 1)
                for o, overlap in enumerate(of.overlaps)
            },
            f'false per hour@{of.overlaps[middle]:g}': (found - matched[:, middle])
            / (total(one.seconds for one in recordings) / 3600),
            'edit': total(one.edit for one in recordings)
            / total(one.edit is not None for one in recordings),
            'frame accuracy': total((one.frame_accuracy or 0) * one.frames for one in recordings)
            / total(one.frames for one in recordings),
            'start, off by (s)': _off_by([one.start for one in recordings], times),
            'end, off by (s)': _off_by([one.end for one in recordings], times),
        }


def _off_by(errors: Sequence[Sequence[float]], times: np.ndarray) -> np.ndarray:
    """[S] medians of the absolute errors of R recordings, drawn as often as `times` [S, R] says."""
    size = np.abs(list(itertools.chain.from_iterable(errors)))
    owner = np.repeat(np.arange(len(errors)), [len(of) for of in errors])
    drawn = (np.repeat(size, row[owner]) for row in times)
    return np.array([np.median(of) if len(of) else np.nan for of in drawn])


def _form(name: str) -> str:
    return '.1f' if name.startswith(('edit', 'false')) else '.3f'


def _signed(value: float, ends: Interval | None, form: str) -> str:
    if np.isnan(value):
        return '-'
    shown = f'{value:+{form}}'
    return f'{shown} [{ends.low:+{form}}, {ends.high:+{form}}]' if ends else shown
