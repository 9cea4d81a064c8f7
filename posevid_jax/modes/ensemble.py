"""Mode ensemble: finished runs joined into one.

With `ensemble.weights=fitted` they were cross-validated on the same clips and folds: weights,
calibration and thresholds know out-of-fold predictions alone, and what is reported of them is of
folds that they were not fitted to. With `equal` nothing is fitted but calibration and threshold, to
the validation clips that all of them share.
"""

import dataclasses
import functools
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import combination, cv_report, decision, metrics, out_of_fold, units
from posevid_jax.evaluation.combination import Combination
from posevid_jax.evaluation.cv_results import CrossValidation
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.inference.ensemble import ENSEMBLE, common_inputs
from posevid_jax.inference.single import SingleRun
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import cv, cv_events, cv_recordings
from posevid_jax.modes.cv_events import OutOfFold
from posevid_jax.runs import checksums, cv_files, split, training_clips
from posevid_jax.runs.config import as_json, read_config
from posevid_jax.runs.directory import unique_names, write_decision
from posevid_jax.runs.files import write_json
from posevid_jax.training import validation

WEIGHTS = ('fitted', 'equal')
# What the directory takes from the command; all else is the first member's.
_OF_COMMAND = ('eval', 'predict', 'ensemble')
_OUT_OF_FOLD = 'out-of-fold predictions'
_COPIED = ('config.json', 'scaler.json', 'thresholds.json', 'calibration.json')
_COPIED_WHERE_THERE = (training_clips.FILE, training_clips.EARLIER_FILE, split.FILE)


def join_runs(
    config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best'
) -> CrossValidation | None:
    """Joins the runs of `ensemble.runs`.

    Writes a run directory that needs none of theirs: `members/<name>/` with what each one predicts
    with, `ensemble.json`, `config.json`, and calibration and threshold; with fitted weights also
    the files of a cross-validation, whose table is printed. With `prepare.landmarks` and
    `prepare.labels`, whole recordings are judged too, where all cross-validations did so.

    Args:
      config: of the command: `ensemble`, `eval`, `predict`, `prepare`.
      workdir: the directory to make.
      checkpoint: of each run: `best`, `last` or a step.

    Returns:
      `out_of_fold.evaluate` of the combination, whose `members` are the runs, `names` in their
      order; None with equal weights.

    Raises:
      InputError: the directory is there already, a run or its cross-validation is not, or they do
        not fit each other; nothing is written then.
    """
    decision.check(config)
    if config.ensemble.weights not in WEIGHTS:
        raise InputError(
            f'ensemble.weights: found {config.ensemble.weights!r}, expected one of '
            f'{", ".join(WEIGHTS)}'
        )
    if workdir.exists() and (not workdir.is_dir() or any(workdir.iterdir())):
        raise InputError(f'{workdir}: found something there, expected a new directory')
    members = _members(config, checkpoint)
    joined = _config(config, list(members.values()))
    join = _join_fitted if config.ensemble.weights == 'fitted' else _join_equally
    return join(joined, workdir, members)


def _join_fitted(
    config: ConfigDict, workdir: pathlib.Path, members: Mapping[str, SingleRun]
) -> CrossValidation:
    plan = _plan(members)
    logits = _out_of_fold(members, plan)
    held_out = cv_recordings.read(config, next(iter(members.values())).form, plan)
    frames = []
    if held_out:
        frames = [cv_files.read_recordings(of.workdir, held_out.fold) for of in members.values()]
    fitted = combination.fit(plan.clips.label, logits)
    with atomic_folder(workdir) as folder:
        record = _judge(config, folder, plan, logits, fitted, list(members))
        if held_out:
            for_fold = functools.partial(_for_fold, plan=plan, logits=logits, frames=frames)
            cv_events.sum_up(folder, held_out, plan, for_fold, config)
        train = plan.clips.fingerprint()
        _write_run(folder, config, members, fitted, fitted_on=_OUT_OF_FOLD, train=train)
    weights = ', '.join(f'{name} {w:.3f}' for name, w in zip(members, fitted.weights, strict=True))
    print(f'{workdir}: weights of calibrated logits: {weights}; ensemble.json, cv.json, members/')
    return record


def _join_equally(
    config: ConfigDict, workdir: pathlib.Path, members: Mapping[str, SingleRun]
) -> None:
    equal = combination.equal(len(members))
    val = _validation_clips(members)
    parallel = Parallel(config.parallel)
    logits = [
        mean_logits(member.logits(parallel)(member.conform(val, name)))
        for name, member in members.items()
    ]
    _check_alike(dict(zip(members, logits, strict=True)))
    chosen = decision.choose(equal(logits), val.label, config.eval)
    origin = validation.origin(val, config)
    with atomic_folder(workdir) as folder:
        write_decision(folder, chosen.threshold, chosen.rules, chosen.calibrations, origin)
        _write_run(folder, config, members, equal)
    print(
        f'{workdir}: equal weights of the logits of {", ".join(members)}; calibration and '
        f'threshold from {origin.chosen_on}; ensemble.json, members/'
    )


def _members(config: ConfigDict, checkpoint: str) -> dict[str, SingleRun]:
    """The runs by name, after a check that they fit each other."""
    paths = list(unique_names(config.ensemble.runs, 'ensemble.runs').values())
    for path in paths:
        if not (path / 'scaler.json').exists():
            raise InputError(f'ensemble.runs: {path}: found no scaler.json, expected a trained run')
    members = {
        name: SingleRun.restore(read_config(path), path, checkpoint)
        for name, path in zip(_names(paths), paths, strict=True)
    }
    common_inputs(members)
    return members


def _names(paths: Sequence[pathlib.Path]) -> list[str]:
    """Names of folders for the members, as short as they can be and all different."""
    for names in (
        [path.name for path in paths],
        [f'{path.parent.name}_{path.name}' for path in paths],
    ):
        if len(set(names)) == len(names):
            return names
    return [f'{number}_{path.name}' for number, path in enumerate(paths, start=1)]


def _plan(members: Mapping[str, SingleRun]) -> cv_files.Plan:
    """Clips and folds of the first member's cross-validation, which is that of all others too."""
    plan, _ = cv.make_plan(next(iter(members.values())).config)
    for member in members.values():
        cv_files.check_plan(member.workdir, plan)
    return plan


def _out_of_fold(members: Mapping[str, SingleRun], plan: cv_files.Plan) -> np.ndarray:
    """[N, M, K] mean logits of each member."""
    found = {
        name: mean_logits(cv_files.read_folds(member.workdir, plan))
        for name, member in members.items()
    }
    _check_alike(found)
    return np.stack(list(found.values()), axis=1)


def _for_fold(
    fold: int, plan: cv_files.Plan, logits: np.ndarray, frames: Sequence[dict[str, np.ndarray]]
) -> OutOfFold:
    """Clips and recordings by the combination that is fitted to the other folds."""
    fitted = combination.fit_without(fold, plan.clips.label, logits, plan.fold)
    return OutOfFold(
        fitted(list(np.moveaxis(logits, 1, 0))),
        {name: fitted([of[name] for of in frames]) for name in frames[0]},
    )


def _validation_clips(members: Mapping[str, SingleRun]) -> Clips:
    """The clips that all of them were validated on."""
    (first, *others), clips = members, [member.validation_clips() for member in members.values()]
    for name, own in zip(others, clips[1:], strict=True):
        if own.fingerprint() != clips[0].fingerprint():
            raise InputError(
                f'ensemble.runs: {name}: found other validation clips than those of {first}, '
                'expected the same, or ensemble.weights=fitted'
            )
    return clips[0]


def _check_alike(logits: Mapping[str, np.ndarray]) -> None:
    """Raises InputError when the members have different numbers of logits `[N, K]` a clip."""
    sizes = {name: of.shape[1] for name, of in logits.items()}
    if len(set(sizes.values())) > 1:
        each = ', '.join(f'{size} in {name}' for name, size in sizes.items())
        raise InputError(
            f'train.loss: found logits of one clip {each}, expected as many in all: '
            'ce has one per class, bce and focal have one'
        )


def _config(config: ConfigDict, members: Sequence[SingleRun]) -> ConfigDict:
    joined = members[0].config.copy_and_resolve_references().unlock()
    for key in _OF_COMMAND:
        joined[key] = config[key]
    if config.prepare.landmarks:  # whose events are judged out of fold
        joined.prepare = config.prepare
    # What fits into memory with the largest of them.
    joined.eval.batch_size = min(member.config.eval.batch_size for member in members)
    joined.name, joined.model.name = 'ensemble', 'ensemble'
    return joined.lock()


def _judge(
    config: ConfigDict,
    folder: pathlib.Path,
    plan: cv_files.Plan,
    logits: np.ndarray,
    fitted: Combination,
    names: list[str],
) -> CrossValidation:
    """Prints and writes what the out-of-fold predictions say."""
    label, fold = plan.clips.label, plan.fold
    for_fold = combination.fit_without_each_fold(label, logits, fold)
    unit = units.of(plan.clips)
    record = out_of_fold.evaluate(
        label, logits, fold, plan.group,
        recall=config.eval.recall, samples=config.eval.bootstrap, seed=config.seed,
        for_fold=for_fold, unit=unit and unit.name,
    )  # fmt: skip
    record = dataclasses.replace(record, names=names, weights=fitted.weights)
    mean = fitted(list(np.moveaxis(logits, 1, 0)))
    probs_for = np.stack([metrics.probabilities(each) for each in for_fold])
    points = None
    if probs_for.shape[2] == 2:
        points = out_of_fold.operating_points(
            label, metrics.probabilities(mean)[:, 1], fold, decision.rules(config.eval),
            probs_for[:, :, 1],
        )  # fmt: skip
    calibrations = decision.fit_calibrations(label, mean)
    errors = cv.analyse_errors(plan, for_fold, config.eval, folder)
    cv_files.write_results(folder, config, plan, record, points, calibrations, errors)
    cv_files.write_predictions(folder, plan, out_of_fold.judging(probs_for, fold))
    print('\n'.join((*cv_report.lines(record, points, names), *cv_report.error_analysis(errors))))
    return record


def _write_run(
    folder: pathlib.Path,
    config: ConfigDict,
    members: Mapping[str, SingleRun],
    fitted: Combination,
    **about: str,
) -> None:
    """Copies what the members predict with, and writes what becomes of it, ensemble.json."""
    write_json(folder / 'config.json', as_json(config))
    write_json(folder / 'history.json', [])  # nothing was trained here
    write_json(folder / 'best.json', {})
    parts = zip(members.items(), fitted.calibrations, fitted.weights, strict=True)
    records = [
        _copy(run, folder / 'members' / name)
        | {'name': name, 'weight': weight, 'calibration': dataclasses.asdict(of)}
        for (name, run), of, weight in parts
    ]
    write_json(folder / ENSEMBLE, {'members': records} | about)


def _copy(run: SingleRun, folder: pathlib.Path) -> dict[str, Any]:
    """Copies a run; returns what it is and where it comes from."""
    checkpoint = pathlib.Path('checkpoints') / str(run.step)
    folder.mkdir(parents=True)
    for file in _COPIED:
        shutil.copy(run.workdir / file, folder / file)
    for file in _COPIED_WHERE_THERE:
        if (run.workdir / file).exists():
            shutil.copy(run.workdir / file, folder)
    shutil.copytree(run.workdir / checkpoint, folder / checkpoint)
    return {
        'run': run.workdir.name,
        'model': run.config.model.name,
        'step': run.step,
        'fingerprint': checksums.fingerprint(folder / checkpoint),
    }
