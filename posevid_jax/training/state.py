"""What a training step carries from one batch to the next."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax
from jax import Array

from posevid_jax.features.scaling import Scaler
from posevid_jax.models.classifier import Classifier, Variables


class Sums(flax.struct.PyTreeNode):
    """Totals of the epoch so far: scalars, divided once, when the epoch is recorded."""

    loss: Array  # sum of weight * loss
    weight: Array  # sum of weight
    correct: Array  # clips classified correctly
    clips: Array  # clips seen

    @classmethod
    def zeros(cls) -> 'Sums':
        return cls(*(jnp.zeros((), jnp.float32) for _ in range(4)))

    def add(self, other: 'Sums') -> 'Sums':
        return jax.tree.map(jnp.add, self, other)

    def means(self) -> dict[str, Array]:
        """`loss` in nats per unit of weight, `accuracy` per clip."""
        return {'loss': self.loss / self.weight, 'accuracy': self.correct / self.clips}


class Trained(flax.struct.PyTreeNode):
    """The part of a state that evaluation and prediction read."""

    step: Array
    params: Any
    batch_stats: Any
    scaler: Scaler
    ema: Any

    @property
    def variables(self) -> Variables:
        """What is evaluated: the averaged parameters where there are any."""
        return {'params': self.ema or self.params, 'batch_stats': self.batch_stats}


class TrainState(flax.struct.PyTreeNode):
    """Everything a checkpoint holds about the model; random keys are folded, never stored."""

    step: Array  # int32: optimiser steps done
    params: Any
    batch_stats: Any
    opt_state: Any
    scaler: Scaler  # fitted once: the run's preprocessing travels with its parameters
    ema: Any  # moving average of params, {} without one
    skipped: Array  # int32: steps left out because they were not finite
    bad_step: Array  # int32: the last one of them, 0 for none
    epoch: Sums  # in the state, so that a run resumed inside an epoch records the same epoch

    @property
    def trained(self) -> Trained:
        return Trained(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Trained)})

    @property
    def variables(self) -> Variables:
        """`Trained.variables`."""
        return self.trained.variables


# What several members trained side by side have in common; all else has a leading axis of members.
_SHARED = ('step', 'skipped', 'bad_step', 'scaler')
_AXES: dict[str, Any] = {
    f.name: None if f.name in _SHARED else 0 for f in dataclasses.fields(TrainState)
}
MEMBER_AXES = TrainState(**_AXES)
"""The axis of the members in each part of a state, for `jax.vmap`."""


def create(
    classifier: Classifier,
    optimizer: optax.GradientTransformation,
    scaler: Scaler,
    batch: Mapping[str, Any],
    seed: int,
    num_seeds: int = 1,
    *,
    ema: bool = False,
) -> TrainState:
    """The state before the first step.

    Traceable: `jax.eval_shape` of it is the abstract state that restoring and compiling need.

    Args:
      classifier: the model.
      optimizer: the transformation whose state to create.
      scaler: the run's, or its shapes.
      batch: one batch; only its shapes matter.
      seed: of the parameters.
      num_seeds: members; with several, member i has the parameters of `seed + i`, and `MEMBER_AXES`
        says where.
      ema: whether the state holds a moving average of the parameters.
    """

    def one(seed: int | Array) -> TrainState:
        variables = classifier.init(jax.random.key(seed), scaler, batch)
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            params=variables['params'],
            batch_stats=variables['batch_stats'],
            opt_state=optimizer.init(variables['params']),
            ema=jax.tree.map(jnp.copy, variables['params']) if ema else {},
            skipped=jnp.zeros((), jnp.int32),
            bad_step=jnp.zeros((), jnp.int32),
            scaler=jax.tree.map(jnp.asarray, scaler),
            epoch=Sums.zeros(),
        )

    if num_seeds == 1:
        return one(seed)
    return jax.vmap(one, out_axes=MEMBER_AXES)(seed + jnp.arange(num_seeds))
