"""Clips of any length as so many frames, by interpolation over what was observed."""

import jax.numpy as jnp
from jax import Array, lax


def resample(x: Array, mask: Array, frames: int) -> tuple[Array, Array]:
    """Spreads the stretch in which anything was observed over so many frames.

    A feature is interpolated linearly between the frames in which it was observed, and held before
    the first and after the last of these, so that neither padding nor a hole is seen.

    Args:
      x: `[B, T, F]`; only observed entries are read.
      mask: `[B, T, F]`.
      frames: L, from the first frame in which any feature was observed to the last.

    Returns:
      values and mask `[B, L, F]`: a feature that was observed at all is observed everywhere, 0
      elsewhere.
    """
    total = x.shape[1]
    frame = jnp.arange(total)
    anything = mask.any(-1)  # [B, T]
    first = jnp.argmax(anything, axis=1)
    last = total - 1 - jnp.argmax(anything[:, ::-1], axis=1)
    share = jnp.linspace(0.0, 1.0, frames)
    place = first[:, None] + (last - first)[:, None] * share  # [B, L]
    below = jnp.floor(place).astype(jnp.int32)
    before = lax.cummax(jnp.where(mask, frame[:, None], -1), axis=1)  # [B, T, F]
    after = lax.cummin(jnp.where(mask, frame[:, None], total), axis=1, reverse=True)
    low = _at(before, below)  # [B, L, F]
    high = _at(after, jnp.minimum(below + (place > below), total - 1))
    low, high = jnp.where(low < 0, high, low), jnp.where(high == total, low, high)
    observed = jnp.broadcast_to(mask.any(axis=1)[:, None], low.shape)
    low, high = (jnp.where(observed, at, 0) for at in (low, high))
    weight = (place[..., None] - low) / jnp.maximum(high - low, 1)
    low, high = (jnp.take_along_axis(x, at, axis=1) for at in (low, high))
    value = low + jnp.clip(weight, 0, 1) * (high - low)
    return jnp.where(observed, value, 0.0), observed


def _at(x: Array, frame: Array) -> Array:
    """`[B, T, F]` at the frames `[B, L]`, `[B, L, F]`."""
    return jnp.take_along_axis(x, frame[..., None], axis=1)
