"""A run as a function of arrays with NaN for what is missing: what strangers can call."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.inference.run import Run, example_batch

# Masks that are made from NaN, and of what.
MASKS = {'mask': 'features', 'skeleton_mask': 'skeleton', 'context_mask': 'context_skeleton'}


def from_nan(function: Callable) -> Callable[[Mapping[str, Array]], Array]:
    """The function of arrays that have NaN where values are missing, instead of masks."""

    def of_nan(batch: Mapping[str, Array]) -> Array:
        batch = dict(batch)
        for mask, name in MASKS.items():
            if name in batch:
                observed = jnp.isfinite(batch[name])
                if name != 'features':
                    observed = observed.all(-1, keepdims=True)
                batch[name] = jnp.where(observed, batch[name], 0)
                batch[mask] = observed if name == 'features' else observed[..., 0]
        return function(batch)

    return of_nan


def read_by(function: Callable, example: Mapping[str, np.ndarray]) -> list[str]:
    """The names of the arrays that the function reads."""
    jaxpr = jax.make_jaxpr(function)(dict(example)).jaxpr
    used = {id(variable) for equation in jaxpr.eqns for variable in equation.invars}
    return [
        name
        for name, variable in zip(sorted(example), jaxpr.invars, strict=True)  # a dict's order
        if id(variable) in used
    ]


def example_clip(run: Run) -> dict[str, np.ndarray]:
    """One clip with everything that the run may read, without masks."""
    batch = example_batch(run.inputs, 2 * run.config.features.context)
    return {name: value for name, value in batch.items() if name not in MASKS and value.size}
