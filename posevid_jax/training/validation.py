"""Logits of a set of clips, and the record made of them."""

from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import loader
from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import metrics
from posevid_jax.evaluation.evaluate import collect_logits, make_eval_step
from posevid_jax.features import inputs
from posevid_jax.models.classifier import Classifier
from posevid_jax.training import losses
from posevid_jax.training.parallel import Parallel
from posevid_jax.training.state import TrainState


def make_predictor(
    model: Classifier, clips: Clips, config: ConfigDict, parallel: Parallel
) -> Callable[[TrainState], np.ndarray]:
    """A function from a state to the logits `[N, K]` of `clips`, in their order.

    Args:
      model: the classifier.
      clips: the set.
      config: the whole configuration.
      parallel: the devices to use.
    """
    arrays = inputs.host_arrays(clips, config)
    step = parallel.compile_eval(make_eval_step(model))

    def predict(state: TrainState) -> np.ndarray:
        return collect_logits(
            lambda batch: parallel.join(step(state.variables, state.scaler, parallel.split(batch))),
            loader.eval_batches(arrays, config.eval.batch_size),
        )

    return predict


def suggest_threshold(logits: np.ndarray, clips: Clips) -> float | None:
    """The threshold of highest F1 for two classes; None for more: the most probable one wins."""
    probs = metrics.probabilities(logits)
    return metrics.best_f1_threshold(clips.label, probs[:, 1]) if probs.shape[1] == 2 else None


def make_record(
    logits: np.ndarray, clips: Clips, threshold: float | None, config: ConfigDict
) -> metrics.Record:
    """`metrics.evaluate` plus `class_names` and `loss`, the weighted mean of the configured loss.

    Args:
      logits: `[N, K]`.
      clips: the set.
      threshold: the decision threshold to report at, None for more than two classes.
      config: `config.train`.
    """
    loss = np.asarray(losses.per_example(logits, clips.label, config))
    return metrics.evaluate(clips.label, metrics.probabilities(logits), threshold) | {
        'class_names': list(clips.class_names),
        'loss': float(np.average(loss, weights=clips.weight)),
    }
