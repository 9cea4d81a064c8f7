"""Mode compare: what several runs are and score, side by side."""

import pathlib
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation import comparison
from posevid_jax.evaluation.comparison import Compared, Kept
from posevid_jax.evaluation.events_comparison import JudgedEvents
from posevid_jax.evaluation.results import Epoch, PastEvaluation
from posevid_jax.evaluation.segmentation_results import (
    ONE_EVENT_EACH,
    PastCrossValidation,
    PastPrediction,
    Segmentation,
)
from posevid_jax.evaluation.table import Table, printable
from posevid_jax.runs.config import flatten
from posevid_jax.runs.directory import new_run_directory, unique_names
from posevid_jax.runs.files import read_json, read_record, read_records, write_text


def compare(config: ConfigDict, paths: Sequence[str], workdir: pathlib.Path | None) -> list[Table]:
    """Prints the tables and writes `compare.html`.

    Args:
      config: the whole configuration; `eval` says how often to draw videos.
      paths: run directories, two or more.
      workdir: where the page goes; None makes a new numbered directory.

    Returns:
      `comparison.Comparison.tables`.

    Raises:
      InputError: fewer than two runs, the same one twice, or one that cannot be read; nothing is
        written then.
    """
    runs = [_read(name, path) for name, path in unique_names(paths, '--mode=compare').items()]
    if not any(run.evaluations or run.events for run in runs):
        raise InputError(
            f'{paths[0]}: found no evaluation of any of the runs, expected eval/*.json, '
            'predictions/*/events.json with labels, or cv/events.json'
        )
    found = comparison.compare(runs, samples=config.eval.bootstrap, seed=config.seed)
    text = found.page()
    path = (workdir or new_run_directory(pathlib.Path('runs') / 'compare')) / 'compare.html'
    write_text(path, text)
    for table in found.tables:
        print('\n'.join(table.lines()), end='\n\n')
    for warning in found.warnings:
        print(f'WARNING: {printable(warning)}')
    print(printable(str(path)))
    return found.tables


def _read(name: str, path: pathlib.Path) -> Compared:
    evaluations = {
        file.stem: read_record(PastEvaluation, file)
        for file in sorted((path / 'eval').glob('*.json'))
    }
    kept = {of: path / 'eval' / f'{of}.npz' for of in evaluations}
    history = path / 'history.json'  # a cross-validation has none
    return Compared(
        name=name,
        config=flatten(read_json(path / 'config.json')),
        history=read_records(Epoch, history) if history.exists() else [],
        evaluations=evaluations,
        kept={of: _read_kept(file) for of, file in kept.items() if file.exists()},
        events=_read_events(path),
    )


def _read_events(path: pathlib.Path) -> dict[str, JudgedEvents]:
    """How well events were found in recordings: of predictions, and out of fold, by each way."""
    found = {}
    for file in sorted((path / 'predictions').glob('*/events.json')):
        ways = read_record(PastPrediction, file).segmentation
        if ways:
            found[f'in {file.parent.name}'] = _judged(ways, next(iter(ways)), file)
    file = path / 'cv' / 'events.json'
    if file.exists():
        ways = read_record(PastCrossValidation, file).ways
        names = (way for way in ways if way != ONE_EVENT_EACH)
        found |= {f'out of fold, {way}': _judged(ways, way, file) for way in names}
    return found


def _judged(ways: Mapping[str, Segmentation], way: str, path: pathlib.Path) -> JudgedEvents:
    if ONE_EVENT_EACH not in ways:
        raise InputError(f'{path}: found {", ".join(ways)}, expected {ONE_EVENT_EACH!r} too')
    return JudgedEvents(ways[way], ways[ONE_EVENT_EACH])


def _read_kept(path: pathlib.Path) -> Kept:
    try:
        with np.load(path) as arrays:
            return Kept(**{key: arrays[key] for key in ('prob', 'label', 'group')})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f'{path}: cannot be read ({error})') from None
