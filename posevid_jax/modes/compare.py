"""Mode compare: what several runs are and score, side by side."""

import pathlib
import zipfile
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation import comparison
from posevid_jax.evaluation.comparison import Compared, Kept
from posevid_jax.evaluation.results import Epoch, PastEvaluation
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
    if not any(run.evaluations for run in runs):
        raise InputError(
            f'{paths[0]}: found no evaluation of any of the runs, expected eval/*.json'
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
    return Compared(
        name=name,
        config=flatten(read_json(path / 'config.json')),
        history=read_records(Epoch, path / 'history.json'),
        evaluations=evaluations,
        kept={of: _read_kept(file) for of, file in kept.items() if file.exists()},
    )


def _read_kept(path: pathlib.Path) -> Kept:
    try:
        with np.load(path) as arrays:
            return Kept(**{key: arrays[key] for key in ('prob', 'label', 'group')})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f'{path}: cannot be read ({error})') from None
