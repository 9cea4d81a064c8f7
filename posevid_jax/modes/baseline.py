"""Mode baseline: whether a model beats a minute's work, on the clips and folds of mode cv."""

import dataclasses
import pathlib
import time

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.baselines import channels
from posevid_jax.baselines.channels import Channels
from posevid_jax.baselines.classifiers import BASELINES, Baseline
from posevid_jax.data import source
from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import baseline_report
from posevid_jax.evaluation.baseline_results import (
    BaselineNumbers,
    BaselineRow,
    Baselines,
    BaselineTable,
)
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.table import printable
from posevid_jax.modes import cv
from posevid_jax.runs import cv_files
from posevid_jax.runs.config import as_json
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import read_json, write_json


@dataclasses.dataclass(frozen=True, eq=False)
class _Task:
    """What every baseline is given: clips and folds, further clips to judge, and what to read."""

    plan: cv_files.Plan
    test: Clips | None
    channels: Channels
    recall: float
    seed: int


def compare_baselines(config: ConfigDict, workdir: pathlib.Path | None = None) -> Baselines:
    """Runs the baselines on the folds of `--mode=cv`, and on `data.test` where it names clips.

    Prints a table of each and writes `workdir/baseline.json`. A cross-validation of the same folds
    that `workdir` holds has a row too.

    Args:
      config: locked, with every key of configs/default.py; the clips are those of `data.train`.
      workdir: where to write; None makes a new numbered directory.

    Returns:
      what was measured.

    Raises:
      InputError: configuration or clips cannot work; found before anything is fitted.
    """
    plan, config = cv.make_plan(config)
    reads = channels.make(config.features, plan.train)
    task = _Task(plan, _read_test(config, plan), reads, config.eval.recall, config.seed)
    model = None if workdir is None else _model(workdir, task)
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / 'baseline')
    left_out = {of.name: line for of in BASELINES if (line := of.missing())}
    print(_opening(workdir, task), *left_out.values(), sep='\n', flush=True)
    folds, test = [], []
    for baseline in BASELINES:
        if baseline.name not in left_out:
            row, logits = _judge_folds(baseline, task)
            folds.append(row)
            if task.test is not None:
                cut = baseline_report.threshold(plan.clips.label, logits)
                test.append(_judge_test(baseline, task, task.test, cut))
    found = Baselines(
        recall=task.recall,
        folds=_table(plan.clips, plan.group, [*folds, *([model] if model else [])]),
        test=None if task.test is None else _table(task.test, task.test.group, test),
        left_out=left_out,
    )
    print('\n'.join(baseline_report.lines(found, config.data.test)))
    write_json(workdir / 'baseline.json', _record(config, task, found))
    print(workdir / 'baseline.json')
    return found


def _read_test(config: ConfigDict, plan: cv_files.Plan) -> Clips | None:
    """The clips of `data.test`, made to fit those of training; None where it names none."""
    path, train = config.data.test, plan.train
    if not path:
        return None
    names = {'class_names': train.class_names, 'feature_names': (), 'joint_names': ()}
    key = 'joint_names' if train.joint_names else 'feature_names'
    names[key] = getattr(train, key)
    clips = source.conform(source.load(path, config.data), names, path, like=config.data.train)
    known = int(np.isin(clips.row_fingerprints(), train.row_fingerprints()).sum())
    if known:
        print(printable(f'WARNING: {known} of the {len(clips)} clips of {path} are trained on'))
    return clips


def _model(workdir: pathlib.Path, task: _Task) -> BaselineRow | None:
    """The row of the cross-validation in a directory; None, and a line, if it is another one's."""
    if not (workdir / 'cv.json').exists():
        return None
    plan = task.plan
    try:
        cv_files.check_plan(workdir, plan)
    except InputError as error:
        print(f'{workdir / "cv.json"} is in no table: {error}')
        return None
    logits = mean_logits(cv_files.read_folds(workdir, plan))
    return BaselineRow(
        name=read_json(workdir / 'cv' / 'config.json')['model']['name'],
        numbers=_numbers_of_folds(task, logits),
        time={'all_s': sum(cv_files.seconds_of_folds(workdir, int(plan.fold.max()) + 1))},
    )


def _judge_folds(baseline: Baseline, task: _Task) -> tuple[BaselineRow, np.ndarray]:
    """A row of the first table, and the logits `[N, K]` of all clips."""
    plan, clips, count = task.plan, task.plan.clips, int(task.plan.fold.max()) + 1
    started = time.monotonic()
    known = baseline.read(task.channels, plan.train)
    x = known if clips is plan.train else baseline.read(task.channels, clips)
    logits = np.empty((len(clips), clips.num_classes))
    for k in range(count):
        began, held_out = time.monotonic(), plan.fold == k
        rows = plan.train_fold != k
        logits[held_out] = baseline.logits(
            known[rows], plan.train.label[rows], x[held_out], clips.num_classes, task.seed
        )
        right = (logits[held_out].argmax(axis=1) == clips.label[held_out]).mean()
        print(
            f'{baseline.name}, fold {k + 1}/{count}: {rows.sum()} clips to train on, '
            f'{held_out.sum()} held out, accuracy {right:.4f}, {time.monotonic() - began:.1f} s',
            flush=True,
        )
    seconds = time.monotonic() - started
    return _row(baseline, _numbers_of_folds(task, logits), seconds), logits


def _judge_test(baseline: Baseline, task: _Task, test: Clips, threshold: float) -> BaselineRow:
    """A row of the second table."""
    started, train = time.monotonic(), task.plan.train
    logits = baseline.logits(
        baseline.read(task.channels, train), train.label,
        baseline.read(task.channels, test), train.num_classes, task.seed,
    )  # fmt: skip
    seconds = time.monotonic() - started
    numbers = baseline_report.of_set(test.label, logits, threshold, task.recall)
    return _row(baseline, numbers, seconds)


def _numbers_of_folds(task: _Task, logits: np.ndarray) -> BaselineNumbers:
    plan = task.plan
    return baseline_report.of_folds(plan.clips.label, logits, plan.fold, plan.group, task.recall)


def _row(baseline: Baseline, numbers: BaselineNumbers, seconds: float) -> BaselineRow:
    return BaselineRow(name=baseline.name, numbers=numbers, time={'all_s': seconds})


def _table(clips: Clips, group: np.ndarray, rows: list[BaselineRow]) -> BaselineTable:
    return BaselineTable(clips=len(clips), groups=len(np.unique(group)), rows=rows)


def _opening(workdir: pathlib.Path, task: _Task) -> str:
    clips, features = task.plan.clips, task.channels.features
    what = f'{len(task.channels.scale)} channels, '
    what += f'places of joints, depth {features.depth}' if clips.joint_names else 'of the archive'
    return (
        f'{workdir}: baselines, {int(task.plan.fold.max()) + 1} folds, {len(clips)} clips of '
        f'{len(np.unique(task.plan.group))} groups; {what}'
    )


def _record(config: ConfigDict, task: _Task, found: Baselines) -> dict[str, object]:
    data = {'train': task.plan.clips.fingerprint()}
    if task.test is not None:
        data['test'] = task.test.fingerprint()
    return environment() | {
        'seed': config.seed,
        'data': data,
        'config': as_json(config),
        'results': found,
    }
