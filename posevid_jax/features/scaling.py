"""Z-scores: per clip, per video or global, and the scaler that belongs to a run."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.data.mapped import Column, row_slices

ZSCORES = ('none', 'per_clip', 'per_video', 'global')

# Deviations below this are those of a constant feature: it is centred and left unscaled.
_SMALLEST_SCALE = 1e-6


@chex.dataclass(frozen=True)
class Scaler:
    """Centre and scale of each feature over the training clips: two arrays `[F]`."""

    center: Array | np.ndarray
    scale: Array | np.ndarray


def neutral_scaler(num_features: int) -> Scaler:
    """Centre 0 and scale 1: float32 `[F]`, or of size 1 without features.

    That entry is never read; checkpoints hold no arrays of size 0.
    """
    size = max(num_features, 1)
    return Scaler(center=np.zeros(size, np.float32), scale=np.ones(size, np.float32))


def fit_scaler(features: Column, mask: Column) -> Scaler:
    """Mean and standard deviation of the observed values of each feature.

    Args:
      features: `[N, T, F]`, 0 where missing.
      mask: `[N, T, F]`.

    Returns:
      a Scaler of float32 `[F]`; centre 0 and scale 1 for a feature never observed; neutral
      without features.
    """
    if features.shape[-1] == 0:
        return neutral_scaler(0)
    count, total, squares = np.zeros((3, features.shape[2]))
    for rows in row_slices(features):
        count += mask[rows].sum(axis=(0, 1))
        total += features[rows].sum(axis=(0, 1), dtype=np.float64)
    center = total / np.maximum(count, 1)
    for rows in row_slices(features):
        gaps = np.where(mask[rows], features[rows] - center, 0)
        squares += np.square(gaps).sum(axis=(0, 1))
    scale = np.sqrt(squares / np.maximum(count, 1))
    return Scaler(
        center=center.astype(np.float32),
        scale=np.where(scale < _SMALLEST_SCALE, 1, scale).astype(np.float32),
    )


def zscore(
    batch: dict[str, Array], scaler: Scaler, *, kind: str, clip_at: float
) -> tuple[Array, Array]:
    """Z-scores the features of a batch.

    Args:
      batch: `features`, `mask` `[B, T, F]`; for `per_video` also `video_mean`, `video_std`
        `[B, F]`.
      scaler: what `global` uses.
      kind: one of `ZSCORES`.
      clip_at: results are clipped to +- this (not for `none`, whose units are the data's).

    Returns:
      values `[B, T, F]`, 0 where missing, and the mask.
    """
    x, mask = batch['features'], batch['mask']
    if kind == 'none':
        return jnp.where(mask, x, 0.0), mask
    if kind == 'per_clip':
        count = jnp.maximum(mask.sum(axis=1, keepdims=True), 1)
        center = jnp.where(mask, x, 0.0).sum(axis=1, keepdims=True) / count
        variance = jnp.where(mask, x - center, 0.0) ** 2
        # What a clip is scaled by is a measurement, not something to differentiate through.
        scale = jax.lax.stop_gradient(jnp.sqrt(variance.sum(axis=1, keepdims=True) / count))
    elif kind == 'per_video':
        center, scale = batch['video_mean'][:, None], batch['video_std'][:, None]
    else:
        center, scale = scaler.center, scaler.scale
    scale = jnp.where(scale < _SMALLEST_SCALE, 1.0, scale)
    return jnp.where(mask, jnp.clip((x - center) / scale, -clip_at, clip_at), 0.0), mask
