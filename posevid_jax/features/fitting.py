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
from posevid_jax.features import on_host, pipeline, pooling, scaling, subclips
from posevid_jax.features.inputs import InputSpec

# Clips or sub-clips, evenly spaced, that are as good as all of them.
_MOST_CLIPS = 20_000


def fit_scaler(clips: Clips, arrays: on_host.Arrays, spec: InputSpec) -> scaling.Scaler:
    """The scaler of the features named by `columns.scaled_names`, and of the statistics of clips.

    Args:
      clips: those to fit it on.
      arrays: their `columns.host_arrays`.
      spec: what the network reads.
    """
    features = spec.features
    rows = _evenly_spaced(len(clips), _MOST_CLIPS)
    if spec.reads_body:
        scaler = scaling.fit_scaler(*on_host.body_features(clips, features)(rows), features.scaler)
    else:
        scaler = scaling.fit_scaler(clips.features, clips.mask, features.scaler)
    if not spec.channels or features.pooled_scaler == 'none':
        return scaler
    compute = _numbers(FrozenConfigDict(features), clips.joint_names)
    each = subclips.count(features, clips.features.shape[1])
    rows = _evenly_spaced(len(clips), -(-_MOST_CLIPS // each))
    numbers, known = on_host.by_block(lambda batch: compute(batch, scaler), arrays, rows)
    pooled = scaling.fit_scaler(numbers, known, features.pooled_scaler)
    return dataclasses.replace(scaler, pooled=pooled)


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
