"""The training step: a pure function of (state, batch, rng)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from ml_collections import ConfigDict

from posevid_jax.models.classifier import Classifier
from posevid_jax.training import losses
from posevid_jax.training.state import Sums, TrainState

Metrics = dict[str, Array]
TrainStep = Callable[..., tuple[TrainState, Metrics]]


def make_train_step(
    classifier: Classifier,
    optimizer: optax.GradientTransformation,
    schedule: optax.Schedule,
    config: ConfigDict,
) -> TrainStep:
    """The step of a configuration.

    Args:
      classifier: the model.
      optimizer: the transformation that `state.opt_state` belongs to.
      schedule: the learning rate, for the metrics.
      config: `config.train`.

    Returns:
      `train_step(state, batch, rng, *, axis_name=None) -> (state, metrics)`. The batch is the part
      of one device; `rng` is the same on all of them. The loss is the weighted mean over the valid
      rows of all devices. Metrics are scalars of this step, equal on all devices: `loss`,
      `accuracy`, `grad_norm`, `learning_rate`.
    """

    def train_step(
        state: TrainState, batch: dict[str, Array], rng: Array, *, axis_name: str | None = None
    ) -> tuple[TrainState, Metrics]:
        def total(tree):
            return tree if axis_name is None else lax.psum(tree, axis_name)

        rng = jax.random.fold_in(rng, state.step)
        if axis_name is not None:
            rng = jax.random.fold_in(rng, lax.axis_index(axis_name))
        weight = batch['weight'] * batch['valid']  # [B]
        # Known before the gradient, so that the gradients only need to be added up.
        total_weight = total(weight.sum())

        def loss_fn(params):
            outputs, batch_stats = classifier(
                {'params': params, 'batch_stats': state.batch_stats},
                state.scaler,
                batch,
                rng=rng,
                axis_name=axis_name,
            )
            loss = losses.per_example(outputs.logits, batch['label'], config)
            if outputs.frame_logits is not None:
                frames = losses.per_example_frames(outputs.frame_logits, batch['frame_label'])
                loss += config.frame_loss * frames
            return (weight * loss).sum() / total_weight, (outputs.logits, batch_stats)

        (loss, (logits, batch_stats)), grads = jax.value_and_grad(loss_fn, has_aux=True)(
            state.params
        )
        correct = (predicted_class(logits) == batch['label']) * batch['valid']
        grads, sums = total(
            (
                grads,
                Sums(
                    loss=loss * total_weight,
                    weight=weight.sum(),
                    correct=correct.sum(),
                    clips=batch['valid'].sum(),
                ),
            )
        )
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        metrics = sums.means() | {
            'grad_norm': optax.tree.norm(grads),
            'learning_rate': jnp.asarray(schedule(state.step), jnp.float32),
        }
        state = state.replace(
            step=state.step + 1,
            params=optax.apply_updates(state.params, updates),
            batch_stats=batch_stats,
            opt_state=opt_state,
            epoch=state.epoch.add(sums),
        )
        return state, metrics

    return train_step


def predicted_class(logits: Array) -> Array:
    """`[B, K]` logits to `[B]` classes: the sign of one logit, the largest of several."""
    if logits.shape[-1] == 1:
        return (logits[:, 0] > 0).astype(jnp.int32)
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)
