"""The optimiser and its learning-rate schedule."""

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError

# Every parameter is matched by its name, so that a new kind of parameter is a decision, not an
# accident: regularise matrices, leave offsets, gains and tables alone.
_DECAYED = {
    'kernel': True,
    'bias': False,
    'scale': False,
    'bias_table': False,
    'pos_bias': False,
}


def learning_rate(config: ConfigDict, steps_per_epoch: int) -> optax.Schedule:
    """Linear warm-up to the peak, then half a cosine to 0 (Loshchilov & Hutter 2017, SGDR).

    Args:
      config: `config.train`.
      steps_per_epoch: optimiser steps an epoch.
    """
    total = config.num_epochs * steps_per_epoch
    warmup = min(round(config.warmup_epochs * steps_per_epoch), total - 1)
    return optax.warmup_cosine_decay_schedule(
        # The first step is a step: it starts one rung up, not at 0.
        init_value=config.learning_rate / (warmup + 1),
        peak_value=config.learning_rate,
        warmup_steps=warmup,
        decay_steps=total,
    )


def optimizer(config: ConfigDict, schedule: optax.Schedule) -> optax.GradientTransformation:
    """AdamW (Loshchilov & Hutter 2019) behind an optional clip of the global gradient norm."""
    adamw = optax.adamw(schedule, weight_decay=config.weight_decay, mask=_decay_mask)
    if config.grad_clip == 0:
        return adamw
    return optax.chain(_clip_by_global_norm(config.grad_clip), adamw)


def _clip_by_global_norm(largest: float) -> optax.GradientTransformation:
    """Optax's rule (Pascanu et al. 2013), as one factor.

    Optax divides each gradient, which XLA does not repeat in the two moments that read it: it
    writes all gradients out once more, a sixth of a small step. A product it fuses into both.
    """

    def update(grads, state, params=None):
        factor = jnp.minimum(1.0, largest / jnp.maximum(optax.tree.norm(grads), 1e-12))
        return jax.tree.map(lambda grad: grad * factor, grads), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def check(config: ConfigDict) -> None:
    """Raises InputError when a number of `config.train` is out of its range."""
    for key, least in (
        ('num_epochs', 1),
        ('batch_size', 1),
        ('micro_batches', 1),
        ('num_seeds', 1),
        ('log_every_steps', 1),
        ('warmup_epochs', 0),
        ('weight_decay', 0),
        ('grad_clip', 0),
        ('learning_rate', 0),
    ):
        if config[key] < least:
            raise InputError(f'train.{key}: found {config[key]}, expected {least} or more')


def _decay_mask(params):
    def decayed(path, _):
        name = path[-1].key
        if name not in _DECAYED:
            raise ValueError(f'no weight-decay rule for parameter {jax.tree_util.keystr(path)}')
        return _DECAYED[name]

    return jax.tree_util.tree_map_with_path(decayed, params)
