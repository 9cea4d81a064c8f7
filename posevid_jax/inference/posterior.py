"""Samples of what happened in a recording, drawn from the posterior of a hidden Markov model.

Filtering forward and sampling backward (Scott 2002, "Bayesian methods for hidden Markov models")
draws whole sequences of classes, each as often as it is probable given all frames. Its time grows
with the number of frames.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.padding import padded

_SEED = 0  # the same recording has the same samples


def sample(
    log_probs: np.ndarray, models: Sequence[DurationModel], fps: float, samples: int
) -> np.ndarray:
    """Draws sequences of classes under each of some models.

    Args:
      log_probs: [T, K] log of class probabilities per frame.
      models: M, each of K classes; their shortest durations are not used.
      fps: frames per second.
      samples: N.

    Returns:
      [M * N, T] i16 class numbers.
    """
    frames = len(log_probs)
    if not frames:
        return np.zeros((len(models) * samples, 0), np.int16)
    start, move = zip(*(_start_and_move(model, fps) for model in models), strict=True)
    emissions = [padded(model.emissions(log_probs)) for model in models]
    drawn = _samples(np.stack(start), np.stack(move), np.stack(emissions), frames, samples)
    return np.asarray(drawn[:, :frames]).swapaxes(1, 2).reshape(-1, frames)


def _start_and_move(model: DurationModel, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Log probability of each class in the first frame, [K] f32, and of each (column) to follow
    each (row) in the next one, [K, K]."""
    rate = np.array(model.leave_per_second) / fps
    with np.errstate(divide='ignore'):  # what never follows has no way
        move = np.log(-np.expm1(-rate))[:, None] + np.log(model.transition)
    np.fill_diagonal(move, -rate)
    return np.log(model.prior).astype(np.float32), move.astype(np.float32)


@functools.partial(jax.jit, static_argnames='samples')
def _samples(
    start: jax.Array, move: jax.Array, emissions: jax.Array, frames: int, samples: int
) -> jax.Array:
    """Classes [M, P, N] of P frames, of which the first `frames` count."""
    of_model = functools.partial(_samples_of_model, frames=frames, samples=samples)
    return jax.vmap(of_model)(
        jax.random.split(jax.random.key(_SEED), len(start)), start, move, emissions
    )


def _samples_of_model(
    key: jax.Array,
    start: jax.Array,
    move: jax.Array,
    emissions: jax.Array,
    frames: int,
    samples: int,
) -> jax.Array:
    """Classes [P, N]."""

    def forward(score: jax.Array, of: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        number, emission = of
        moved = jax.nn.logsumexp(score[:, None] + move, 0) + emission
        score = jnp.where(number < frames, moved - moved.max(), score)
        return score, score

    def backward(
        label: jax.Array, of: tuple[jax.Array, jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        number, score, key = of  # of the frame before frame `number`
        shares = jax.nn.softmax(score + move.T).cumsum(1)[:, :-1]  # [K, K - 1], a row a class now
        before = (jax.random.uniform(key, (samples, 1)) >= shares[label]).sum(1)
        label = jnp.where(number < frames, before.astype(label.dtype), label)
        return label, label

    numbers = jnp.arange(1, len(emissions))
    keys = jax.random.split(key, len(emissions))
    first = start + emissions[0]
    last, scores = jax.lax.scan(forward, first, (numbers, emissions[1:]))
    scores = jnp.concatenate([first[None], scores])[:-1]
    label = jax.random.categorical(keys[0], last, shape=(samples,)).astype(jnp.int16)
    _, labels = jax.lax.scan(backward, label, (numbers, scores, keys[1:]), reverse=True)
    return jnp.append(labels, label[None], 0)
