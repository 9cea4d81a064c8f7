"""Logits of a set of clips, and the record made of them."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data import loader, source
from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.evaluation import assessment, metrics
from posevid_jax.evaluation.decision import Decision, Origin
from posevid_jax.evaluation.evaluate import collect_logits, make_eval_step, make_stretch_step
from posevid_jax.evaluation.members import mean_logits, spread
from posevid_jax.evaluation.results import EpochScores, Evaluation, Spread
from posevid_jax.features import columns
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.prefetch import Batch
from posevid_jax.models import families
from posevid_jax.models.classifier import Classifier
from posevid_jax.runs.set_names import SetName
from posevid_jax.training import losses
from posevid_jax.training.state import Trained, TrainState

Predictor = Callable[[TrainState | Trained, Mapping[str, Column]], np.ndarray]
"""From a state and `columns.host_arrays` to the logits of the clips."""


def make_predictor(
    model: Classifier, clips: Clips, config: ConfigDict, parallel: Parallel
) -> Callable[[TrainState], np.ndarray]:
    """A function from a state to the logits of `clips`, in their order.

    They are `[N, K]`, or `[N, M, K]` of the M members when `train.num_seeds` is above 1.

    Args:
      model: the classifier.
      clips: the set.
      config: the whole configuration.
      parallel: the devices to use.
    """
    arrays = columns.host_arrays(clips, families.input_spec(config))
    predict = compile_predictor(model, config, parallel)
    return lambda state: predict(state, arrays)


def compile_predictor(model: Classifier, config: ConfigDict, parallel: Parallel) -> Predictor:
    """`make_predictor` for any clips: a function from a state and `columns.host_arrays`."""
    return _compiled(logits_step(model, config), config, parallel)


def compile_stretch_predictor(
    model: Classifier, config: ConfigDict, parallel: Parallel
) -> Predictor:
    """`compile_predictor` of all that is judged of a clip: the mean logits of members,
    `[N, W, K]`."""
    step = make_stretch_step(model)
    if config.train.num_seeds > 1:
        step = _mean_of_members(step)
    return _compiled(step, config, parallel)


def _mean_of_members(step: Callable[..., Array]) -> Callable[..., Array]:
    of_members = jax.vmap(step, (0, None, None))

    def mean_of_members(*args: Any) -> Array:
        return of_members(*args).mean(axis=0)

    return mean_of_members


def _compiled(step: Callable[..., Array], config: ConfigDict, parallel: Parallel) -> Predictor:
    step = parallel.compile_eval(step)

    def predict(state: TrainState | Trained, arrays: Mapping[str, Column]) -> np.ndarray:
        def logits(batch: Batch) -> np.ndarray:
            mine = parallel.split(parallel.share(batch))
            return parallel.join(step(state.variables, state.scaler, mine))

        return collect_logits(logits, loader.eval_batches(arrays, config.eval.batch_size))

    return predict


def logits_step(model: Classifier, config: ConfigDict) -> Callable[..., Array]:
    """`make_eval_step`, of all members side by side when `train.num_seeds` is above 1."""
    step = make_eval_step(model)
    return jax.vmap(step, (0, None, None), out_axes=1) if config.train.num_seeds > 1 else step


def origin(clips: Clips, config: ConfigDict) -> Origin:
    """Where what `decision.choose` chooses on these validation clips comes from."""
    name = source.set_name(config.data.val or 'val')
    return Origin(chosen_on=f'validation clips, {name}', clips=len(clips), val=clips.fingerprint())


def losses_of(
    rows: np.ndarray,
    clips: Clips,
    model: Classifier,
    config: ConfigDict,
    parallel: Parallel,
    state: TrainState,
) -> np.ndarray:
    """The configured loss of some clips, `[B]` nats, without dropout, augmentation or weights."""
    chosen = clips.select(rows)
    logits = make_predictor(model, chosen, config, parallel)(state)
    return np.asarray(
        losses.per_example(
            jnp.asarray(mean_logits(logits)), jnp.asarray(chosen.label), config.train
        )
    )


def epoch_scores(
    logits: np.ndarray, clips: Clips, threshold: float | None, config: ConfigDict
) -> EpochScores:
    """Scores before calibration, of several members those of their ensemble.

    Args:
      logits: `[N, K]`, or `[N, M, K]` of M members.
      clips: the set.
      threshold: the decision threshold to report at, None for more than two classes.
      config: `config.train`.
    """
    mean = mean_logits(logits)
    return EpochScores(
        scores=metrics.evaluate(clips.label, metrics.probabilities(mean), threshold),
        loss=_loss(mean, clips, config),
        members=_members(logits, clips, config),
    )


def evaluate(
    logits: np.ndarray,
    clips: Clips,
    chosen: Decision,
    config: ConfigDict,
    *,
    of: SetName,
    step: int,
    trained_on: int,
) -> Evaluation:
    """An evaluation of a run.

    Args:
      logits: `[N, K]`, or `[N, M, K]` of M members.
      clips: the set.
      chosen: calibration and threshold of the run.
      config: the whole configuration.
      of: name and source of the set.
      step: of the checkpoint.
      trained_on: how many of the clips it was trained on.

    Raises:
      InputError: a logit is NaN.
    """
    mean = mean_logits(logits)
    return Evaluation(
        set=of.name,
        source=of.source,
        step=step,
        assessment=assessment.assess(
            clips, mean, chosen,
            recall=config.eval.recall, samples=config.eval.bootstrap, seed=config.seed,
        ),
        loss=_loss(mean, clips, config.train),
        members=_members(logits, clips, config.train),
        trained_on=trained_on,
    )  # fmt: skip


def _loss(logits: np.ndarray, clips: Clips, config: ConfigDict) -> float:
    loss = np.asarray(losses.per_example(jnp.asarray(logits), jnp.asarray(clips.label), config))
    return float(np.average(loss, weights=clips.weight))


def _members(logits: np.ndarray, clips: Clips, config: ConfigDict) -> dict[str, Spread] | None:
    """How the numbers of each member alone spread, before calibration; None without members."""
    if logits.ndim < 3:
        return None
    return spread([_numbers(member, clips, config) for member in np.moveaxis(logits, 1, 0)])


def _numbers(logits: np.ndarray, clips: Clips, config: ConfigDict) -> dict[str, float | None]:
    """The numbers of one member that depend on no threshold."""
    scores = metrics.evaluate(clips.label, metrics.probabilities(logits), 0.5)
    found = {key: value for key, value in assessment.numbers_of(scores).items() if '.' not in key}
    return found | {'loss': _loss(logits, clips, config)}
