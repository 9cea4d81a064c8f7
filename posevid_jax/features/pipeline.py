"""From a batch to what a network reads, inside the compiled step.

    batch -> longer by the frames around its clips -> features, of the archive or of the body
          -> z-scored, resampled, smoothed, packed -> a grid of cells
                                                   -> sub-clips, the frames beside them,
                                                      convolution statistics, a summary

The skeleton as a picture of rows goes its own ways.
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.features import (
    joint_rows,
    kernels,
    motion,
    pooling,
    resampling,
    scaling,
    skeleton,
    sources,
    subclips,
    summary,
)
from posevid_jax.features.columns import CONTEXT
from posevid_jax.features.inputs import GRID, JOINTS, SKELETON, Inputs, InputSpec, Masked
from posevid_jax.features.scaling import Scaler

Batch = dict[str, Array]
Reader = Callable[[Batch, Scaler], Inputs]
"""(batch, scaler) to what a network is called with."""


def read(batch: Batch, scaler: Scaler, spec: InputSpec, joint_names: Sequence[str]) -> Inputs:
    """What a network is called with.

    Args:
      batch: `columns.host_arrays` of some rows.
      scaler: the run's.
      spec: what the network reads, checked.
      joint_names: of the clips, checked.
    """
    features = spec.features
    longer = widened(batch, features.context) if features.context else batch
    cells = None
    if spec.cells == SKELETON:
        cells = Masked(*skeleton.rows(longer, joint_names, features.scale_frames))
    elif spec.cells == JOINTS:
        cells = joint_rows.rows(longer, joint_names, features)
    if not spec.reads_numbers:
        return Inputs(cells=cells)
    packed = packed_features(longer, scaler, spec, joint_names)
    if spec.cells == GRID:
        cells = Masked(*motion.to_grid(*packed))
    if not spec.channels:
        return Inputs(cells=cells)
    channels, clip = packed, None
    if features.context or features.subclip:
        channels, clip = cut_subclips(packed, features)
    if features.kernels:
        clip = with_kernels(clip, packed, scaler, spec, joint_names)
    if features.summary.on:
        clip = with_summary(clip, batch, joint_names, features)
    return Inputs(cells=cells, channels=channels, clip=clip, scaler=scaler.pooled)


def widened(batch: Batch, frames: int) -> Batch:
    """A batch whose clips have become longer by the `frames` before and after them."""
    return batch | {
        name: jnp.concatenate(
            [batch[around][:, :frames], batch[name], batch[around][:, frames:]], axis=1
        )
        for name, around in CONTEXT.items()
    }


def packed_features(
    batch: Batch, scaler: Scaler, spec: InputSpec, joint_names: Sequence[str]
) -> Masked:
    """The packed features of a batch.

    Args:
      batch: `features` and `mask` `[B, T, F]`, or what `sources.READS` names; `fps` `[B]`, and what
        the z-score needs.
      scaler: the run's.
      spec, joint_names: see `read`.

    Returns:
      `[B, T, F, C]` both, T = `features.frames` unless that is 0, C as in `motion.PACKS`.
    """
    features = spec.features
    if spec.computes:
        x, mask = sources.COMPUTED[features.source].compute(batch, joint_names, features)
        batch = batch | {'features': x, 'mask': mask}
    x, mask = scaling.zscore(batch, scaler, kind=features.zscore, clip_at=features.clip_at)
    if features.frames:
        x, mask = resampling.resample(x, mask, features.frames)
    x, mask = motion.smooth(x, mask, features.smooth)
    return Masked(*motion.pack(x, mask, batch['fps'], features.pack))


def cut_subclips(packed: Masked, features: ConfigDict) -> tuple[Masked, Masked]:
    """The sub-clips of clips, or these as one, and what lies beside them.

    Args:
      packed: `[B, T, F, C]` both, T with the frames of the context.
      features: `config.features`.

    Returns:
      the sub-clips as `subclips.cut` makes them, and the means of the frames before and after each,
      `[B W, 2 F C]` both: of the context, else of those of the clip.
    """
    around, stride = features.context, features.subclip_stride
    frames = packed.values.shape[1] - 2 * around
    length = features.subclip or frames
    last = frames - length  # the start of the last sub-clip, after that of the clip
    if not around:  # nothing is known of so many frames before and after the clip
        packed = Masked(*(jnp.pad(x, ((0, 0), (last, last), (0, 0), (0, 0))) for x in packed))
    beside = around or last

    def at(first: int, length: int) -> Masked:
        stretch = slice(first, first + last + length)
        return Masked(*(subclips.cut(x[:, stretch], length, stride) for x in packed))

    means = [_flat_mean(at(first, beside)) for first in (0, beside + length)]
    return at(beside, length), _joined(*means)


def with_kernels(
    clip: Masked | None,
    packed: Masked,
    scaler: Scaler,
    spec: InputSpec,
    joint_names: Sequence[str],
) -> Masked:
    """The numbers of whole clips, if there are any, and after them the convolution statistics."""
    assert scaler.biases is not None  # which are fitted where there are kernels
    bank = kernel_bank(spec, tuple(joint_names), *packed.values.shape[1:3])
    values = kernels.statistics(packed.values[..., 0], bank, jnp.asarray(scaler.biases))
    found = Masked(values, jnp.ones(values.shape, bool))
    return found if clip is None else _joined(clip, found)


def kernel_bank(
    spec: InputSpec, joint_names: tuple[str, ...], frames: int, features: int
) -> kernels.Bank:
    """The convolution kernels for packed features `[B, T, F, 1]` of so many frames."""
    config = spec.features
    names = tuple(map(str, range(features)))
    if spec.computes:
        names = sources.COMPUTED[config.source].names(joint_names, config)
    return _bank(config.source, names, frames, config.kernels, config.kernel_seed)


@functools.cache
def _bank(source: str, names: tuple[str, ...], frames: int, count: int, seed: int) -> kernels.Bank:
    return kernels.make_bank(sources.kernel_groups(source, names), frames, count, seed)


def with_summary(
    clip: Masked | None, batch: Batch, joint_names: Sequence[str], features: ConfigDict
) -> Masked:
    """The numbers of whole clips, if there are any, and after them the hand-mouth summary."""
    values = summary.hand_mouth(batch, joint_names, features.scale_frames, features.summary)
    found = Masked(values, jnp.ones(values.shape, bool))
    return found if clip is None else _joined(clip, found)


def _flat_mean(packed: Masked) -> Masked:
    """Mean over time of `[B, T, F, C]`, `[B, F C]`, and where there is one; T may be 0."""
    return Masked(*pooling.mean(*(x.reshape(*x.shape[:2], math.prod(x.shape[2:])) for x in packed)))


def _joined(a: Masked, b: Masked) -> Masked:
    return Masked(*(jnp.concatenate(parts, axis=1) for parts in zip(a, b, strict=True)))
