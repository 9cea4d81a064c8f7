"""The training step: a pure function of (state, batch, rng)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from ml_collections import ConfigDict

from posevid_jax.features.augment import Augment
from posevid_jax.models.classifier import Classifier, Outputs
from posevid_jax.training import losses, nonfinite, optim
from posevid_jax.training.state import MEMBER_AXES, Sums, TrainState

Batch = dict[str, Array]
Metrics = dict[str, Array]
TrainStep = Callable[..., tuple[TrainState, Metrics]]

# Apart from the numbers of devices, which are folded in at the same place.
_AUGMENT_STREAM = 2**32 - 1
_MEMBERS = 'members'  # the axis of those trained side by side


def make_train_step(
    classifier: Classifier,
    optimizer: optax.GradientTransformationExtraArgs,
    schedule: optax.Schedule,
    config: ConfigDict,
    *,
    micro_batches: int = 1,
    augment: Augment | None = None,
) -> TrainStep:
    """The step of a configuration.

    Args:
      classifier: the model.
      optimizer: the transformation that `state.opt_state` belongs to, from `optim.optimizer`.
      schedule: the learning rate, for the metrics.
      config: `config.train`.
      micro_batches: parts of a device's batch that are worked through one after the other, for
        batches whose activations do not fit; it must divide the batch. The step is that of the
        whole batch: sums are added up and divided once. Only batch norm sees parts.
      augment: applied to a device's whole share of the batch, with the same key on all devices.

    Returns:
      `train_step(state, batch, rng, *, axis_name=None, member_seed=None) -> (state, metrics)`. The
      batch is the part of one device; `rng` is the same on all of them. Under `for_members`, the
      member's seed takes the place of `rng` for everything but augmentation. The loss is the
      weighted mean over the valid rows of all devices. Metrics are scalars of this step, equal on
      all devices: `loss`, `accuracy`, `grad_norm`, `learning_rate`, and of the run so far `skipped`
      and `bad_step`.
    """

    def train_step(
        state: TrainState,
        batch: Batch,
        rng: Array,
        *,
        axis_name: str | None = None,
        member_seed: Array | None = None,
    ) -> tuple[TrainState, Metrics]:
        def total(tree: Any) -> Any:
            return tree if axis_name is None else lax.psum(tree, axis_name)

        rng = jax.random.fold_in(rng, state.step)
        if augment is not None:
            batch = augment(batch, jax.random.fold_in(rng, _AUGMENT_STREAM))
        if member_seed is not None:
            rng = jax.random.fold_in(jax.random.key(member_seed), state.step)
        if axis_name is not None:
            rng = jax.random.fold_in(rng, lax.axis_index(axis_name))
        # Known before the gradient, so that the gradients only need to be added up.
        total_weight = total((batch['weight'] * batch['valid']).sum())

        def part(batch_stats: Any, batch: Batch, rng: Array) -> tuple[Any, Sums, Any]:
            """Gradients, sums and batch statistics of some of this device's clips."""
            weight = batch['weight'] * batch['valid']  # [B]

            def loss_fn(params: Any) -> tuple[Array, tuple[Array, Any]]:
                outputs, updated = classifier(
                    {'params': params, 'batch_stats': batch_stats},
                    state.scaler,
                    batch,
                    rng=rng,
                    axis_name=axis_name,
                )
                loss = _per_example(classifier, outputs, batch, config)
                return (weight * loss).sum() / total_weight, (outputs.logits, updated)

            (loss, (logits, updated)), grads = jax.value_and_grad(loss_fn, has_aux=True)(
                state.params
            )
            correct = (predicted_class(logits) == batch['label']) * batch['valid']
            sums = Sums(
                loss=loss * total_weight,
                weight=weight.sum(),
                correct=correct.sum(),
                clips=batch['valid'].sum(),
            )
            return grads, sums, updated

        if micro_batches == 1:
            grads, sums, batch_stats = part(state.batch_stats, batch, rng)
        else:
            grads, sums, batch_stats = _add_up(part, micro_batches, state, batch, rng)
        grads, sums = total((grads, sums))
        grad_norm = optim.global_norm(grads)
        finite = jnp.isfinite(sums.loss) & jnp.isfinite(grad_norm)
        if member_seed is not None:  # members count the same steps: what one leaves out, all do
            finite = lax.psum((~finite).astype(jnp.int32), _MEMBERS) == 0
        updates, opt_state = optimizer.update(
            grads, state.opt_state, state.params,
            taken=nonfinite.taken(state, finite, config.on_nonfinite),
        )  # fmt: skip
        params = optax.apply_updates(state.params, updates)
        after = state.replace(
            step=state.step + 1,
            params=params,
            batch_stats=batch_stats,
            opt_state=opt_state,
            ema=_average(state, params, config.ema_decay),
            epoch=state.epoch.add(sums),
        )
        metrics = sums.means() | {
            'grad_norm': grad_norm,
            'learning_rate': jnp.asarray(schedule(state.step), jnp.float32),
        }
        state = nonfinite.settle(state, after, finite, config.on_nonfinite)
        return state, metrics | {'skipped': state.skipped, 'bad_step': state.bad_step}

    return train_step


def _per_example(
    classifier: Classifier, outputs: Outputs, batch: Batch, config: ConfigDict
) -> Array:
    """The loss of each clip `[B]`, of all that is said of it; `config.train`."""
    subclips, frames = outputs.subclip_logits, outputs.frame_logits
    if subclips is None:
        target = batch['target' if 'target' in batch else 'label']
        loss = losses.per_example(outputs.logits, target, config)
    else:
        target = classifier.subclip_targets(batch, subclips)
        loss = losses.per_example_subclips(subclips, target, config)
    if frames is not None:
        loss += config.frame_loss * losses.per_example_frames(frames, batch['frame_label'])
    if config.smooth_loss:
        if subclips is not None:
            loss += config.smooth_loss * losses.per_example_jumps(subclips)
        if frames is not None:
            loss += config.smooth_loss * losses.per_example_jumps(frames[..., None])
    return loss


def _average(state: TrainState, params: Any, decay: float) -> Any:
    """The moving average after this step; early on it forgets faster, as TensorFlow's does."""
    if not state.ema:
        return {}
    step = state.step.astype(jnp.float32)
    keep = jnp.minimum(decay, (1 + step) / (10 + step))
    return optax.incremental_update(params, state.ema, 1 - keep)


def for_members(train_step: TrainStep, seed: int, num_seeds: int) -> TrainStep:
    """The step of several members at once, each as if it were alone.

    Members differ in their parameters and in dropout. What does not depend on either, such as
    augmentation, features and their statistics over time, is computed once for all of them.

    Args:
      train_step: from `make_train_step`.
      seed: of the first member; the next one has `seed + 1`.
      num_seeds: members.

    Returns:
      a step of states as `state.create` makes them for `num_seeds`; its metrics are the means over
      the members.
    """

    def step(
        state: TrainState, batch: Batch, rng: Array, *, axis_name: str | None = None
    ) -> tuple[TrainState, Metrics]:
        def member(state: TrainState, seed: Array) -> tuple[TrainState, Metrics]:
            return train_step(state, batch, rng, axis_name=axis_name, member_seed=seed)

        state, metrics = jax.vmap(member, (MEMBER_AXES, 0), (MEMBER_AXES, 0), axis_name=_MEMBERS)(
            state, seed + jnp.arange(num_seeds)
        )
        return state, jax.tree.map(lambda values: values.mean(axis=0), metrics)

    return step


def _add_up(
    part: Callable[[Any, Batch, Array], tuple[Any, Sums, Any]],
    count: int,
    state: TrainState,
    batch: Batch,
    rng: Array,
) -> tuple[Any, Sums, Any]:
    """`part` over `count` parts of the batch: gradients and sums added, statistics handed on."""
    # [count, B / count, ...]; clips without features have arrays of size 0, so -1 would not do.
    parts = jax.tree.map(lambda x: x.reshape(count, len(x) // count, *x.shape[1:]), batch)

    def body(carry: tuple[Any, Sums, Any], indexed: tuple[Array, Batch]) -> tuple[Any, None]:
        index, batch = indexed
        grads, sums, batch_stats = carry
        more_grads, more_sums, batch_stats = part(
            batch_stats, batch, jax.random.fold_in(rng, index)
        )
        grads, sums = jax.tree.map(jnp.add, (grads, sums), (more_grads, more_sums))
        return (grads, sums, batch_stats), None

    start = (jax.tree.map(jnp.zeros_like, state.params), Sums.zeros(), state.batch_stats)
    return lax.scan(body, start, (jnp.arange(count), parts))[0]


def predicted_class(logits: Array) -> Array:
    """`[B, K]` logits to `[B]` classes: the sign of one logit, the largest of several."""
    if logits.shape[-1] == 1:
        return (logits[:, 0] > 0).astype(jnp.int32)
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)
