"""Losses of single examples, not reduced and not weighted by clip."""

import functools
import math

import chex
import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError

LOSSES = ('bce', 'focal', 'ce')

# The change of a log-probability, in nats, above which all are alike to `per_example_jumps`.
_LARGEST_CHANGE = 4.0


def check(config: ConfigDict) -> None:
    """Raises InputError when `config.train` names an unknown loss or a parameter out of range."""
    if config.loss not in LOSSES:
        raise InputError(f'train.loss: found {config.loss!r}, expected one of {", ".join(LOSSES)}')
    if not 0 <= config.focal_alpha <= 1:
        raise InputError(f'train.focal_alpha: found {config.focal_alpha}, expected 0 to 1')
    for key in ('focal_gamma', 'frame_loss', 'smooth_loss'):
        if config[key] < 0:
            raise InputError(f'train.{key}: found {config[key]}, expected 0 or more')
    if not 0 <= config.label_smoothing < 1:
        raise InputError(
            f'train.label_smoothing: found {config.label_smoothing}, expected 0 to below 1'
        )
    if not all(isinstance(weight, int | float) and weight >= 0 for weight in config.class_weights):
        raise InputError(
            f'train.class_weights: found {tuple(config.class_weights)}, expected numbers from 0 on'
        )


def check_classes(config: ConfigDict, num_classes: int) -> None:
    """Raises InputError unless `config.class_weights` is empty or has a weight for each class."""
    if len(config.class_weights) not in (0, num_classes):
        raise InputError(
            f'train.class_weights: found {len(config.class_weights)} weights, expected one for '
            f'each of the {num_classes} classes'
        )


def per_example(logits: Array, label: Array, config: ConfigDict) -> Array:
    """The configured loss of each example.

    Args:
      logits: `[B, 1]` for bce and focal, `[B, K]` for ce.
      label: `[B]` int, or `[B, K]` the share of each class: the loss is then the mean of the
        losses that each class would have, by share. Label smoothing (Szegedy et al. 2016) gives
        every class an equal part of `label_smoothing` as its share.
      config: `config.train`. focal is Lin et al. 2017, "Focal Loss for Dense Object Detection",
        equation 5: -alpha_t (1 - p_t)^gamma log p_t. `class_weights` multiply the loss of each
        class; a mean over examples is not divided by them.

    Returns:
      `[B]` float32, nats.
    """
    chex.assert_rank([logits, label], [2, {1, 2}])
    num_classes = max(2, logits.shape[1])
    if label.ndim == 1 and config.label_smoothing:
        label = jax.nn.one_hot(label, num_classes)
    if label.ndim == 1:
        return _of_classes(logits, label, config)
    share = (1 - config.label_smoothing) * label + config.label_smoothing / num_classes
    classes = jnp.broadcast_to(jnp.arange(num_classes)[:, None], share.T.shape)  # [K, B]
    each = jax.vmap(lambda k: _of_classes(logits, k, config))(classes)
    return (share.T * each).sum(axis=0)


def _of_classes(logits: Array, label: Array, config: ConfigDict) -> Array:
    """The loss `[B]` of hard labels `[B]`."""
    loss = _unweighted(logits, label, config)
    if not config.class_weights:
        return loss
    return jnp.asarray(config.class_weights, jnp.float32)[label] * loss


def _unweighted(logits: Array, label: Array, config: ConfigDict) -> Array:
    if config.loss == 'ce':
        return optax.softmax_cross_entropy_with_integer_labels(logits, label)
    chex.assert_axis_dimension(logits, 1, 1)
    logit, target = logits[:, 0], label.astype(jnp.float32)
    if config.loss == 'focal':
        return optax.sigmoid_focal_loss(
            logit, target, alpha=config.focal_alpha, gamma=config.focal_gamma
        )
    return optax.sigmoid_binary_cross_entropy(logit, target)


def per_example_subclips(logits: Array, label: Array, config: ConfigDict) -> Array:
    """The mean of `per_example` over the sub-clips of each example, `[B]` float32, nats.

    Args:
      logits: `[B, W, K]`, K as for `per_example`.
      label: `[B, W]` int, or `[B, W, K]` shares.
      config: `config.train`.
    """
    of_subclip = functools.partial(per_example, config=config)
    return jax.vmap(of_subclip, 1, 1)(logits, label).mean(axis=1)  # [B, W] -> [B]


def per_example_frames(frame_logits: Array, frame_label: Array) -> Array:
    """Binary cross-entropy of each example, mean over the frames whose label is known.

    Args:
      frame_logits: `[B, T]`.
      frame_label: `[B, T]` int, 1 inside the gesture, 0 outside, -1 unknown.

    Returns:
      `[B]` float32, nats; 0 for an example without a known frame.
    """
    chex.assert_equal_shape([frame_logits, frame_label])
    known = frame_label >= 0
    loss = optax.sigmoid_binary_cross_entropy(frame_logits, frame_label.astype(jnp.float32))
    return jnp.where(known, loss, 0.0).sum(axis=1) / jnp.maximum(known.sum(axis=1), 1)


def per_example_jumps(logits: Array) -> Array:
    """How far the class probabilities of each example jump from one piece of time to the next.

    The truncated mean squared error of Farha and Gall 2019, "MS-TCN", equations 9 to 12: squares
    of changes of log-probabilities, cut off at 4 nats. The earlier piece is taken as given, so that
    its own gradient is that of its label and of the piece before it.

    Args:
      logits: `[B, W, K]` of neighbouring sub-clips or frames; K = 1 with two classes.

    Returns:
      `[B]` float32, the mean over neighbours and classes; 0 where W = 1.
    """
    chex.assert_rank(logits, 3)
    if logits.shape[2] == 1:
        logits = jnp.concatenate([jnp.zeros_like(logits), logits], axis=2)
    log_probs = jax.nn.log_softmax(logits)
    changes = log_probs[:, 1:] - lax.stop_gradient(log_probs[:, :-1])
    squares = jnp.minimum(changes**2, _LARGEST_CHANGE**2)
    return squares.sum(axis=(1, 2)) / max(math.prod(squares.shape[1:]), 1)
