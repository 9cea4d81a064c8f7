"""One training run, from a configuration to a run directory."""

import contextlib
import pathlib
import time
from collections.abc import Callable, Generator

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation import decision, report
from posevid_jax.evaluation.decision import Choice
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.results import Epoch, Evaluation
from posevid_jax.machine import processes
from posevid_jax.machine.interrupt import Interrupt
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.phases import Phases, announced
from posevid_jax.machine.prefetch import Clock, Prefetch
from posevid_jax.machine.progress import Progress
from posevid_jax.models.classifier import count_parameters
from posevid_jax.runs import evaluation_files, split, training_clips
from posevid_jax.runs.config import as_json, check_config
from posevid_jax.runs.directory import locked, new_run_directory, read_decision
from posevid_jax.runs.files import read_json, write_json
from posevid_jax.runs.records import Records
from posevid_jax.training import experiment as experiments
from posevid_jax.training import nonfinite, overlap, reproduce, validation
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints, Keep
from posevid_jax.training.experiment import Experiment
from posevid_jax.training.hardest import Hardest
from posevid_jax.training.step_log import StepLog

Predict = Callable[[states.TrainState], np.ndarray]  # to the logits of the validation clips


def train_and_evaluate(
    config: ConfigDict, workdir: pathlib.Path | None = None
) -> Evaluation | None:
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
    experiment = experiments.build(config)
    experiment.abstract_state()  # raises what is wrong with groups of parameters
    if workdir is None or not (workdir / 'config.json').exists():  # a run to resume has its weights
        experiment.check_pretrained()
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / config.name)
    if config.data.val:
        overlap.warn(experiment.train, experiment.val, config.data.val)
    with locked(workdir):
        return _train_in(workdir, experiment, parallel)


def _train_in(
    workdir: pathlib.Path, experiment: Experiment, parallel: Parallel
) -> Evaluation | None:
    config, phases = experiment.config, Phases()
    before = pathlib.Path(config.model.pretrained) if experiment.start else None
    check_config(workdir, config)
    training_clips.keep(workdir, experiment.train, config.data.train, before)
    split.keep(workdir, experiment.train, experiment.val)
    with Checkpoints(workdir, _keep(experiment)) as checkpoints:
        done = checkpoints.last_step() or 0
        if done > experiment.total_steps:
            raise InputError(
                f'train.num_epochs: found {config.train.num_epochs}, '
                f'{experiment.total_steps} steps, but {workdir} has done {done} already'
            )
        write_json(workdir / 'config.json', as_json(config))
        write_json(workdir / 'scaler.json', experiment.input_description())
        predict = validation.make_predictor(experiment.model, experiment.val, config, parallel)
        if not _train(experiment, workdir, parallel, checkpoints, predict, phases):
            return None
        return _finish(experiment, workdir, parallel, checkpoints, predict, phases)


def _train(
    experiment: Experiment,
    workdir: pathlib.Path,
    parallel: Parallel,
    checkpoints: Checkpoints,
    predict: Predict,
    phases: Phases,
) -> bool:
    """Runs the steps that are left; False when a signal stopped it.

    The order is fixed: next batch, step, and at the end of an epoch evaluate, record, save. The
    next batch is on the device already, and what is logged of a step is read after the next one
    has been dispatched, so that the device waits for neither.
    """
    config, total = experiment.config.train, experiment.total_steps
    data = Prefetch(experiment.data(), parallel.put)
    first = checkpoints.last_step() or 0
    state = (
        checkpoints.restore(first, experiment.abstract_state(), data.position) if first
        else experiment.initial_state()
    )  # fmt: skip
    state = parallel.put_state(state)
    rng = jax.random.key(experiment.config.seed)
    origin = validation.origin(experiment.val, experiment.config)
    records = Records(workdir, config.best_metric, first, origin, tensorboard=config.tensorboard)
    hardest = _hardest(experiment, workdir, parallel, first)
    progress = Progress(step=first, total=total, batch_size=config.batch_size)
    progress.say(_opening(experiment, workdir, parallel, first, count_parameters(state.params)))
    train_step = announced(parallel.compile_train(experiment.train_step()), progress.say, phases)
    clock = Clock(data)
    log = StepLog(experiment, parallel, records, progress, state)
    loop_started = phases.mark()
    step, stop, stalled = first, False, records.stalled(config)
    with (
        data,
        Interrupt() as interrupt,
        _last_good_state_saved(lambda: state, experiment, checkpoints),
    ):
        while step < total and not (stop or stalled):
            state, metrics = train_step(state, next(data), rng)
            step += 1
            log.read(state)
            log.note(step, metrics)
            progress.waited = data.waited
            progress.update(step)
            score = None
            epoch_done = step % experiment.steps_per_epoch == 0
            # Asked once, so that what stops is what is saved; processes agree now and then only.
            if jax.process_count() == 1 or epoch_done or step % config.log_every_steps == 0:
                stop = processes.any_of(interrupt.requested)
            every = experiment.config.checkpoint.every_steps
            save = epoch_done or stop or (every and step % every == 0)
            if save:
                log.settle(state)
            if epoch_done:
                with phases.phase('eval'), progress.aside():
                    entry, chosen = _end_epoch(experiment, state, step, predict, clock)
                    hardest(state, entry.epoch)
                records.epoch(entry, chosen)
                score = records.score(entry)
                progress.say(_epoch_line(entry, config.num_epochs))
                state = state.replace(epoch=jax.tree.map(jnp.zeros_like, state.epoch))
                clock = Clock(data)
                stalled = records.stalled(config)
            if save:
                with phases.phase('save'), progress.aside():
                    checkpoints.save(state, data.position, score)
        log.read(state)
        records.close()
        progress.close()
        with phases.phase('save'):
            checkpoints.wait()
    phases.add('data_wait', data.waited)
    phases.add_rest('step', loop_started)
    if stalled:
        print(f'{workdir}: {config.best_metric} is no better for {config.patience} epochs: done')
    elif step < total:
        print(
            f'{workdir}: stopped and saved at step {step} of {total}; '
            f'the same command with --workdir={workdir} goes on from there'
        )
    return stalled or step == total


@contextlib.contextmanager
def _last_good_state_saved(
    state: Callable[[], states.TrainState], experiment: Experiment, checkpoints: Checkpoints
) -> Generator[None]:
    """Ends a run that met a step that is not finite with its last good state on disk."""
    try:
        yield
    except nonfinite.NotFinite as error:
        good = nonfinite.cleared(state())
        step = int(good.step)
        if step and step != checkpoints.last_step():
            checkpoints.save(good, experiment.data(step), None)
            checkpoints.wait()
        raise InputError(
            f'{error}; the state of step {step} is kept: the same command with '
            '--config.train.on_nonfinite=skip goes on and leaves such steps out'
        ) from None


def _end_epoch(
    experiment: Experiment,
    state: states.TrainState,
    step: int,
    predict: Predict,
    clock: Clock,
) -> tuple[Epoch, Choice]:
    means = jax.device_get(state.epoch.means())
    training_time = clock.read()
    trained = time.monotonic()
    logits = predict(state)
    chosen = decision.choose(mean_logits(logits), experiment.val.label, experiment.config.eval)
    val, config = experiment.val, experiment.config.train
    entry = Epoch(
        epoch=step // experiment.steps_per_epoch,
        step=step,
        train={key: float(np.mean(value)) for key, value in means.items()},  # over members
        val=validation.epoch_scores(logits, val, chosen.threshold.threshold, config),
        time=training_time | {'eval_s': time.monotonic() - trained},
    )
    return entry, chosen


def _finish(
    experiment: Experiment,
    workdir: pathlib.Path,
    parallel: Parallel,
    checkpoints: Checkpoints,
    predict: Predict,
    phases: Phases,
) -> Evaluation:
    """Evaluates the best checkpoint as restored from disk and writes the closing files."""
    config = experiment.config
    processes.wait_for_all('files')  # of the first one, which all read now
    step = checkpoints.resolve('best')
    with phases.phase('eval'):
        restored = checkpoints.restore(step, experiment.abstract_state())
        logits = predict(parallel.put_state(restored))
    chosen = read_decision(workdir, config.eval.calibration)
    of = evaluation_files.set_name(workdir, config.data.val, config.data.train)
    evaluation = validation.evaluate(
        logits, experiment.val, chosen, config,
        of=of, step=step, trained_on=training_clips.count(workdir, experiment.val),
    )  # fmt: skip
    epochs = len(read_json(workdir / 'history.json'))
    page = workdir / 'report.html'
    evaluation_files.write(
        workdir, page, evaluation, experiment.val, logits, chosen, config.eval, epochs=epochs
    )
    reproduce.write(workdir, experiment, evaluation, phases.read())
    title = f'{workdir}, best checkpoint (step {step}) on {of.name}'
    print('\n'.join(report.lines(title, evaluation)))
    return evaluation


def _hardest(
    experiment: Experiment, workdir: pathlib.Path, parallel: Parallel, first: int
) -> Callable[[states.TrainState, int], None]:
    if not experiment.config.train.topk_loss:
        return lambda state, epoch: None
    done = first // experiment.steps_per_epoch
    return Hardest(
        workdir, experiment.train, experiment.model, experiment.config, parallel, done
    ).epoch


def _keep(experiment: Experiment) -> Keep:
    config = experiment.config.checkpoint
    return Keep(
        last=config.keep_last, every_steps=config.keep_every_epochs * experiment.steps_per_epoch
    )


def _opening(
    experiment: Experiment,
    workdir: pathlib.Path,
    parallel: Parallel,
    first: int,
    parameters: int,
) -> str:
    progress = f'resuming at step {first}' if first else 'starting'
    members = experiment.config.train.num_seeds
    sizes = f'{members} x {parameters // members:,}' if members > 1 else f'{parameters:,}'
    return (
        f'{workdir}: {experiment.config.model.name}, {sizes} parameters, {parallel}, '
        f'{len(experiment.train)} clips to train on, {len(experiment.val)} to validate on; '
        f'{progress} of {experiment.total_steps}'
    )


def _epoch_line(entry: Epoch, num_epochs: int) -> str:
    scores, took = entry.val.scores, entry.time
    auc = 'undefined' if scores.roc_auc is None else f'{scores.roc_auc:.4f}'
    return (
        f'epoch {entry.epoch}/{num_epochs}: train loss {entry.train["loss"]:.4f}, '
        f'val loss {entry.val.loss:.4f}, val {scores.AVERAGE}ROC-AUC {auc}, '
        f'{took["train_s"]:.1f} s ({took["data_wait_share"]:.0%} waiting for '
        f'data) + {took["eval_s"]:.1f} s'
    )
