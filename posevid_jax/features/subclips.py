"""Sub-clips of a clip, each taken for a clip of its own.

A gesture begins and ends within clips. A sub-clip is short enough to lie on one side of most of
these ends, and has a label of its own where frames have; the clip, which has the label of most of
its frames, then gets the median of what is said of its sub-clips.
"""

import jax
import jax.numpy as jnp
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.errors import InputError


def check(features: ConfigDict, frames: int) -> None:
    """Raises InputError unless sub-clips of `features.subclip` fit into clips of so many frames."""
    if features.subclip > frames:
        raise InputError(
            f'features.subclip: found {features.subclip} frames with clips of {frames}, expected '
            'no more, or 0'
        )


def check_label(name: str) -> None:
    """Raises InputError unless there is such a `train.subclip_label`."""
    if name not in LABELS:
        raise InputError(
            f'train.subclip_label: found {name!r}, expected one of {", ".join(LABELS)}'
        )


def count(features: ConfigDict, frames: int) -> int:
    """How many sub-clips a clip of so many frames has."""
    return (frames - features.subclip) // features.subclip_stride + 1 if features.subclip else 1


def length_and_stride(features: ConfigDict) -> tuple[int, int] | None:
    """Frames of a sub-clip, and from one to the next; None where a clip is judged as one."""
    return (features.subclip, features.subclip_stride) if features.subclip else None


def cut(x: Array, length: int, stride: int) -> Array:
    """All whole sub-clips of `[B, T, ...]`, `[B W, length, ...]`, the W of a clip in turn."""
    first = range(0, x.shape[1] - length + 1, stride)
    parts = jnp.stack([x[:, at : at + length] for at in first], axis=1)
    return parts.reshape(x.shape[0] * len(first), *parts.shape[2:])


def labels(frame_label: Array, label: Array, num_classes: int, length: int, stride: int) -> Array:
    """The label of each sub-clip: that of most of its frames which have one, of several the last.

    Args:
      frame_label: `[B, T]`, below 0 where unknown.
      label: `[B]` of the clips, and so of sub-clips without a known frame.
      num_classes: K.
      length, stride: frames of a sub-clip, and from one to the next.

    Returns:
      `[B, W]` int32.
    """
    counts = _frames_of_classes(frame_label, num_classes, length, stride)
    most = num_classes - 1 - jnp.argmax(counts[..., ::-1], axis=-1)
    known = counts.sum(axis=-1) > 0
    return jnp.where(known, most, label[:, None]).astype(jnp.int32)


def shares(frame_label: Array, label: Array, num_classes: int, length: int, stride: int) -> Array:
    """The share of each class in the frames of each sub-clip which have a label, `[B, W, K]` f32.

    Args: as for `labels`.
    """
    counts = _frames_of_classes(frame_label, num_classes, length, stride)
    known = counts.sum(axis=-1, keepdims=True)
    of_clip = jax.nn.one_hot(label, num_classes)[:, None]
    return jnp.where(known > 0, counts / jnp.maximum(known, 1), of_clip)


def _frames_of_classes(frame_label: Array, num_classes: int, length: int, stride: int) -> Array:
    """How many frames of each sub-clip have each label, `[B, W, K]` f32."""
    frames = cut(frame_label, length, stride)  # [B W, length]
    counts = jax.nn.one_hot(frames, num_classes).sum(axis=1)  # of an unknown frame all 0
    return counts.reshape(len(frame_label), -1, num_classes)


LABELS = {'most': labels, 'share': shares}
"""What a sub-clip is taught to be, by the value of `train.subclip_label`."""
