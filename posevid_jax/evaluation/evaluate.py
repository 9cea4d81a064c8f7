"""Logits of a whole set of clips."""

from collections.abc import Callable, Iterable

import numpy as np
from jax import Array

from posevid_jax.features.scaling import Scaler
from posevid_jax.models.classifier import Classifier, Variables


def make_eval_step(classifier: Classifier) -> Callable[..., Array]:
    """`eval_step(variables, scaler, batch) -> logits [B, K]`, without dropout."""

    def eval_step(variables: Variables, scaler: Scaler, batch: dict[str, Array]) -> Array:
        outputs, _ = classifier(variables, scaler, batch)
        return outputs.logits

    return eval_step


def make_stretch_step(classifier: Classifier) -> Callable[..., Array]:
    """`step(variables, scaler, batch) -> logits [B, W, K]`, `Outputs.stretch_logits`."""

    def stretch_step(variables: Variables, scaler: Scaler, batch: dict[str, Array]) -> Array:
        outputs, _ = classifier(variables, scaler, batch)
        return outputs.stretch_logits

    return stretch_step


def collect_logits(
    step: Callable[[dict[str, np.ndarray]], np.ndarray], batches: Iterable[dict[str, np.ndarray]]
) -> np.ndarray:
    """Runs a step over all batches and drops the rows that only filled the last one.

    Args:
      step: one host batch to host logits `[B, K]`.
      batches: in the order of the clips, with `valid`.

    Returns:
      `[N, K]`, row for row the clips of the set.
    """
    return np.concatenate([step(batch)[batch['valid'] > 0] for batch in batches])
