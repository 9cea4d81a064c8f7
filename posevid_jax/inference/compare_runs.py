"""Mode compare: what several runs are and score, side by side."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from posevid_jax.errors import InputError
from posevid_jax.evaluation import page
from posevid_jax.evaluation.metrics import Record
from posevid_jax.evaluation.page import Table
from posevid_jax.inference import compare_pictures
from posevid_jax.training import artifacts

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


@dataclasses.dataclass(frozen=True)
class Compared:
    """What the files of a run say.

    Attributes:
      name: by which it is told apart from the others.
      config: config.json, keys joined with dots.
      history: history.json.
      evaluations: the records in `eval/`, by name of the set.
    """

    name: str
    config: dict[str, Any]
    history: list[Record]
    evaluations: dict[str, Record]


def compare(paths: Sequence[str], workdir: pathlib.Path | None) -> list[Table]:
    """Prints the tables and writes `compare.html`.

    Args:
      paths: run directories, two or more.
      workdir: where the page goes; None makes a new numbered directory.

    Returns:
      the tables: one for each set of clips that any of the runs was evaluated on, and one of the
      configuration keys that differ.

    Raises:
      InputError: fewer than two runs, the same one twice, or one that cannot be read; nothing is
        written then.
    """
    runs = [_read(name, path) for name, path in _named(paths).items()]
    sets = list(dict.fromkeys(name for run in runs for name in run.evaluations))
    if not sets:
        raise InputError(
            f'{paths[0]}: found no evaluation of any of the runs, expected eval/*.json'
        )
    tables = [*(_scores(runs, name) for name in sets), _differences(runs)]
    found = [text for name in sets for text in _warnings(runs, name)]
    parts = [page.findings(('alarm', f'WARNING: {text}') for text in found)]
    for name, table in zip(sets, tables, strict=False):
        picture = compare_pictures.scores(_points(runs, name))
        parts += [
            page.section(f'On {name}'), dataclasses.replace(table, title='').html(),
            page.figure(picture.svg, 'With 95 % intervals by bootstrap over videos.'),
        ]  # fmt: skip
    picture = compare_pictures.learning({run.name: run.history for run in runs})
    parts += [
        page.section('The runs'), tables[-1].html(),
        page.figure(picture.svg, 'Validation by epoch.'),
    ]  # fmt: skip
    if workdir is None:
        workdir = artifacts.new_run_directory(pathlib.Path('runs') / 'compare')
    path = workdir / 'compare.html'
    artifacts.write_text(path, page.page(' and '.join(run.name for run in runs), parts))
    for table in tables:
        print('\n'.join(table.lines()), end='\n\n')
    for text in found:
        print(f'WARNING: {page.printable(text)}')
    print(page.printable(str(path)))
    return tables


def _named(paths: Sequence[str]) -> dict[str, pathlib.Path]:
    """The directories by their last name, or by the whole path where last names are equal."""
    if len(paths) < 2:
        raise InputError(
            f'--mode=compare: found {len(paths)} run directories, expected two or more'
        )
    resolved: dict[pathlib.Path, str] = {}
    for path in paths:
        before = resolved.setdefault(pathlib.Path(path).resolve(), path)
        if before is not path:
            raise InputError(f'{path}: found a second time ({before}), expected different runs')
    names = [path.name for path in resolved]
    names = names if len(set(names)) == len(names) else list(paths)
    return dict(zip(names, resolved, strict=True))


def _read(name: str, path: pathlib.Path) -> Compared:
    return Compared(
        name,
        artifacts.flat(artifacts.read_json(path / 'config.json')),
        artifacts.read_json(path / 'history.json'),
        {file.stem: artifacts.read_json(file) for file in sorted((path / 'eval').glob('*.json'))},
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
