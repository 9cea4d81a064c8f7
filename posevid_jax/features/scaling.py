"""Z-scores: per clip, per video or global, and the scaler that belongs to a run."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

ZSCORES = ('none', 'per_clip', 'per_video', 'global')
SCALERS = ('standard', 'robust')

# Deviations below this are those of a constant feature: it is centred and left unscaled.
_SMALLEST_SCALE = 1e-6
# Sums run over so many clips at a time, because the clips may be larger than memory.
_CHUNK = 4096
# Quantiles of so many clips, evenly spaced, are those of all.
_QUANTILE_CLIPS = 20_000


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


def fit_scaler(features: np.ndarray, mask: np.ndarray, kind: str = 'standard') -> Scaler:
    """Centre and scale of the observed values of each feature.

    Args:
      features: `[N, T, F]`.
      mask: `[N, T, F]`.
      kind: `standard`: mean and standard deviation | `robust`: median and the range from the 10th
        to the 90th percentile, which a tracker's jumps do not move.

    Returns:
      a Scaler of float32 `[F]`. A feature never observed has centre 0; one that is never observed
      or does not vary has scale 1. Neutral without features.
    """
    if features.shape[-1] == 0:
        return neutral_scaler(0)
    center, scale = (_robust if kind == 'robust' else _standard)(features, mask)
    return Scaler(
        center=center.astype(np.float32),
        scale=np.where(scale < _SMALLEST_SCALE, 1, scale).astype(np.float32),
    )


def _standard(features: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def total(value: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """The sum of `value(features, mask)` over clips and frames, `[F]`."""
        chunks = (slice(start, start + _CHUNK) for start in range(0, len(mask), _CHUNK))
        return sum(value(features[c], mask[c]).sum(axis=(0, 1), dtype=np.float64) for c in chunks)

    count = np.maximum(total(lambda x, m: m), 1)
    center = total(lambda x, m: np.where(m, x, 0)) / count
    # The centre keeps its precision: the deviation of a feature may be far smaller than its mean.
    return center, np.sqrt(total(lambda x, m: np.where(m, x - center, 0) ** 2) / count)


def _robust(features: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = slice(None, None, -(-len(mask) // _QUANTILE_CLIPS))
    low, center, high = np.zeros((3, features.shape[2]))
    for f in range(features.shape[2]):
        observed = features[rows, :, f][mask[rows, :, f]]
        if observed.size:
            low[f], center[f], high[f] = np.quantile(observed, (0.1, 0.5, 0.9))
    return center, high - low


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
