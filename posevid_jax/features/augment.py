"""Augmentation: training clips are changed inside the compiled step, in ways that keep their label.

It acts on the batch as gathered, before z-score and features, and in training only. What happens to
a clip depends on the seed, the step and the clip's row, so neither on the number of devices or
micro-batches nor on the clips beside it; except in `mixup`, whose partners come from the same
device's share of the batch. A clip that appears twice in a batch is changed in the same way.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.errors import InputError
from posevid_jax.features import augment_body as of_body
from posevid_jax.features import augment_operations as operations
from posevid_jax.features.augment_operations import MASKS, Read, zero_missing

Batch = dict[str, Array]
Augment = Callable[[Batch, Array], Batch]
"""(batch, key of the seed and step) to the batch that is trained on."""

# In the order in which they are applied. A number in this order is folded into an operation's key,
# so that what one does does not depend on which others are on.
_OPERATIONS = {
    'mirror': operations.mirror,
    'hand_swap': operations.hand_swap,
    'warp': operations.warp,
    'shift': operations.shift,
    'crop': operations.crop,
    'frame_drop': operations.frame_drop,
    'joint_drop': of_body.joint_drop,
    'scale': of_body.scale,
    'rotate': of_body.rotate,
    'jitter': of_body.jitter,
    'turn': of_body.turn,
    'stretch': of_body.stretch,
    'shear': of_body.shear,
}
_MIXUP = 100  # which no operation that is added moves

# The largest sensible amounts: with more, nothing of the clip or of its label would be left.
_LARGEST = {
    'mirror': 1.0, 'hand_swap': 1.0, 'warp': 0.9, 'shift': 0.9, 'crop': 0.9, 'frame_drop': 0.9,
    'joint_drop': 0.9, 'scale': 1.0, 'rotate': 180.0, 'jitter': 1.0, 'turn': 180.0, 'stretch': 1.0,
    'shear': 1.0, 'mixup': 100.0,
}  # fmt: skip

_CLIP_ARRAYS = {
    'features': ('features', 'mask', 'video_mean', 'video_std'),
    'joints': ('skeleton', 'skeleton_mask', 'aspect'),
}

# Frame rates closer than this are taken for the same: 29.97 and 30.
_SAME_RATE = 0.01


def build(
    config: ConfigDict,
    *,
    feature_names: Sequence[str],
    joint_names: Sequence[str],
    num_classes: int,
) -> Augment | None:
    """The augmentation of a configuration; None when every operation is off.

    Args:
      config: `config.augment`.
      feature_names: the features of the clips if the network reads them, else ().
      joint_names: the joints if it reads the skeleton, else ().
      num_classes: classes of the training clips.

    Raises:
      InputError: an amount is out of range, or an operation cannot be right for what is read.
    """
    for key, largest in _LARGEST.items():
        if not 0 <= config[key] <= largest:
            raise InputError(f'augment.{key}: found {config[key]}, expected 0 to {largest:g}')
    read = Read(tuple(feature_names), tuple(joint_names))
    chosen = [
        (number, operation(config[key], read))
        for number, (key, operation) in enumerate(_OPERATIONS.items())
        if config[key]
    ]
    if not chosen and not config.mixup:
        return None
    arrays = ['frame_label']
    for group in read._fields:
        arrays += _CLIP_ARRAYS[group] if getattr(read, group) else ()

    def one(clip: operations.Clip, key: Array) -> operations.Clip:
        for number, operation in chosen:
            clip = operation(clip, jax.random.fold_in(key, number))
        return clip

    def augment(batch: Batch, key: Array) -> Batch:
        keys = jax.vmap(lambda row: jax.random.fold_in(key, row))(batch['row'])  # [B]
        clips = {name: batch[name] for name in arrays if name in batch}
        batch = batch | jax.vmap(one)(clips, keys)
        if config.mixup:
            keys = jax.vmap(lambda key: jax.random.fold_in(key, _MIXUP))(keys)
            batch = mixup(batch, keys, config.mixup, num_classes)
        return batch

    return augment


def mixup(batch: Batch, keys: Array, alpha: float, num_classes: int) -> Batch:
    """Mixes each clip with another one of the batch (Zhang et al. 2018, "mixup").

    A clip's share is drawn from Beta(alpha, alpha) and is the larger of the two, so `label` stays
    the class that the mixture has most of; accuracies count against it. A clip keeps its frame rate
    and weight, and is not mixed with one of another frame rate, nor is anything with a row that
    only fills the batch. Values are observed where both are. Frames whose labels differ become
    unknown. Video statistics are mixed as the features are, so that a z-score per video is
    taken about the mixture of the two videos.

    Args:
      batch: arrays [B, ...].
      keys: [B], one a clip.
      alpha: of the Beta distribution; 1 is uniform, towards 0 most clips stay as they are.
      num_classes: K.

    Returns:
      the batch with `target` [B, K] f32, the share of each class.
    """
    count = len(keys)
    share_keys, partner_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
    others = max(count - 1, 1)  # a clip alone is its own partner
    step = jax.vmap(lambda key: jax.random.randint(key, (), 1, others + 1))(partner_keys)
    partner = (jnp.arange(count) + step) % count

    share = jax.vmap(lambda key: jax.random.beta(key, alpha, alpha))(share_keys)
    fps, valid = batch['fps'], batch['valid'] > 0
    fits = jnp.abs(fps[partner] / fps - 1) < _SAME_RATE
    share = jnp.where(fits & valid & valid[partner], jnp.maximum(share, 1 - share), 1.0)  # [B]

    def mixed(own: Array, other: Array) -> Array:
        part = jnp.expand_dims(share, range(1, own.ndim))
        return part * own + (1 - part) * other

    other = {name: array[partner] for name, array in batch.items()}
    result = dict(batch)
    if 'skeleton' in batch:  # x is a share of the width: in heights of the picture it compares
        ratio = other['aspect'] / batch['aspect']
        units = jnp.stack([ratio] + 3 * [jnp.ones_like(ratio)], axis=-1)  # [B, 4]
        other['skeleton'] = units[:, None, None] * other['skeleton']
    for values, mask in MASKS.items():
        if values in batch:
            alone = jnp.expand_dims(share == 1, range(1, batch[mask].ndim))
            result[mask] = batch[mask] & (other[mask] | alone)
            result[values] = zero_missing(mixed(batch[values], other[values]), result[mask])
    for name in ('video_mean', 'video_std'):
        if name in batch:
            result[name] = mixed(batch[name], other[name])
    agree = (batch['frame_label'] == other['frame_label']) | (share == 1)[:, None]
    result['frame_label'] = jnp.where(agree, batch['frame_label'], UNKNOWN_LABEL)
    classes = jax.nn.one_hot(jnp.stack([batch['label'], other['label']]), num_classes)  # [2, B, K]
    return result | {'target': mixed(*classes)}
