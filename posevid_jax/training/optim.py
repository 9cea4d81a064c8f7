"""The optimiser and its learning-rate schedule."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.models.families import Family
from posevid_jax.training import groups

_JOINED = 64  # gradients that one kernel sums
_MOST_EPOCHS = 20  # of a training whose length is given in steps

SCHEDULES = ('cosine', 'linear', 'constant')


def learning_rate(config: ConfigDict, steps_per_epoch: int) -> optax.Schedule:
    """Linear warm-up to the peak, then half a cosine to 0 (Loshchilov & Hutter 2017, SGDR), a line
    to 0, or the peak.

    Args:
      config: `config.train`.
      steps_per_epoch: optimiser steps per epoch.
    """
    total = config.num_epochs * steps_per_epoch
    peak = config.learning_rate
    warmup = min(round(config.warmup_epochs * steps_per_epoch), total - 1)
    after = {
        'cosine': lambda: optax.cosine_decay_schedule(peak, total - warmup),
        'linear': lambda: optax.linear_schedule(peak, 0.0, total - warmup),
        'constant': lambda: optax.constant_schedule(peak),
    }[config.schedule]()
    # The first step is one rung up, not at a rate of 0, which would change nothing.
    before = optax.linear_schedule(peak / (warmup + 1), peak, warmup)
    return optax.join_schedules([before, after], [warmup])


def in_epochs(config: ConfigDict, steps_per_epoch: int) -> tuple[ConfigDict, int]:
    """A length in steps as a number of epochs.

    Args:
      config: the whole configuration.
      steps_per_epoch: that take every clip once.

    Returns:
      the configuration with `train.num_epochs` for about `train.num_steps`, if these are given, and
      the steps of an epoch: at least a twentieth of all, so that a small set is not judged and
      saved a hundred times.
    """
    steps = config.train.num_steps
    if not steps:
        return config, steps_per_epoch
    steps_per_epoch = max(steps_per_epoch, -(-steps // _MOST_EPOCHS))
    config = config.copy_and_resolve_references()
    config.train.num_epochs = max(round(steps / steps_per_epoch), 1)
    return config, steps_per_epoch


def optimizer(
    config: ConfigDict, schedule: optax.Schedule, family: Family, steps_per_epoch: int = 1
) -> optax.GradientTransformationExtraArgs:
    """AdamW (Loshchilov & Hutter 2019) by groups, behind an optional clip of the gradient norm.

    Args:
      config: `config.train`.
      schedule: the learning rate by step.
      family: the model's, see `groups.rules`.
      steps_per_epoch: for the epochs that parameters are frozen; shapes no state.

    Returns:
      `update(grads, state, params, taken=True)`; where `taken` is False, the state stays as it is.
    """
    adamw = optax.chain(
        _scale_by_adam(),
        _decay(config, family),
        optax.scale_by_learning_rate(schedule),
        _group_rates(config, family, round(config.freeze_epochs * steps_per_epoch)),
    )
    if config.grad_clip:
        adamw = optax.chain(_clip_by_global_norm(config.grad_clip), adamw)

    def update(
        updates: optax.Updates,
        state: optax.OptState,
        params: optax.Params | None = None,
        *,
        taken: bool | jax.Array = True,
        **_: Any,
    ) -> tuple[optax.Updates, optax.OptState]:
        taken = _from_a_vector(taken)
        updates, after = adamw.update(updates, state, params, taken=taken)
        return updates, jax.tree.map(
            lambda new, old: new if _is_adam(new) else jnp.where(taken, new, old),
            after, state, is_leaf=_is_adam,
        )  # fmt: skip

    return optax.GradientTransformationExtraArgs(adamw.init, update)


def global_norm(grads: optax.Updates) -> jax.Array:
    """The Euclidean norm over all gradients.

    On a GPU they are summed as a few vectors which XLA need not lay out: a sum of its own for each
    parameter is a kernel or two for each, and of one vector of all it lays out a part. On a CPU the
    vectors would cost more than the sums.
    """

    def joined(grads: optax.Updates) -> jax.Array:
        leaves = [grad.reshape(-1) for grad in jax.tree.leaves(grads)]
        vectors = [leaves[at : at + _JOINED] for at in range(0, len(leaves), _JOINED)]
        return jnp.sqrt(sum(jnp.square(jnp.concatenate(vector)).sum() for vector in vectors))

    return jax.lax.platform_dependent(grads, cuda=joined, default=optax.tree.norm)


def _from_a_vector(scalar: bool | jax.Array) -> jax.Array:
    """The same scalar, but read from an array by whatever reads it.

    XLA's GPU compiler joins the updates of several parameters of one size in one kernel where they
    read an array in common; scalars are none. The barrier keeps it from seeing through.
    """
    return jax.lax.optimization_barrier(jnp.stack([scalar, scalar]))[0]


def _scale_by_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> optax.GradientTransformationExtraArgs:
    """Optax's Adam (Kingma & Ba 2015), which leaves its moments alone where a step is not `taken`.

    The choice comes before the update, which reads the moments that were chosen. Made after it, the
    old moments are wanted until the very end, and XLA copies both before it overwrites them: that
    doubles what AdamW costs.
    """

    def update(
        updates: optax.Updates,
        state: Any,
        params: optax.Params | None = None,
        *,
        taken: bool | jax.Array = True,
        **_: Any,
    ) -> tuple[optax.Updates, optax.OptState]:
        after = optax.ScaleByAdamState(
            count=optax.safe_increment(state.count),
            mu=optax.tree.update_moment(updates, state.mu, b1, 1),
            nu=optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2),
        )
        after = jax.tree.map(lambda new, old: jnp.where(taken, new, old), after, state)
        mean = optax.tree.bias_correction(after.mu, b1, after.count)
        square = optax.tree.bias_correction(after.nu, b2, after.count)
        return jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mean, square), after

    return optax.GradientTransformationExtraArgs(optax.scale_by_adam().init, update)


def _is_adam(state: Any) -> bool:
    return isinstance(state, optax.ScaleByAdamState)


def _clip_by_global_norm(largest: float) -> optax.GradientTransformation:
    """Optax's rule (Pascanu et al. 2013), as one factor.

    Optax divides each gradient, which XLA does not repeat in the two moments that read it: it
    writes all gradients out once more, a sixth of a small step. A product it fuses into both.
    """

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        factor = jnp.minimum(1.0, largest / jnp.maximum(global_norm(updates), 1e-12))
        return jax.tree.map(lambda grad: grad * factor, updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def _decay(config: ConfigDict, family: Family) -> optax.GradientTransformation:
    """Adds `weight_decay` times each parameter that decays."""

    def update(
        updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        return _by_rule(
            lambda rule, update, param: (
                update + config.weight_decay * rule.decay * param if rule.decay else update
            ),
            groups.rules(params, config, family),
            updates,
            params,
        ), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def _group_rates(
    config: ConfigDict, family: Family, freeze_steps: int
) -> optax.GradientTransformation:
    """Each parameter's factor of the learning rate: 0 while it is frozen.

    A frozen parameter's moments follow its gradient, so that its first step is one of Adam's.
    """

    def init(params: optax.Params) -> optax.OptState:
        groups.rules(params, config, family)  # before the first step: every parameter has its rule
        if not config.freeze:
            return optax.EmptyState()
        return optax.ScaleByScheduleState(count=jnp.zeros((), jnp.int32))

    def update(
        updates: optax.Updates, state: Any, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        rules = groups.rules(params, config, family)
        if not config.freeze:
            return _by_rule(_at_rate, rules, updates), state
        live = state.count >= freeze_steps

        def thawed(rule: groups.Rule, update: jax.Array) -> jax.Array:
            update = _at_rate(rule, update)
            return jnp.where(live, update, 0.0) if rule.frozen else update

        return _by_rule(thawed, rules, updates), state._replace(count=state.count + 1)

    return optax.GradientTransformation(init, update)


def _at_rate(rule: groups.Rule, update: jax.Array) -> jax.Array:
    return update if rule.rate == 1 else rule.rate * update


def _by_rule(function: Callable[..., jax.Array], rules: dict[str, groups.Rule], *trees: Any) -> Any:
    """`jax.tree.map` with the rule of each parameter as the first argument."""
    leaves = zip(*map(jax.tree.leaves, trees), strict=True)
    mapped = [function(rule, *each) for rule, each in zip(rules.values(), leaves, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(trees[0]), mapped)


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.train` is out of its range."""
    for key, least in (
        ('num_epochs', 1),
        ('num_steps', 0),
        ('batch_size', 1),
        ('micro_batches', 1),
        ('num_seeds', 1),
        ('log_every_steps', 1),
        ('warmup_epochs', 0),
        ('weight_decay', 0),
        ('grad_clip', 0),
        ('learning_rate', 0),
        ('freeze_epochs', 0),
    ):
        if config[key] < least:
            raise InputError(f'train.{key}: found {config[key]}, expected {least} or more')
    if config.schedule not in SCHEDULES:
        raise InputError(
            f'train.schedule: found {config.schedule!r}, expected one of {", ".join(SCHEDULES)}'
        )
    if not 0 <= config.ema_decay < 1:
        raise InputError(f'train.ema_decay: found {config.ema_decay}, expected 0 to below 1')
    groups.check(config)
