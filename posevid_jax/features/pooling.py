"""Statistics over time that know which frames were observed."""

import chex
import jax.numpy as jnp
from jax import Array

STATISTICS = ('mean', 'std', 'median', 'max', 'min')


def masked_statistics(x: Array, mask: Array) -> Array:
    """Mean, standard deviation, median, maximum and minimum of the observed frames.

    Args:
      x: `[B, T, F]`; only observed entries are read.
      mask: `[B, T, F]`.

    Returns:
      `[B, 5, F]` in the order of `STATISTICS`; 0 for a feature with no observed frame. The
      deviation is the population's (divided by the count).
    """
    chex.assert_rank([x, mask], 3)
    count = mask.sum(axis=1)  # [B, F]
    safe = jnp.maximum(count, 1)

    mean = jnp.where(mask, x, 0.0).sum(axis=1) / safe
    centred = jnp.where(mask, x - mean[:, None], 0.0)
    variance = (centred**2).sum(axis=1) / safe
    # sqrt has no derivative at 0: feed it 1 there and return 0.
    std = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0)

    highest = jnp.where(mask, x, -jnp.inf).max(axis=1)
    lowest = jnp.where(mask, x, jnp.inf).min(axis=1)
    statistics = jnp.stack([mean, std, masked_median(x, mask), highest, lowest], axis=1)
    return jnp.where((count > 0)[:, None], statistics, 0.0)  # [B, 5, F]


def masked_median(x: Array, mask: Array) -> Array:
    """Median of the observed frames.

    Args:
      x: `[B, T, F]`; only observed entries are read.
      mask: `[B, T, F]`.

    Returns:
      `[B, F]`; 0 for a feature with no observed frame. That of an even count is the mean of the
      middle two, as in `numpy.nanmedian`.
    """
    count = jnp.maximum(mask.sum(axis=1), 1)  # [B, F]
    ordered = jnp.sort(jnp.where(mask, x, jnp.inf), axis=1)  # the observed frames come first

    def at(rank: Array) -> Array:
        return jnp.take_along_axis(ordered, rank[:, None], axis=1)[:, 0]

    median = 0.5 * (at((count - 1) // 2) + at(count // 2))
    return jnp.where(mask.any(axis=1), median, 0.0)
