"""Z-scores: per clip, per video or global, and the scaler that belongs to a run."""

import dataclasses
import functools
import operator
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.data.mapped import Column, row_slices

ZSCORES = ('none', 'per_clip', 'per_video', 'global')
SCALERS = ('standard', 'robust', 'rank')

# Deviations below this are those of a constant feature: it is centred and left unscaled.
_SMALLEST_SCALE = 1e-6
# Deviations from the 10th to the 90th percentile of a normal distribution.
_NORMAL_RANGE = 2.563
# Of numbers spread evenly from 0 to 1.
_DEVIATION_OF_RANKS = 12**-0.5
# Steps of the rank scaler: each holds this share of the training values.
_STEPS = 16
# Values that are equal but for rounding, such as a statistic at its limit, make steps of no width:
# so wide, and in the middle of them, they have the same rank however the program rounds.
_NARROWEST_STEP = 1e-4
# Quantiles of so many clips, evenly spaced, are those of all.
_QUANTILE_CLIPS = 20_000


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Scaler:
    """What z-scores of kind `global` are measured in, fitted on the training clips.

    Attributes:
      center: `[F]` centre of each feature. Of kind `rank`, `[S, F]`: where each of S steps with
        equally many training values begins.
      scale: `[F]` its scale. Of kind `rank`, `[S, F]`: how wide each step is.
      pooled: the scaler of the statistics of clips or their sub-clips; None without them.
      biases: `[K]` of the convolution kernels, see features/kernels.py; None without them.
    """

    center: Array | np.ndarray
    scale: Array | np.ndarray
    pooled: 'Scaler | None' = None
    biases: Array | np.ndarray | None = None


def neutral_scaler(num_features: int, steps: tuple[int, ...] = ()) -> Scaler:
    """Centre 0 and scale 1: float32 `[*steps, F]`, F = 1 without features.

    That entry is never read; checkpoints hold no arrays of size 0.
    """
    shape = (*steps, max(num_features, 1))
    return Scaler(center=np.zeros(shape, np.float32), scale=np.ones(shape, np.float32))


def fit_scaler(features: Column, mask: Column, kind: str = 'standard') -> Scaler:
    """Centre and scale of the observed values of each feature.

    Args:
      features: `[N, T, F]`, 0 where missing.
      mask: `[N, T, F]`.
      kind: `standard`: mean and standard deviation | `robust`: median, and the range from the 10th
        to the 90th percentile in units of a normal distribution's, which a tracker's jumps do not
        move | `rank`: the share of the training values below, so that the scale is fine where
        values are many.

    Returns:
      a Scaler of float32 `[F]`, or `[S, F]`. Of `[F]`, a feature never observed has centre 0; one
      that is never observed or does not vary has scale 1. Neutral without features.
    """
    if features.shape[-1] == 0:
        return neutral_scaler(0)
    if kind == 'standard':
        center, scale = _standard(features, mask)
    elif kind == 'robust':
        low, center, high = _quantiles(features, mask, (0.1, 0.5, 0.9))
        scale = (high - low) / _NORMAL_RANGE
    else:
        ends = _quantiles(features, mask, np.linspace(0, 1, _STEPS + 1))
        width = np.diff(ends, axis=0)
        scale = np.maximum(width, _NARROWEST_STEP)
        center = ends[:-1] - (scale - width) / 2
    return Scaler(
        center=center.astype(np.float32),
        scale=np.where(scale < _SMALLEST_SCALE, 1, scale).astype(np.float32),
    )


def _standard(features: Column, mask: Column) -> tuple[np.ndarray, np.ndarray]:
    count, total, squares = np.zeros((3, features.shape[2]))
    for rows in row_slices(features):
        count += mask[rows].sum(axis=(0, 1))
        total += features[rows].sum(axis=(0, 1), dtype=np.float64)
    center = total / np.maximum(count, 1)
    # The centre keeps its precision: the deviation of a feature may be far smaller than its mean.
    for rows in row_slices(features):
        gaps = np.where(mask[rows], features[rows] - center, 0)
        squares += np.square(gaps).sum(axis=(0, 1))
    return center, np.sqrt(squares / np.maximum(count, 1))


def _quantiles(features: Column, mask: Column, shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """Quantiles `[Q, F]` of the observed values of each feature; 0 where there are none."""
    rows = slice(None, None, -(-len(mask) // _QUANTILE_CLIPS))
    features, mask = features[rows], mask[rows]
    found = np.zeros((len(shares), features.shape[2]))
    for f in range(features.shape[2]):
        observed = features[..., f][mask[..., f]]
        if observed.size:
            found[:, f] = np.quantile(observed, shares)
    return found


def standardize(x: Array, scaler: Scaler, clip_at: float) -> Array:
    """Values `[..., F]` less the scaler's centre, in its units, clipped to +- `clip_at`."""
    if scaler.center.ndim == 2:
        x = (_rank(x, scaler) - 0.5) / _DEVIATION_OF_RANKS
    else:
        x = (x - scaler.center) / scaler.scale
    return jnp.clip(x, -clip_at, clip_at)


def _rank(x: Array, scaler: Scaler) -> Array:
    """The share of the training values below each, from 0 to 1: linear within a step."""
    steps = zip(scaler.center, scaler.scale, strict=True)
    shares = [jnp.clip((x - begin) / width, 0, 1) for begin, width in steps]
    return functools.reduce(operator.add, shares) / len(shares)


def zscore(
    batch: dict[str, Array], scaler: Scaler, *, kind: str, clip_at: float
) -> tuple[Array, Array]:
    """Z-scores the features of a batch.

    Args:
      batch: `features`, `mask` `[B, T, F]`; for `per_video` also `video_mean`, `video_std`
        `[B, F]`.
      scaler: that of the run, for `global`.
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
        # A clip's scale is a measurement, not something to differentiate through.
        scale = jax.lax.stop_gradient(jnp.sqrt(variance.sum(axis=1, keepdims=True) / count))
    elif kind == 'per_video':
        center, scale = batch['video_mean'][:, None], batch['video_std'][:, None]
    else:
        return jnp.where(mask, standardize(x, scaler, clip_at), 0.0), mask
    scale = jnp.where(scale < _SMALLEST_SCALE, 1.0, scale)
    return jnp.where(mask, jnp.clip((x - center) / scale, -clip_at, clip_at), 0.0), mask
