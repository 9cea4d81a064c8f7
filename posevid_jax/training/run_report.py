"""Pages of a run: what it is and what an evaluation says, for people."""

import json
import pathlib

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import ensemble, eval_page
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.metrics import Record
from posevid_jax.training import artifacts


def write(
    path: pathlib.Path,
    workdir: pathlib.Path,
    record: Record,
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
) -> None:
    """Writes a page, and its pictures as PNG into a folder of its name.

    Args:
      path: PATH.html; the pictures go to PATH/.
      workdir: the run directory.
      record: from `validation.final_record`, with `set` and `step`.
      clips: the set evaluated.
      logits: `[N, K]`, or `[N, M, K]` of M members.
      chosen: calibration and threshold of the run.

    Raises:
      InputError: a file of the run is damaged, or the page cannot be written.
    """
    config = artifacts.read_json(workdir / 'config.json')
    text, pictures = eval_page.make(
        f'{workdir.name}: {config["model"]["name"]} on {record["set"]}',
        record,
        clips,
        ensemble.mean_logits(logits),
        chosen,
        history=artifacts.read_json(workdir / 'history.json'),
        best=artifacts.read_json(workdir / 'best.json'),
        environment=_environment(record),
        settings=[(key, json.dumps(value)) for key, value in artifacts.flat(config).items()],
    )
    artifacts.write_text(path, text)
    folder = path.with_suffix('')
    for old in folder.glob('*.png'):  # of an earlier evaluation
        old.unlink()
    for name, picture in pictures.items():
        artifacts.write_bytes(folder / f'{name}.png', picture.png)


def _environment(record: Record) -> list[tuple[str, str]]:
    found = artifacts.environment()
    device, commit = found['device'], found['commit']
    return [
        ('step', str(record['step'])),
        ('command', ' '.join(found['command'])),
        ('device', f'{device["count"]} x {device["kind"]}'),
        ('commit', f'{commit["id"]}{", with changes" * commit["dirty"]}' if commit else 'unknown'),
        *found['versions'].items(),
    ]
