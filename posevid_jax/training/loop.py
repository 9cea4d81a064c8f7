"""One training run, from a configuration to a run directory."""

import pathlib
import time
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.data import source
from posevid_jax.errors import InputError
from posevid_jax.evaluation import report
from posevid_jax.evaluation.metrics import Record
from posevid_jax.models.classifier import count_parameters
from posevid_jax.training import artifacts, experiment, validation
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints
from posevid_jax.training.experiment import Experiment
from posevid_jax.training.interrupt import Interrupt
from posevid_jax.training.parallel import Parallel
from posevid_jax.training.progress import Progress
from posevid_jax.training.records import Records


def train_and_evaluate(config: ConfigDict, workdir: pathlib.Path | None = None) -> Record | None:
    """Trains, or goes on training, and evaluates the best checkpoint.

    Args:
      config: locked, with every key of configs/default.py.
      workdir: run directory; a run found in it is resumed. None makes a new numbered one.

    Returns:
      the evaluation of the best checkpoint, or None when a signal stopped the run.

    Raises:
      InputError: configuration, data or directory cannot work; found before the first step.
    """
    parallel = Parallel(config.parallel)
    parallel.check_batch_size(
        'train.batch_size', config.train.batch_size, config.train.micro_batches
    )
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    run = experiment.build(config)
    if workdir is None:
        workdir = artifacts.new_run_directory(pathlib.Path('runs') / config.name)
    artifacts.check_config(workdir, config)
    checkpoints = Checkpoints(workdir)
    done = checkpoints.last_step() or 0
    if done > run.total_steps:
        raise InputError(
            f'train.num_epochs: found {config.train.num_epochs}, {run.total_steps} steps, '
            f'but {workdir} has done {done} already'
        )
    artifacts.write_json(workdir / 'config.json', artifacts.as_json(config))
    artifacts.write_json(workdir / 'scaler.json', run.input_description())
    predict = validation.make_predictor(run.model, run.val, config, parallel)
    if not _train(run, workdir, parallel, checkpoints, predict):
        return None
    return _finish(run, workdir, checkpoints, predict)


def _train(run: Experiment, workdir, parallel, checkpoints: Checkpoints, predict) -> bool:
    """Runs the steps that are left; False when a signal stopped it.

    The order is fixed: next batch, step, and at the end of an epoch evaluate, record, save. What
    is logged of a step is read after the next one has been dispatched, so that the device never
    waits for the log.
    """
    config, total = run.config.train, run.total_steps
    data = run.data()
    first = checkpoints.last_step() or 0
    state = checkpoints.restore(first, run.abstract_state(), data) if first else run.initial_state()
    train_step = parallel.compile_train(run.train_step())
    rng = jax.random.key(run.config.seed)
    records = Records(workdir, config.best_metric, first)
    progress = Progress(step=first, total=total, batch_size=config.batch_size)
    progress.say(_opening(run, workdir, parallel, first, count_parameters(state.params)))
    epoch_started = time.monotonic()
    pending: dict[int, Any] = {}  # step: metrics, still on the device

    def log_pending() -> None:
        for logged, metrics in pending.items():
            numbers = jax.device_get(metrics)
            records.step(logged, numbers)
            progress.loss = float(numbers['loss'])
        pending.clear()

    step, stop = first, False
    with Interrupt() as interrupt:
        while step < total and not stop:
            state, metrics = train_step(state, parallel.split(next(data)), rng)
            step += 1
            log_pending()
            progress.update(step)
            if step % config.log_every_steps == 0:
                pending[step] = metrics
            score = None
            epoch_done = step % run.steps_per_epoch == 0
            if epoch_done:
                entry, threshold = _end_epoch(run, state, step, predict, epoch_started)
                records.epoch(entry, threshold)
                score = records.score(entry)
                progress.say(_epoch_line(entry, config.num_epochs))
                state = state.replace(epoch=states.Sums.zeros())
                epoch_started = time.monotonic()
            stop = interrupt.requested  # asked once, so that what stops is what is saved
            if epoch_done or stop:
                log_pending()
                checkpoints.save(state, data, score)
    log_pending()
    records.close()
    progress.close()
    checkpoints.wait()
    if step < total:
        print(
            f'{workdir}: stopped and saved at step {step} of {total}; '
            f'the same command with --workdir={workdir} goes on from there'
        )
    return step == total


def _end_epoch(run, state, step: int, predict, epoch_started: float) -> tuple[Record, float | None]:
    means = jax.device_get(state.epoch.means())
    trained = time.monotonic()
    logits = predict(state)
    threshold = validation.suggest_threshold(logits, run.val)
    entry = {
        'epoch': step // run.steps_per_epoch,
        'step': step,
        'train': {key: float(value) for key, value in means.items()},
        'val': validation.make_record(logits, run.val, threshold, run.config.train),
        'time': {
            'train_s': trained - epoch_started,
            'eval_s': time.monotonic() - trained,
        },
    }
    return entry, threshold


def _finish(run: Experiment, workdir, checkpoints: Checkpoints, predict) -> Record:
    """Evaluates the best checkpoint as restored from disk and writes the closing files."""
    config = run.config
    step = checkpoints.resolve('best')
    logits = predict(checkpoints.restore(step, run.abstract_state()))
    threshold = artifacts.read_json(workdir / 'thresholds.json')['threshold']
    name = source.set_name(config.data.val or 'val')
    record = {'set': name, 'step': step} | validation.make_record(
        logits, run.val, threshold, config.train
    )
    artifacts.write_json(workdir / 'eval' / f'{name}.json', record)
    artifacts.write_json(
        workdir / 'reproduce.json',
        artifacts.environment()
        | {
            'seed': config.seed,
            'data': {'train': run.train.fingerprint(), 'val': run.val.fingerprint()},
            'config': artifacts.as_json(config),
            'results': record,
        },
    )
    checkpoints.close()
    print('\n'.join(report.lines(f'{workdir}, best checkpoint (step {step}) on {name}', record)))
    return record


def _opening(run: Experiment, workdir, parallel: Parallel, first: int, parameters: int) -> str:
    progress = f'resuming at step {first}' if first else 'starting'
    return (
        f'{workdir}: {run.config.model.name}, {parameters:,} parameters, {parallel}, '
        f'{len(run.train)} clips to train on, {len(run.val)} to validate on; '
        f'{progress} of {run.total_steps}'
    )


def _epoch_line(entry: Record, num_epochs: int) -> str:
    val = entry['val']
    auc = 'undefined' if val['roc_auc'] is None else f'{val["roc_auc"]:.4f}'
    macro = 'macro ' if 'per_class' in val else ''
    return (
        f'epoch {entry["epoch"]}/{num_epochs}: train loss {entry["train"]["loss"]:.4f}, '
        f'val loss {val["loss"]:.4f}, val {macro}ROC-AUC {auc}, '
        f'{entry["time"]["train_s"]:.1f} s + {entry["time"]["eval_s"]:.1f} s'
    )
