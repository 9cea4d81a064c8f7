"""Mode compare: what several runs are and score, side by side."""

import dataclasses
import itertools
import json
import pathlib
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation import compare_pictures, intervals, metrics, page
from posevid_jax.evaluation.metrics import Record
from posevid_jax.evaluation.page import Table
from posevid_jax.runs.config import flatten
from posevid_jax.runs.directory import new_run_directory, unique_names
from posevid_jax.runs.files import read_json, write_text

# Title, place in the record of two classes and in that of several.
_COLUMNS = (
    ('ROC-AUC', 'roc_auc', 'roc_auc'),
    ('average precision', 'average_precision', 'average_precision'),
    ('F1', 'at_threshold.f1', 'f1'),
    ('F1 of trivial', 'always_positive.f1', 'majority_class.f1'),
    ('balanced accuracy', 'at_threshold.balanced_accuracy', 'balanced_accuracy'),
    ('Brier', 'brier', 'brier'),
    ('ECE', 'expected_calibration_error', 'expected_calibration_error'),
)


_WITH_INTERVAL = ('ROC-AUC', 'average precision', 'F1', 'balanced accuracy')


_GAINS = ('ROC-AUC', 'average precision', 'F1')


@dataclasses.dataclass(frozen=True)
class Compared:
    """What the files of a run say.

    Attributes:
      name: by which it is told apart from the others.
      path: the run directory.
      config: config.json, keys joined with dots.
      history: history.json.
      evaluations: the records in `eval/`, by name of the set.
    """

    name: str
    path: pathlib.Path
    config: dict[str, Any]
    history: list[Record]
    evaluations: dict[str, Record]

    def path_of(self, name: str) -> pathlib.Path:
        """Where the probabilities of a set are."""
        return self.path / 'eval' / f'{name}.npz'


@dataclasses.dataclass(frozen=True, eq=False)
class _Kept:
    """What a run has kept of the clips of a set: eval/<set>.npz, and its threshold."""

    prob: np.ndarray
    label: np.ndarray
    group: np.ndarray
    threshold: float | None

    @classmethod
    def read(cls, run: Compared, name: str) -> '_Kept':
        record = run.evaluations[name]
        threshold = None if 'per_class' in record else record['at_threshold']['threshold']
        try:
            with np.load(run.path_of(name)) as arrays:
                found = {key: arrays[key] for key in ('prob', 'label', 'group')}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f'{run.path_of(name)}: cannot be read ({error})') from None
        return cls(threshold=threshold, **found)


def compare(config: ConfigDict, paths: Sequence[str], workdir: pathlib.Path | None) -> list[Table]:
    """Prints the tables and writes `compare.html`.

    Args:
      config: the whole configuration; `eval` says how often to draw videos.
      paths: run directories, two or more.
      workdir: where the page goes; None makes a new numbered directory.

    Returns:
      the tables: for each set of clips that any of the runs was evaluated on one of numbers, and
      one of how far the others are from the first run; then the configuration keys that differ.

    Raises:
      InputError: fewer than two runs, the same one twice, or one that cannot be read; nothing is
        written then.
    """
    runs = [_read(name, path) for name, path in unique_names(paths, '--mode=compare').items()]
    sets = list(dict.fromkeys(name for run in runs for name in run.evaluations))
    if not sets:
        raise InputError(
            f'{paths[0]}: found no evaluation of any of the runs, expected eval/*.json'
        )
    tables = {name: [_scores(runs, name), *_gains(runs, name, config)] for name in sets}
    differences = _differences(runs)
    found = [text for name in sets for text in _warnings(runs, name)]
    parts = [page.findings(('alarm', f'WARNING: {text}') for text in found)]
    for name, (scores, *gains) in tables.items():
        picture = compare_pictures.scores(_points(runs, name))
        parts += [
            page.section(f'On {name}'), dataclasses.replace(scores, title='').html(),
            page.figure(picture.svg, 'With 95 % intervals by bootstrap over videos.'),
            *(table.html() for table in gains),
        ]  # fmt: skip
    picture = compare_pictures.learning({run.name: run.history for run in runs})
    parts += [
        page.section('The runs'), differences.html(),
        page.figure(picture.svg, 'Validation by epoch.'),
    ]  # fmt: skip
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / 'compare')
    path = workdir / 'compare.html'
    write_text(path, page.page(' and '.join(run.name for run in runs), parts))
    everything = [*itertools.chain.from_iterable(tables.values()), differences]
    for table in everything:
        print('\n'.join(table.lines()), end='\n\n')
    for text in found:
        print(f'WARNING: {page.printable(text)}')
    print(page.printable(str(path)))
    return everything


def _read(name: str, path: pathlib.Path) -> Compared:
    return Compared(
        name,
        path,
        flatten(read_json(path / 'config.json')),
        read_json(path / 'history.json'),
        {file.stem: read_json(file) for file in sorted((path / 'eval').glob('*.json'))},
    )


def _scores(runs: list[Compared], name: str) -> Table:
    rows = []
    for run in runs:
        record = run.evaluations.get(name)
        if record is None:
            rows.append((run.name, *('not evaluated', *[''] * (len(_COLUMNS) + 1))))
            continue
        cells = []
        for title, two, several in _COLUMNS:
            value, ends = _number(record, two, several)
            cells.append(_cell(value, ends if title in _WITH_INTERVAL else None))
        rows.append((run.name, str(record['step']), str(record['clips']), *cells))
    return Table(name, ('', 'step', 'clips', *(title for title, _, _ in _COLUMNS)), rows)


def _gains(runs: list[Compared], name: str, config: ConfigDict) -> list[Table]:
    """How much better than the first run the others are, on the same draws of videos.

    Only of runs that have kept the probabilities of the same clips.
    """
    kept = [run for run in runs if run.path_of(name).exists()]
    kept = [run for run in kept if _clips_of(run, name) == _clips_of(kept[0], name)]
    if len(kept) < 2:
        return []
    first, *others = (_Kept.read(run, name) for run in kept)
    rows = []
    for run, other in zip(kept[1:], others, strict=True):
        every = np.arange(len(first.label))
        gain = _gain(first, other)
        ends = intervals.bootstrap(
            gain, first.group, samples=config.eval.bootstrap, seed=config.seed
        )
        cells = [_signed(value, ends[title]) for title, value in gain(every).items()]
        rows.append((run.name, *cells))
    title = f'{name}: better than {kept[0].name} by, with 95 % intervals, videos drawn for both'
    return [Table(title, ('', *_GAINS), rows)]


def _gain(first: _Kept, other: _Kept) -> Callable[[np.ndarray], dict[str, float | None]]:
    def gain(rows: np.ndarray) -> dict[str, float | None]:
        records = [
            metrics.evaluate(first.label[rows], of.prob[rows], of.threshold)
            for of in (first, other)
        ]
        found = {}
        for title, two, several in _COLUMNS:
            if title in _GAINS:
                before, after = (_number(record, two, several)[0] for record in records)
                found[title] = None if before is None or after is None else after - before
        return found

    return gain


def _clips_of(run: Compared, name: str) -> str | None:
    return run.evaluations[name].get('fingerprint') if name in run.evaluations else None


def _signed(value: float | None, ends: intervals.Interval | None) -> str:
    if value is None:
        return ''
    return f'{value:+.4f}' + (f' [{ends.low:+.2f}, {ends.high:+.2f}]' if ends else '')


def _points(runs: list[Compared], name: str) -> dict[str, list[tuple[str, float, list[float]]]]:
    """For ROC-AUC and F1: name, value and interval of each run that has them."""
    found = {}
    for title, two, several in _COLUMNS:
        if title in ('ROC-AUC', 'F1'):
            found[title] = [
                (run.name, value, ends or [value, value])
                for run in runs
                if name in run.evaluations
                for value, ends in [_number(run.evaluations[name], two, several)]
                if value is not None
            ]
    return found


def _number(record: Record, two: str, several: str) -> tuple[float | None, list[float] | None]:
    """A number and its interval; None where a record, perhaps an older one, has none."""
    dotted = several if 'per_class' in record else two
    value: Any = record
    for key in dotted.split('.'):
        value = value.get(key) if isinstance(value, dict) else None
    return value, record.get('intervals', {}).get(dotted)


def _cell(value: float | None, ends: list[float] | None) -> str:
    if value is None:
        return ''
    return f'{value:.4f}' if ends is None else f'{value:.4f} [{ends[0]:.2f}, {ends[1]:.2f}]'


def _warnings(runs: list[Compared], name: str) -> list[str]:
    records = {run.name: run.evaluations[name] for run in runs if name in run.evaluations}
    # A record of an older run does not say which clips it is about.
    prints = {r['fingerprint'] for r in records.values() if 'fingerprint' in r}
    found = []
    if len(prints) > 1 or len({record['clips'] for record in records.values()}) > 1:
        found.append(f'{name} is not the same set of clips in {", ".join(records)}')
    own = [run for run, record in records.items() if record.get('chosen_on_these')]
    if own:
        found.append(f'{", ".join(own)}: threshold or calibration were chosen on {name} itself')
    return found


def _differences(runs: list[Compared]) -> Table:
    keys = dict.fromkeys(key for run in runs for key in run.config)
    rows = []
    for key in keys:
        values = [json.dumps(run.config[key]) if key in run.config else '-' for run in runs]
        if len(set(values)) > 1 and key != 'name':
            rows.append((key, *values))
    return Table('configuration, where it differs', ('', *(run.name for run in runs)), rows)
