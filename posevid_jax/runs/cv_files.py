"""The files of a cross-validation: what is done is never done twice, nor mixed with another one."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.config import TRAINING_SECTIONS
from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.cv_results import CrossValidation, ErrorAnalysis, OutOfFoldThreshold
from posevid_jax.evaluation.decision import Origin
from posevid_jax.evaluation.table import Table
from posevid_jax.runs.config import as_json, check_config
from posevid_jax.runs.directory import write_decision
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import read_json, write_json, write_text

_SECTIONS = (*TRAINING_SECTIONS, 'cv')
# Keys of the training that may differ between the command that started a cross-validation and the
# one that goes on with it.
_MAY_CHANGE = ('train.log_every_steps', 'data.val', 'data.test')


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """Which clip is in which fold.

    Attributes:
      clips: all of them.
      group: [N] what a fold keeps together, and what the bootstrap draws.
      fold: [N] the fold that holds a clip out, from 0.
      footage: videos that show the same.
      train: the clips to train on, `clips` or others of the same videos.
      train_fold: the fold that is judged without them.
    """

    clips: Clips
    group: np.ndarray
    fold: np.ndarray
    footage: list[tuple[str, str]]
    train: Clips
    train_fold: np.ndarray


def open_directory(
    workdir: pathlib.Path, config: ConfigDict, fold_config: ConfigDict, plan: Plan
) -> None:
    """Makes the directory of a cross-validation, or checks that this one goes on in it.

    Raises:
      InputError: it holds a run, or a cross-validation, of another configuration or other clips.
    """
    folder = workdir / 'cv'
    check_config(workdir, config)
    check_config(folder, fold_config, _SECTIONS, _MAY_CHANGE)
    content = _content(plan)
    if plan.train is not plan.clips:
        content['trained_on'] = plan.train.fingerprint()
    path = folder / 'plan.json'
    if path.exists() and read_json(path) != content:
        raise InputError(
            f'{path}: found a cross-validation of other clips or folds, expected those of '
            f'{fold_config.data.train}; use another --workdir'
        )
    write_json(path, content)
    write_json(folder / 'config.json', as_json(fold_config))
    if not (workdir / 'config.json').exists():
        write_json(workdir / 'config.json', as_json(config))


def check_plan(workdir: pathlib.Path, plan: Plan) -> None:
    """Checks that a run directory holds a finished cross-validation of these clips and folds.

    Raises:
      InputError: it holds none, or another one.
    """
    path = workdir / 'cv' / 'plan.json'
    missing = [k for k in np.unique(plan.fold) if not has_fold(workdir, k)]
    if not path.exists() or missing:
        lacks = _fold_path(workdir, missing[0]) if path.exists() else path
        raise InputError(f'{lacks}: not found; expected --mode=cv --workdir={workdir} before')
    found = read_json(path)
    if found | _content(plan) != found:  # what was trained on may differ
        raise InputError(
            f'{path}: found a cross-validation of other clips or folds, expected the same in all '
            'runs: data.train, cv.folds and seed say which'
        )


def _content(plan: Plan) -> dict[str, Any]:
    """Which clips are judged, and by which folds."""
    return {'train': plan.clips.fingerprint(), 'fold': (plan.fold + 1).tolist()}


def _fold_path(workdir: pathlib.Path, fold: int) -> pathlib.Path:
    return workdir / 'cv' / f'fold_{fold + 1}.json'


def has_fold(workdir: pathlib.Path, fold: int) -> bool:
    """Whether a fold is done; its file appears in one piece."""
    return _fold_path(workdir, fold).exists()


def write_fold(workdir: pathlib.Path, fold: int, logits: np.ndarray, seconds: float) -> None:
    """Keeps the logits `[n, M, K]` of the clips that a fold held out."""
    write_json(_fold_path(workdir, fold), {'logits': logits.tolist(), 'time': {'fold_s': seconds}})


def has_recordings(workdir: pathlib.Path, fold: int) -> bool:
    """Whether a fold has judged the recordings that it held out."""
    return _recordings_path(workdir, fold).exists()


def write_recordings(workdir: pathlib.Path, fold: int, logits: dict[str, np.ndarray]) -> None:
    """Keeps the logits [T, K] of the frames of the recordings that a fold held out, by name."""
    frames = {name: of.tolist() for name, of in logits.items()}
    write_json(_recordings_path(workdir, fold), {'frames': frames})


def read_recordings(workdir: pathlib.Path, fold: Mapping[str, int]) -> dict[str, np.ndarray]:
    """What `write_recordings` kept.

    Args:
      workdir: the directory of the cross-validation.
      fold: by the name of each recording that is wanted, the fold that judged it.

    Raises:
      InputError: a file is missing or damaged, or of other recordings.
    """
    found: dict[str, np.ndarray] = {}
    for k in sorted(set(fold.values())):
        path = _recordings_path(workdir, k)
        if not path.exists():
            raise InputError(
                f'{path}: not found; expected --mode=cv --workdir={workdir} before, with '
                'prepare.landmarks and prepare.labels'
            )
        try:
            frames = read_json(path)['frames']
            found |= {name: np.array(of, np.float32) for name, of in frames.items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(
                f'{path}: found no logits of frames; delete it, and the fold will be trained again'
            ) from None
        missing = [name for name, of in fold.items() if of == k and name not in found]
        if missing:
            raise InputError(
                f'{path}: found nothing about recording {missing[0]}; delete it, and --mode=cv '
                'will train the fold again'
            )
    return found


def _recordings_path(workdir: pathlib.Path, fold: int) -> pathlib.Path:
    return workdir / 'cv' / f'fold_{fold + 1}_recordings.json'


def read_folds(workdir: pathlib.Path, plan: Plan) -> np.ndarray:
    """The logits `[N, M, K]` of all clips, each from the fold that held it out.

    Raises:
      InputError: a file is missing, damaged or of other clips.
    """
    parts = {}
    for k in np.unique(plan.fold):
        path = _fold_path(workdir, k)
        rows = np.flatnonzero(plan.fold == k)
        try:
            logits = np.array(read_json(path)['logits'], np.float32)
            parts[k] = logits.reshape(len(rows), -1, logits.shape[-1])
        except (KeyError, TypeError, ValueError, IndexError):
            raise InputError(
                f'{path}: found no logits of {len(rows)} clips; delete it, and the fold '
                'will be trained again'
            ) from None
    by_fold = np.concatenate(list(parts.values()))
    logits = np.empty_like(by_fold)
    logits[np.argsort(plan.fold, kind='stable')] = by_fold
    return logits


def seconds_of_folds(workdir: pathlib.Path, count: int) -> list[float]:
    """How long each fold took, whichever process trained it."""
    return [read_json(_fold_path(workdir, k))['time']['fold_s'] for k in range(count)]


def write_predictions(workdir: pathlib.Path, plan: Plan, probs: np.ndarray) -> None:
    """Writes `cv/predictions.csv`: the columns of any predictions, and the fold.

    Args:
      workdir: the directory.
      plan: clips and folds.
      probs: `[N, K]` probabilities; two classes have one column, several one each.
    """
    clips = plan.clips
    several = probs.shape[1] > 2
    columns = {
        'row': np.arange(len(clips)),
        'video_id': np.array(clips.video_ids),
        'start_frame': clips.start_frame,
        'end_frame': clips.end_frame,
        'label': clips.label,
    }
    columns |= {
        f'prob_{name}' if several else 'prob': probs[:, k]
        for k, name in enumerate(clips.class_names)
        if several or k == 1
    }
    columns['fold'] = plan.fold + 1
    table = Table.of_columns(columns, form='')
    write_text(workdir / 'cv' / 'predictions.csv', table.csv())


def write_results(
    workdir: pathlib.Path,
    config: ConfigDict,
    plan: Plan,
    record: CrossValidation,
    points: dict[str, OutOfFoldThreshold] | None,
    calibrations: dict[str, Calibration],
    errors: ErrorAnalysis,
) -> None:
    """Writes `cv.json`, `thresholds.json` and `calibration.json`.

    Args:
      workdir: the directory.
      config: the whole configuration.
      plan: clips and folds.
      record: from `out_of_fold.evaluate`; an ensemble's names its members.
      points: from `out_of_fold.operating_points`; None with several classes.
      calibrations: fitted to all out-of-fold predictions, by name.
      errors: from `error_analysis.find`.
    """
    train = plan.clips.fingerprint()
    origin = Origin(
        chosen_on='out-of-fold predictions',
        clips=len(plan.clips),
        train=train,
        folds=config.cv.folds,
        seeds=config.cv.seeds,
    )
    chosen = OutOfFoldThreshold(rule='most probable class', threshold=None, expected=None)
    if points is not None:
        wanted = points[config.eval.threshold]
        chosen = wanted if wanted.threshold is not None else points['f1']
    write_decision(workdir, chosen, points, calibrations, origin)
    write_json(
        workdir / 'cv.json',
        environment()
        | {
            'seed': config.seed,
            'data': {'train': train},
            'same_footage': plan.footage,
            'config': as_json(config),
            'results': record,
            'thresholds': points,
            'calibration': calibrations,
            'error_analysis': errors,
        },
    )
