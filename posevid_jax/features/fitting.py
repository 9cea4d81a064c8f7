"""Fits the scaler of a run on its training clips."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array
from ml_collections import FrozenConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.features import columns, kernels, on_host, pipeline, pooling, scaling, subclips
from posevid_jax.features.inputs import InputSpec

# Clips or sub-clips, evenly spaced, that are as good as all of them.
_MOST_CLIPS = 20_000
# Clips, drawn at random, that the biases of the kernels are quantiles of.
_BIAS_CLIPS = 1024


def fit_scaler(clips: Clips, arrays: on_host.Arrays, spec: InputSpec) -> scaling.Scaler:
    """The scaler of the features named by `columns.scaled_names`, and of the statistics of clips.

    Args:
      clips: those to fit it on.
      arrays: their `columns.host_arrays`.
      spec: what the network reads.
    """
    features = spec.features
    rows = _evenly_spaced(len(clips), _MOST_CLIPS)
    if spec.computes and features.zscore == 'none':
        scaler = scaling.neutral_scaler(len(columns.scaled_names(clips, spec)))
    elif spec.computes:
        computed = on_host.computed_features(clips, features)(rows)
        scaler = scaling.fit_scaler(*computed, features.scaler)
    else:
        scaler = scaling.fit_scaler(clips.features, clips.mask, features.scaler)
    if not spec.channels:
        return scaler
    if features.kernels:
        biases = _fit_biases(clips, arrays, spec, scaler)
        scaler = dataclasses.replace(scaler, biases=biases)
    if features.pooled_scaler == 'none':
        return scaler
    compute = _numbers(FrozenConfigDict(features), clips.joint_names)
    each = subclips.count(features, clips.features.shape[1])
    rows = _evenly_spaced(len(clips), -(-_MOST_CLIPS // each))
    numbers, known = on_host.by_block(lambda batch: compute(batch, scaler), arrays, rows)
    pooled = scaling.fit_scaler(numbers, known, features.pooled_scaler)
    return dataclasses.replace(scaler, pooled=pooled)


def _fit_biases(
    clips: Clips, arrays: on_host.Arrays, spec: InputSpec, scaler: scaling.Scaler
) -> np.ndarray:
    """The biases of the convolution kernels, from clips drawn by the seed of the bank."""
    rows = np.random.default_rng(spec.features.kernel_seed).permutation(len(clips))
    read = _packed(FrozenConfigDict(spec.features), clips.joint_names)
    x, _ = on_host.by_block(lambda batch: read(batch, scaler), arrays, rows[:_BIAS_CLIPS])
    bank = pipeline.kernel_bank(spec, clips.joint_names, *x.shape[1:3])
    return kernels.fit_biases(x[..., 0], bank, spec.features.kernel_seed)


@functools.lru_cache(maxsize=4)
def _packed(features: FrozenConfigDict, joint_names: tuple[str, ...]) -> Callable[..., Any]:
    """(batch, scaler) to `pipeline.packed_features`."""
    spec = InputSpec(features, channels=True)
    return jax.jit(lambda batch, scaler: pipeline.packed_features(batch, scaler, spec, joint_names))


def _evenly_spaced(count: int, most: int) -> np.ndarray:
    return np.arange(0, count, -(-count // most))


# Folds of a cross-validation differ in clips alone, so that one compiled function does for all.
@functools.lru_cache(maxsize=4)
def _numbers(features: FrozenConfigDict, joint_names: tuple[str, ...]) -> Callable[..., Any]:
    """(batch, scaler) to the numbers that statistics make of each sub-clip, `[B, W, D]`, and their
    mask."""
    spec = InputSpec(features, channels=True)

    def compute(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, Array]:
        inputs = pipeline.read(batch, scaler, spec, joint_names)
        found = pooling.numbers_of_clips(inputs, **pooling.options(features))
        values, known = (x.reshape(len(batch['fps']), -1, x.shape[-1]) for x in found)
        return values, known

    return jax.jit(compute)
