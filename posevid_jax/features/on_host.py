"""Computes features of whole sets of clips, in blocks, for fitting scalers and statistics."""

import functools
from collections.abc import Callable, Mapping

import jax
import numpy as np
from jax import Array
from ml_collections import ConfigDict, FrozenConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.features import sources

Arrays = Mapping[str, Column]

_BLOCK = 256  # clips computed at a time


@functools.partial(jax.jit, static_argnums=(1, 2))
def _compute(
    batch: dict[str, Array], joint_names: tuple[str, ...], features: FrozenConfigDict
) -> tuple[Array, Array]:
    return sources.COMPUTED[features.source].compute(batch, joint_names, features)


def computed_features(
    clips: Clips, config: ConfigDict
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Makes a function from row numbers [n] to the computed features of these clips, values and
    mask.

    Args:
      clips: any set with the joints.
      config: `config.features`.
    """
    arrays = {name: getattr(clips, name) for name in sources.READS}
    static = (clips.joint_names, FrozenConfigDict(config))
    return lambda rows: by_block(lambda batch: _compute(batch, *static), arrays, rows)


def by_block(
    compute: Callable[[dict[str, np.ndarray]], tuple[Array, Array]],
    arrays: Arrays,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Values and mask of the given rows, computed a block at a time."""
    blocks = -(-len(rows) // _BLOCK)
    full = np.resize(rows, blocks * _BLOCK).reshape(blocks, _BLOCK)  # one shape to compile
    parts = [
        jax.device_get(compute({name: array[block] for name, array in arrays.items()}))
        for block in full
    ]
    values, mask = (np.concatenate(part)[: len(rows)] for part in zip(*parts, strict=True))
    return values, mask
