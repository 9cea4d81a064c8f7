"""The files of an evaluation: its record, its probabilities, and a page for people."""

import json
import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import source as data_source
from posevid_jax.data.clips import Clips
from posevid_jax.data.npz import write_arrays
from posevid_jax.evaluation import eval_page
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.drawing import Picture
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.results import Best, Epoch, Evaluation
from posevid_jax.machine import processes
from posevid_jax.runs import evaluation_log, set_names
from posevid_jax.runs.config import flatten
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import (
    read_json,
    read_record,
    read_records,
    write_bytes,
    write_json,
    write_text,
)
from posevid_jax.runs.set_names import SetName


def set_name(workdir: pathlib.Path, path: str, train: str) -> SetName:
    """The name of a set in `eval/`, which no other set has there.

    Args:
      workdir: the run directory.
      path: of the set; '' for the validation clips split off from `train`.
      train: the training clips.

    Raises:
      InputError: a record of an earlier evaluation is damaged.
    """
    source = set_names.whence(path, train)

    def source_of(name: str) -> str | None:
        record = workdir / 'eval' / f'{name}.json'
        return read_json(record).get('source', '') if record.exists() else None

    plain = data_source.set_name(path or 'val')
    return SetName(set_names.name_for(plain, source, source_of), source)


def write(
    workdir: pathlib.Path,
    page: pathlib.Path,
    evaluation: Evaluation,
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
    config: ConfigDict,
    *,
    epochs: int | None = None,
) -> int:
    """Writes `eval/<set>.json`, `eval/<set>.npz` and, with `eval.report`, a page.

    Before that, the look at the set is counted: `evaluation_log.note`.

    The archive has `prob [N, classes]`, calibrated, `label [N]` and `group [N]`, by which two runs
    are compared on the same videos.

    Args:
      workdir: the run directory.
      page: PATH.html; its pictures go to PATH/ as PNG.
      evaluation: of the set.
      clips: the set evaluated.
      logits: `[N, K]`, or `[N, M, K]` of M members.
      chosen: calibration and threshold of the run.
      config: `config.eval`.
      epochs: of a training at its end: at how many it was judged by these clips before.

    Returns:
      which look at the set this is, from 1.

    Raises:
      InputError: a file of the run is damaged, or one cannot be written.
    """
    look = evaluation_log.note(workdir, evaluation, epochs=epochs)
    logits = mean_logits(logits)
    path = workdir / 'eval' / f'{evaluation.set}.json'
    write_json(path, evaluation)
    if processes.is_first():
        prob = chosen.probabilities(logits)
        arrays = {'prob': prob, 'label': clips.label, 'group': clips.group}
        write_arrays(path.with_suffix('.npz'), arrays)
        if config.report:
            _write_page(workdir, page, evaluation, clips, logits, chosen)
    return look


def _write_page(
    workdir: pathlib.Path,
    path: pathlib.Path,
    evaluation: Evaluation,
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
) -> None:
    config = read_json(workdir / 'config.json')
    history = read_records(Epoch, workdir / 'history.json')
    text, pictures = eval_page.make(
        f'{workdir.name}: {config["model"]["name"]} on {evaluation.set}',
        evaluation,
        clips,
        logits,
        chosen,
        history=history,
        best=read_record(Best, workdir / 'best.json') if history else None,
        environment=_environment(evaluation.step),
        settings=[(key, json.dumps(value)) for key, value in flatten(config).items()],
    )
    write_page(path, text, pictures)


def write_page(path: pathlib.Path, text: str, pictures: dict[str, Picture]) -> None:
    """Writes PATH.html, and its pictures to PATH/ as PNG.

    Raises:
      InputError: one cannot be written.
    """
    write_text(path, text)
    folder = path.with_suffix('')
    for old in folder.glob('*.png'):  # of an earlier evaluation
        old.unlink()
    for name, picture in pictures.items():
        write_bytes(folder / f'{name}.png', picture.png)


def _environment(step: int) -> list[tuple[str, str]]:
    found = environment()
    device, commit = found['device'], found['commit']
    return [
        ('step', str(step)),
        ('command', ' '.join(found['command'])),
        ('device', f'{device["count"]} x {device["kind"]}'),
        ('commit', f'{commit["id"]}{", with changes" * commit["dirty"]}' if commit else 'unknown'),
        *found['versions'].items(),
    ]
