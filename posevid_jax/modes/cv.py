"""Mode cv: every video judged by classifiers that never saw it, a few seeds at a time.

All folds share one compiled program, because what differs between them, clips and scaler, is data.
A fold is trained for `train.num_epochs` and judged as it then is: to pick an epoch by the clips
that judge it would be to look at the answers.
"""

import pathlib
import time

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.capacity import batch_size
from posevid_jax.data import folds, leakage, sampling, source
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation import (
    cv_report,
    decision,
    error_analysis,
    error_analysis_page,
    metrics,
    out_of_fold,
    units,
)
from posevid_jax.evaluation.cv_results import CrossValidation, ErrorAnalysis
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.scores import MulticlassScores
from posevid_jax.machine.interrupt import Interrupt
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.progress import Progress
from posevid_jax.models import families
from posevid_jax.modes import cv_events, cv_recordings
from posevid_jax.modes.cv_events import OutOfFold
from posevid_jax.modes.cv_recordings import HeldOut
from posevid_jax.runs import cv_files, evaluation_files, training_clips
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.training import adaptation, earlier
from posevid_jax.training import experiment as experiments
from posevid_jax.training.experiment import Experiment
from posevid_jax.training.fold_trainer import FoldTrainer


def cross_validate(
    config: ConfigDict, workdir: pathlib.Path | None = None
) -> CrossValidation | None:
    """Trains and judges every fold that is not done yet, and sums up.

    Prints a table and writes `workdir/cv/` with the predictions and a page of where it fails,
    `cv.json`, `thresholds.json` and `calibration.json`. In the directory of a run, the last two
    become the run's. With `prepare.landmarks` and `prepare.labels`, whole recordings are judged too
    (`cv_events`).

    Args:
      config: locked, with every key of configs/default.py; the clips are those of `data.train`.
      workdir: where to write, or go on; None makes a new numbered directory.

    Returns:
      `out_of_fold.evaluate` of all clips, or None when a signal stopped it.

    Raises:
      InputError: configuration, data or directory cannot work; found before the first step.
    """
    config = _with_batch_size(config)
    plan, fold_config = make_plan(config)
    members = config.train.num_seeds
    config = fold_config.copy_and_resolve_references()  # fitted to the clips, as a run's is
    config.train.num_seeds = members
    parallel = Parallel(config.parallel)
    parallel.check_batch_size(
        'train.batch_size', config.train.batch_size, config.train.micro_batches
    )
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    first = _experiment(plan, fold_config, 0)
    held_out = cv_recordings.read(fold_config, cv_recordings.form_of(first), plan)
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / config.name)
    _check_run_of(workdir, plan, config.data.train)
    cv_files.open_directory(workdir, config, fold_config, plan)
    print(_opening(plan, first, workdir, parallel), flush=True)
    started = time.monotonic()
    with batch_size.out_of_memory_explained(fold_config):
        done = _train_folds(plan, fold_config, first, held_out, workdir, parallel)
    if not done:
        print(
            f'{workdir}: stopped; the folds that are done are kept: the same command with '
            f'--workdir={workdir} goes on'
        )
        return None
    record = _sum_up(plan, config, workdir, time.monotonic() - started)
    if held_out:
        said = OutOfFold(
            mean_logits(cv_files.read_folds(workdir, plan)),
            cv_files.read_recordings(workdir, held_out.fold),
        )
        files = cv_events.sum_up(workdir, held_out, plan, lambda fold: said, config)
        print(f'{workdir}/{", ".join(files)}')
    return record


def _check_run_of(workdir: pathlib.Path, plan: cv_files.Plan, source: str) -> None:
    """Raises InputError where the directory holds a run of clips that are no longer there."""
    known = training_clips.read(workdir)
    if known is None:
        return
    gone = int((~np.isin(known, plan.train.row_fingerprints())).sum())
    if gone:
        raise InputError(
            f'data.train: {source} has changed since {workdir} was trained: {gone} of its '
            f'{len(known)} training clips are no longer there; use another --workdir'
        )


def _with_batch_size(config: ConfigDict) -> ConfigDict:
    """`batch_size.resolve` for as many members as a fold trains."""
    of_folds = config.copy_and_resolve_references()
    of_folds.train.num_seeds = config.cv.seeds
    resolved = batch_size.resolve(of_folds).copy_and_resolve_references()
    resolved.train.num_seeds = config.train.num_seeds
    return resolved


def make_plan(config: ConfigDict) -> tuple[cv_files.Plan, ConfigDict]:
    """Which clip is in which fold, and the configuration that all folds are trained with.

    Raises:
      InputError: the configuration cannot work, or the clips cannot be read or dealt out.
    """
    _check(config)
    fold_config = config.copy_and_resolve_references()
    fold_config.train.num_seeds = config.cv.seeds
    experiments.check(fold_config)
    clips = source.load(config.cv.judge or config.data.train, config.data)
    fold_config, lines = adaptation.adapted(fold_config, clips)
    for line in lines:
        print(printable(line))
    _, footage = leakage.find_same_footage([clips.in_memory()])
    group = folds.joined_groups(clips, footage)
    fold = folds.make_folds(clips.label, group, config.cv.folds, config.seed)
    footage = [same.videos for same in footage]
    if not config.cv.judge:
        return cv_files.Plan(clips, group, fold, footage, clips, fold), fold_config
    like = {key: getattr(clips, key) for key in ('feature_names', 'joint_names', 'class_names')}
    if not families.input_spec(config).reads_archive:
        like['feature_names'] = ()
    train = source.load(config.data.train, config.data)
    train = source.conform(train, like, config.data.train, like=config.cv.judge)
    fold_of = dict(zip(clips.video_ids, fold, strict=True))
    strangers = sorted(set(train.video_ids) - set(fold_of))
    if strangers:
        raise InputError(
            f'data.train: found {len(strangers)} videos such as {strangers[0]} that cv.judge='
            f'{config.cv.judge} lacks, expected clips of the same videos: no fold would hold '
            'them out'
        )
    train_fold = np.array([fold_of[video] for video in train.video_ids])
    return cv_files.Plan(clips, group, fold, footage, train, train_fold), fold_config


def _check(config: ConfigDict) -> None:
    if config.cv.seeds < 1:
        raise InputError(f'cv.seeds: found {config.cv.seeds}, expected 1 or more')
    if earlier.run_of(config):
        raise InputError(
            f'model.pretrained: found the run {config.model.pretrained}, expected none with '
            '--mode=cv: it may have learned from the videos that are to judge'
        )
    if config.data.hard_negatives:
        raise InputError(
            f'data.hard_negatives: found {config.data.hard_negatives!r}, expected none with '
            '--mode=cv: the run that wrote that file saw the videos that are to judge'
        )


def _experiment(plan: cv_files.Plan, config: ConfigDict, fold: int) -> Experiment:
    """The training of one fold; an epoch has the same number of steps in all of them."""
    draws = sampling.make_order(plan.train, config.data, config.seed).draws_per_epoch
    count = config.cv.folds
    return experiments.assemble(
        config,
        train=plan.train.select(np.flatnonzero(plan.train_fold != fold)),
        val=plan.clips.select(np.flatnonzero(plan.fold == fold)),
        steps_per_epoch=-(-draws * (count - 1) // (count * config.train.batch_size)),
    )


def _train_folds(
    plan: cv_files.Plan,
    config: ConfigDict,
    first: Experiment,
    held_out: HeldOut | None,
    workdir: pathlib.Path,
    parallel: Parallel,
) -> bool:
    """Trains the folds that are not done yet; False when a signal stopped it."""
    count, steps = config.cv.folds, first.total_steps
    left = [k for k in range(count) if not _is_done(workdir, k, held_out)]
    if not left:
        return True
    trainer = FoldTrainer(first, parallel)
    before = (count - len(left)) * steps
    progress = Progress(step=before, total=count * steps, batch_size=config.train.batch_size)
    with Interrupt() as interrupt:
        for k in left:
            started = time.monotonic()
            experiment = first if k == 0 else _experiment(plan, config, k)
            judge = trainer.train(experiment, progress, before, interrupt)
            if judge is None:
                break
            logits = judge.clips(experiment.val)
            if not np.isfinite(logits).all():
                raise InputError(
                    f'fold {k + 1}: found predictions that are not finite; a smaller '
                    'train.learning_rate may help'
                )
            if held_out:
                cv_files.write_recordings(workdir, k, held_out.judge(k, judge.stretches, config))
            seconds = time.monotonic() - started
            cv_files.write_fold(workdir, k, logits, seconds)
            progress.say(_fold_line(experiment, k, logits, seconds))
            before += steps
    progress.close()
    return before == count * steps


def _is_done(workdir: pathlib.Path, fold: int, held_out: HeldOut | None) -> bool:
    """Whether a fold has judged its clips, and its recordings where there are any."""
    recordings = held_out is None or cv_files.has_recordings(workdir, fold)
    return cv_files.has_fold(workdir, fold) and recordings


def _sum_up(
    plan: cv_files.Plan, config: ConfigDict, workdir: pathlib.Path, took: float
) -> CrossValidation:
    """Judges the predictions of all folds and writes the closing files."""
    logits = cv_files.read_folds(workdir, plan)
    label = plan.clips.label
    mean = mean_logits(logits)
    unit = units.of(plan.clips)
    record = out_of_fold.evaluate(
        label, logits, plan.fold, plan.group,
        recall=config.eval.recall, samples=config.eval.bootstrap, seed=config.seed,
        unit=unit and unit.name,
    )  # fmt: skip
    probs = metrics.probabilities(mean)
    points = None
    if probs.shape[1] == 2:
        rules = decision.rules(config.eval)
        points = out_of_fold.operating_points(label, probs[:, 1], plan.fold, rules)
    calibrations = decision.fit_calibrations(label, mean)
    found = analyse_errors(plan, mean, config.eval, workdir)
    cv_files.write_results(workdir, config, plan, record, points, calibrations, found)
    cv_files.write_predictions(workdir, plan, probs)
    seconds = sum(cv_files.seconds_of_folds(workdir, config.cv.folds))
    print('\n'.join((*cv_report.lines(record, points), *cv_report.error_analysis(found))))
    files = ('cv.json', 'thresholds.json', 'calibration.json', 'cv/predictions.csv')
    pages = ('cv/error_analysis.html',) if config.eval.report else ()
    print(f'{workdir}/{", ".join((*files, *pages))}; folds {seconds:.1f} s, all {took:.1f} s')
    return record


def analyse_errors(
    plan: cv_files.Plan, logits: np.ndarray, config: ConfigDict, workdir: pathlib.Path
) -> ErrorAnalysis:
    """`error_analysis.find` of out-of-fold predictions; with `eval.report`, writes a page of it.

    Args:
      plan: clips and folds.
      logits: as for `error_analysis.judge`.
      config: `config.eval`.
      workdir: the directory.
    """
    judged = error_analysis.judge(plan.clips.label, logits, plan.fold, config)
    found = error_analysis.find(plan.clips, judged, plan.fold, config)
    if config.report:
        title = 'Where it fails, on videos it never saw'
        page = error_analysis_page.make(title, found, plan.clips, judged)
        evaluation_files.write_page(workdir / 'cv' / 'error_analysis.html', *page)
    return found


def _opening(
    plan: cv_files.Plan, experiment: Experiment, workdir: pathlib.Path, parallel: Parallel
) -> str:
    cv, clips = experiment.config.cv, plan.clips
    together = [' and '.join(v.partition(':')[2] for v in videos) for videos in plan.footage]
    footage = f'; same footage, so in one fold: {", ".join(together)}' if together else ''
    return (
        f'{workdir}: {experiment.config.model.name}, {cv.folds} folds x {cv.seeds} seeds, '
        f'{parallel}, {units.counted(len(clips), units.drawn(clips))}{footage}'
    )


def _fold_line(experiment: Experiment, k: int, logits: np.ndarray, seconds: float) -> str:
    probs = metrics.probabilities(mean_logits(logits))
    scores = metrics.evaluate(experiment.val.label, probs, 0.5)
    shown = 'undefined' if scores.roc_auc is None else f'{scores.roc_auc:.4f}'
    if isinstance(scores, MulticlassScores):
        shown += f', accuracy {scores.accuracy:.4f}'
    return (
        f'fold {k + 1}/{experiment.config.cv.folds}: {len(experiment.train)} clips to train on, '
        f'{len(experiment.val)} held out, ROC-AUC {shown}, {seconds:.1f} s'
    )
