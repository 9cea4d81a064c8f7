"""A run as a function of arrays with NaN where values are missing, for use by other programs."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.inference.single import example_batch
from posevid_jax.inference.trained_run import TrainedRun

Arrays = Mapping[str, Array | np.ndarray]
Result = TypeVar('Result')

# Masks, and the arrays whose NaN they are made from.
MASKS = {'mask': 'features', 'skeleton_mask': 'skeleton', 'context_mask': 'context_skeleton'}


def nan_function(
    run: TrainedRun,
) -> tuple[Callable[[Arrays], Array], dict[str, np.ndarray]]:
    """The function of a run for arrays without masks.

    Returns:
      (a traceable function of a batch to class probabilities `[B, K]`; one clip with every array
      that it reads).
    """
    function, example = from_nan(run.function()), example_clip(run)
    jaxpr = jax.make_jaxpr(function)(example).jaxpr
    used = {id(variable) for equation in jaxpr.eqns for variable in equation.invars}
    names = sorted(example)  # the order of a dict among the arguments
    reads = {
        name: example[name]
        for name, variable in zip(names, jaxpr.invars, strict=True)
        if id(variable) in used
    }
    # What is looked up and not used has to be there all the same.
    return lambda batch: function({**example, **batch}), reads


def from_nan(function: Callable[[dict[str, Array]], Result]) -> Callable[[Arrays], Result]:
    """The function of arrays that have NaN where values are missing, instead of masks."""

    def of_nan(given: Arrays) -> Result:
        batch = {name: jnp.asarray(value) for name, value in given.items()}
        for mask, name in MASKS.items():
            if name in batch:
                observed = jnp.isfinite(batch[name])
                if name != 'features':
                    observed = observed.all(-1, keepdims=True)
                batch[name] = jnp.where(observed, batch[name], 0)
                batch[mask] = observed if name == 'features' else observed[..., 0]
        return function(batch)

    return of_nan


def example_clip(run: TrainedRun) -> dict[str, np.ndarray]:
    """One clip with everything that the run may read, without masks."""
    batch = example_batch(run.inputs, 2 * run.context)
    if not run.reads_features:  # runs from before listed those of the archive all the same
        del batch['features']
    return {name: value for name, value in batch.items() if name not in MASKS and value.size}
