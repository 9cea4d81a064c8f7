"""Several runs side by side: what they score, how far apart they are, what differs in them."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from posevid_jax.evaluation import events_comparison, intervals, metrics, page, run_pictures
from posevid_jax.evaluation.events_comparison import JudgedEvents
from posevid_jax.evaluation.results import Epoch, PastEvaluation
from posevid_jax.evaluation.run_pictures import Point
from posevid_jax.evaluation.scores import Interval
from posevid_jax.evaluation.table import Table, with_interval

# Title and attribute of `scores.Headline`.
_COLUMNS = (
    ('ROC-AUC', 'roc_auc'),
    ('average precision', 'average_precision'),
    ('F1', 'f1'),
    ('F1 of trivial', 'trivial_f1'),
    ('balanced accuracy', 'balanced_accuracy'),
    ('Brier', 'brier'),
    ('ECE', 'expected_calibration_error'),
)
_WITH_INTERVAL = ('roc_auc', 'average_precision', 'f1', 'balanced_accuracy')
_GAINS = {title: key for title, key in _COLUMNS if key in ('roc_auc', 'average_precision', 'f1')}
_DRAWN = {title: key for title, key in _COLUMNS if key in ('roc_auc', 'f1')}


@dataclasses.dataclass(frozen=True, eq=False)
class Kept:
    """What a run has kept of the N clips of a set.

    Attributes:
      prob: [N, classes].
      label: [N].
      group: [N] what the bootstrap draws: videos, or subjects.
    """

    prob: np.ndarray
    label: np.ndarray
    group: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    """What the files of a run say.

    Attributes:
      name: by which it is told apart from the others.
      config: config.json, keys joined with dots.
      history: history.json.
      evaluations: those in `eval/`, by name of the set.
      kept: by name of the set, for those that the run has kept.
      events: found in recordings, by name of the set.
    """

    name: str
    config: dict[str, Any]
    history: list[Epoch]
    evaluations: dict[str, PastEvaluation]
    kept: dict[str, Kept]
    events: dict[str, JudgedEvents] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """Some runs and what was found.

    Attributes:
      runs: the first one is what the others are compared with.
      sets: for each set of clips that any run was evaluated on a table of its scores; behind it,
        where two runs or more have kept the same clips, one of how far they are from the first.
      events: the same for each set of recordings.
      differences: configuration keys that differ.
      warnings: sentences about what must not be compared, or not be trusted.
    """

    runs: Sequence[Compared]
    sets: dict[str, list[Table]]
    events: dict[str, list[Table]]
    differences: Table
    warnings: list[str]

    @property
    def tables(self) -> list[Table]:
        """All of them, in the order in which they are shown."""
        sets = itertools.chain(self.sets.values(), self.events.values())
        return [*itertools.chain.from_iterable(sets), self.differences]

    def page(self) -> str:
        """The comparison as one page that needs no other file."""
        parts = [page.findings(('alarm', f'WARNING: {text}') for text in self.warnings)]
        for name, (scores, *gains) in self.sets.items():
            picture = run_pictures.scores_of_runs(_points(self.runs, name))
            drawn = _drawn(self.runs, name)
            parts += [
                page.section(f'On {name}'), dataclasses.replace(scores, title='').html(),
                page.figure(picture.svg, f'With 95 % intervals by bootstrap over {drawn}.'),
                *(table.html() for table in gains),
            ]  # fmt: skip
        for name, (scores, *gains) in self.events.items():
            runs = _events(self.runs, name)
            picture = run_pictures.scores_of_runs(events_comparison.points(runs))
            drawn = next(iter(runs.values())).found.drawn.name
            parts += [
                page.section(f'Events {name}'), dataclasses.replace(scores, title='').html(),
                page.figure(picture.svg, f'With 95 % intervals by bootstrap over {drawn}s.'),
                *(table.html() for table in gains),
            ]  # fmt: skip
        parts += [page.section('The runs'), self.differences.html()]
        if histories := {run.name: run.history for run in self.runs if run.history}:
            picture = run_pictures.learning_of_runs(histories)
            parts.append(page.figure(picture.svg, 'Validation by epoch.'))
        return page.page(' and '.join(run.name for run in self.runs), parts)


def compare(runs: Sequence[Compared], *, samples: int, seed: int) -> Comparison:
    """Puts runs side by side.

    Args:
      runs: two or more.
      samples: of videos and recordings, for the intervals of differences.
      seed: of the samples.
    """
    sets = list(dict.fromkeys(name for run in runs for name in run.evaluations))
    events = {name: _events(runs, name) for run in runs for name in run.events}
    return Comparison(
        runs=runs,
        sets={name: [_scores(runs, name), *_gains(runs, name, samples, seed)] for name in sets},
        events={
            name: events_comparison.tables(f'events {name}', of, samples=samples, seed=seed)
            for name, of in events.items()
        },
        differences=_differences(runs),
        warnings=[
            *(text for name in sets for text in _warnings(runs, name)),
            *(
                text
                for name, of in events.items()
                for text in events_comparison.warnings(f'events {name}', of)
            ),
        ],
    )


def _events(runs: Sequence[Compared], name: str) -> dict[str, JudgedEvents]:
    """What the runs that judged a set of recordings found in it, by their names."""
    return {run.name: run.events[name] for run in runs if name in run.events}


def _scores(runs: Sequence[Compared], name: str) -> Table:
    rows = []
    for run in runs:
        record = run.evaluations.get(name)
        if record is None:
            rows.append((run.name, *('not evaluated', *[''] * (len(_COLUMNS) + 1))))
            continue
        headline, ends = record.scores.headline, record.headline_intervals
        cells = [
            with_interval(getattr(headline, key), ends.get(key) if key in _WITH_INTERVAL else None)
            for _, key in _COLUMNS
        ]
        rows.append((run.name, str(record.step), str(record.scores.clips), *cells))
    return Table(name, ('', 'step', 'clips', *(title for title, _ in _COLUMNS)), rows)


def _gains(runs: Sequence[Compared], name: str, samples: int, seed: int) -> list[Table]:
    """How much better than the first run the others are, on the same draws of videos.

    Only of runs that have kept the probabilities of the same clips.
    """
    kept = [run for run in runs if name in run.kept]
    kept = [run for run in kept if _clips_of(run, name) == _clips_of(kept[0], name)]
    if len(kept) < 2:
        return []
    first = kept[0].kept[name]
    every = np.arange(len(first.label))
    rows = []
    for run in kept[1:]:
        gain = _gain(kept[0], run, name)
        ends = intervals.bootstrap(gain, first.group, samples=samples, seed=seed)
        cells = [_signed(value, ends[title]) for title, value in gain(every).items()]
        rows.append((run.name, *cells))
    drawn = f'the same {_drawn(kept, name)} drawn for both'
    title = f'{name}: gain over {kept[0].name}, with 95 % intervals, {drawn}'
    return [Table(title, ('', *_GAINS), rows)]


def _drawn(runs: Sequence[Compared], name: str) -> str:
    """What the bootstrap draws of a set."""
    records = (run.evaluations[name] for run in runs if name in run.evaluations)
    return next((f'{record.unit.name}s' for record in records if record.unit), 'videos')


def _gain(
    first: Compared, other: Compared, name: str
) -> Callable[[np.ndarray], dict[str, float | None]]:
    """What some clips of a set say of the difference between two runs, by title."""
    label = first.kept[name].label

    def gain(rows: np.ndarray) -> dict[str, float | None]:
        before, after = (
            metrics.evaluate(
                label[rows], of.kept[name].prob[rows], of.evaluations[name].threshold
            ).headline
            for of in (first, other)
        )
        return {
            title: _difference(getattr(before, key), getattr(after, key))
            for title, key in _GAINS.items()
        }

    return gain


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _clips_of(run: Compared, name: str) -> str | None:
    return run.evaluations[name].fingerprint


def _signed(value: float | None, ends: Interval | None) -> str:
    if value is None:
        return ''
    return f'{value:+.4f}' + (f' [{ends.low:+.2f}, {ends.high:+.2f}]' if ends else '')


def _points(runs: Sequence[Compared], name: str) -> dict[str, list[Point]]:
    """The scores to draw, of each run that has them."""
    found: dict[str, list[Point]] = {title: [] for title in _DRAWN}
    for run in runs:
        if record := run.evaluations.get(name):
            for title, key in _DRAWN.items():
                value = getattr(record.scores.headline, key)
                if value is not None:
                    ends = record.headline_intervals.get(key) or Interval(value, value)
                    found[title].append((run.name, value, ends))
    return found


def _warnings(runs: Sequence[Compared], name: str) -> list[str]:
    records = {run.name: run.evaluations[name] for run in runs if name in run.evaluations}
    prints = {record.fingerprint for record in records.values() if record.fingerprint}
    found = []
    if len(prints) > 1 or len({record.scores.clips for record in records.values()}) > 1:
        found.append(f'{name} is not the same set of clips in {", ".join(records)}')
    own = [run for run, record in records.items() if record.chosen_on_these]
    if own:
        found.append(f'{", ".join(own)}: threshold or calibration were chosen on {name} itself')
    return found


def _differences(runs: Sequence[Compared]) -> Table:
    keys = dict.fromkeys(key for run in runs for key in run.config)
    rows = []
    for key in keys:
        values = [json.dumps(run.config[key]) if key in run.config else '-' for run in runs]
        if len(set(values)) > 1 and key != 'name':
            rows.append((key, *values))
    return Table('configuration, where it differs', ('', *(run.name for run in runs)), rows)
