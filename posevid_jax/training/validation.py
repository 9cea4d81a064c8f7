"""Logits of a set of clips, and the record made of them."""

from collections.abc import Callable

import jax
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import loader
from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import ensemble, metrics, thresholds
from posevid_jax.evaluation.evaluate import collect_logits, make_eval_step
from posevid_jax.features import inputs
from posevid_jax.models.classifier import Classifier
from posevid_jax.training import losses
from posevid_jax.training.parallel import Parallel
from posevid_jax.training.state import TrainState


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
    arrays = inputs.host_arrays(clips, config)
    predict = compile_predictor(model, config, parallel)
    return lambda state: predict(state, arrays)


def compile_predictor(
    model: Classifier, config: ConfigDict, parallel: Parallel
) -> Callable[[TrainState, dict[str, np.ndarray]], np.ndarray]:
    """`make_predictor` for any clips: a function from a state and `inputs.host_arrays`."""
    step = make_eval_step(model)
    if config.train.num_seeds > 1:
        step = jax.vmap(step, in_axes=(0, None, None), out_axes=1)
    step = parallel.compile_eval(step)

    def predict(state: TrainState, arrays: dict[str, np.ndarray]) -> np.ndarray:
        return collect_logits(
            lambda batch: parallel.join(step(state.variables, state.scaler, parallel.split(batch))),
            loader.eval_batches(arrays, config.eval.batch_size),
        )

    return predict


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
    return np.asarray(losses.per_example(ensemble.mean_logits(logits), chosen.label, config.train))


def suggest_threshold(logits: np.ndarray, clips: Clips) -> float | None:
    """The threshold of highest F1 for two classes; None for more: the most probable one wins."""
    probs = metrics.probabilities(ensemble.mean_logits(logits))
    return thresholds.highest_f1(clips.label, probs[:, 1]) if probs.shape[1] == 2 else None


def make_record(
    logits: np.ndarray, clips: Clips, threshold: float | None, config: ConfigDict
) -> metrics.Record:
    """`metrics.evaluate` plus `class_names` and `loss`, the weighted mean of the configured loss.

    Of several members, the record is that of their ensemble; `members` says how they spread.

    Args:
      logits: `[N, K]`, or `[N, M, K]` of M members.
      clips: the set.
      threshold: the decision threshold to report at, None for more than two classes.
      config: `config.train`.
    """
    if logits.ndim == 3:
        each = [
            make_record(member, clips, threshold, config) for member in np.moveaxis(logits, 1, 0)
        ]
        record = make_record(ensemble.mean_logits(logits), clips, threshold, config)
        return record | {'members': ensemble.spread(each)}
    loss = np.asarray(losses.per_example(logits, clips.label, config))
    return metrics.evaluate(clips.label, metrics.probabilities(logits), threshold) | {
        'class_names': list(clips.class_names),
        'loss': float(np.average(loss, weights=clips.weight)),
    }
