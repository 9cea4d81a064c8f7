"""From clips to batches, and from a batch to what a network reads.

Features come from the archive or are computed from the skeleton in the body's frame. They are
z-scored, smoothed and packed, in that order; then they stay a list for statistics over time, or are
laid out as a grid. The skeleton as a picture of rows goes its own way.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.context import context
from posevid_jax.data.mapped import Column
from posevid_jax.data.video_stats import per_video_stats
from posevid_jax.errors import InputError
from posevid_jax.features import (
    body,
    motion,
    on_host,
    pooling,
    scaling,
    skeleton,
    subclips,
    summary,
)

SOURCES = ('archive', 'body')
LAYOUTS = ('grid', 'skeleton')

CONTEXT = {'skeleton': 'context_skeleton', 'skeleton_mask': 'context_mask'}
"""Arrays of a batch, and those of the frames around its clips."""

Read = Callable[[dict[str, Array], scaling.Scaler], tuple[Array, ...]]
"""(batch, scaler) to what a network is called with."""


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.features` holds what no function here accepts."""
    for key, found, known in (
        ('source', (config.source,), SOURCES),
        ('zscore', (config.zscore,), scaling.ZSCORES),
        ('scaler', (config.scaler,), scaling.SCALERS),
        ('pooled_scaler', (config.pooled_scaler,), ('none', *scaling.SCALERS)),
        ('pack', (config.pack,), motion.PACKS),
        ('layout', (config.layout,), LAYOUTS),
        ('statistics', config.statistics, pooling.STATISTICS),
    ):
        for value in found:
            if value not in known:
                raise InputError(
                    f'features.{key}: found {value!r}, expected one of {", ".join(known)}'
                )
    for key in ('smooth', 'scale_frames'):
        if config[key] < 1 or config[key] % 2 == 0:
            raise InputError(
                f'features.{key}: found {config[key]}, expected an odd number of frames'
            )
    if config.leave_out and config.source != 'body':
        raise InputError(
            f'features.leave_out: found {tuple(config.leave_out)} with features.source='
            f'{config.source}, expected (), or body'
        )
    for key, least in (('parts', 1), ('context', 0), ('subclip', 0), ('subclip_stride', 1)):
        if config[key] < least:
            raise InputError(f'features.{key}: found {config[key]}, expected {least} or more')
    if config.clip_at <= 0:
        raise InputError(f'features.clip_at: found {config.clip_at}, expected a number above 0')
    if not all(0 <= q <= 1 for q in config.quantiles):
        raise InputError(
            f'features.quantiles: found {tuple(config.quantiles)}, expected numbers from 0 to 1'
        )
    if not (*config.statistics, *config.quantiles, *config.thresholds):
        raise InputError(
            'features.statistics: found none, nor quantiles, nor thresholds; expected some'
        )


def packed(
    batch: dict[str, Array], scaler: scaling.Scaler, config: ConfigDict
) -> tuple[Array, Array]:
    """The packed features of a batch.

    Args:
      batch: `features`, `mask` `[B, T, F]`, `fps` `[B]`, and what the z-score needs.
      scaler: the run's.
      config: `config.features`, checked.

    Returns:
      values and mask `[B, T, F, C]`, C = `motion.PACKS[config.pack]`.
    """
    x, mask = scaling.zscore(batch, scaler, kind=config.zscore, clip_at=config.clip_at)
    x, mask = motion.smooth(x, mask, config.smooth)
    return motion.pack(x, mask, batch['fps'], config.pack)


def reader(config: ConfigDict, joint_names: Sequence[str]) -> Read:
    """The function from a batch to the input of the configured network.

    Args:
      config: the whole configuration, its features checked.
      joint_names: joints of the clips.

    Returns:
      (batch, scaler) to values and mask: `[B, T, H, W, C]` and `[B, T, H, W]` for video_swin. For
      stat_pool `[B, T, F, C]` both, then `[B, W]` both of the context and the summary, or None
      twice, then the scaler of statistics; with `features.subclip` of the sub-clips, as
      `subclips.cut` makes them.

    Raises:
      InputError: the clips have no skeleton, or not the joints, that the configuration reads.
    """
    features = config.features
    if features.summary.on and not reads_statistics(config):
        raise InputError(
            f'features.summary.on: found True with {config.model.name}, expected stat_pool'
        )
    if features.subclip and features.summary.on:
        raise InputError(
            f'features.subclip: found {features.subclip} with features.summary.on=True, which is '
            'about whole clips; expected 0, or False'
        )
    if features.context and features.source != 'body':
        raise InputError(
            f'features.context: found {features.context} with features.source={features.source}, '
            'expected 0, or body'
        )
    read = functools.partial(packed, config=features)
    if reads_body(config):
        body.names(tuple(joint_names), features.leave_out)
        read = _of_body(read, joint_names, features)
    if config.model.name == 'stat_pool':
        return _statistics_reader(read, joint_names, features)
    cells = _cells_reader(read, joint_names, config)
    if not reads_statistics(config):
        return cells
    numbers = _statistics_reader(read, joint_names, features)
    return lambda batch, scaler: (*cells(batch, scaler), *numbers(batch, scaler))


def _cells_reader(read: Read, joint_names: Sequence[str], config: ConfigDict) -> Read:
    """What video_swin reads of a batch, with the frames around the clips."""
    features = config.features
    if _rows_of_joints(config):
        skeleton.walk(joint_names)

        def cells(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
            return skeleton.rows(batch, joint_names, features.scale_frames)
    else:

        def cells(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
            return motion.to_grid(*read(batch, scaler))

    if not features.context:
        return cells
    return lambda batch, scaler: cells(_widened(batch, features.context), scaler)


def _statistics_reader(read: Read, joint_names: Sequence[str], features: ConfigDict) -> Read:
    """What stat_pool reads of a batch."""
    if features.context or features.subclip:
        read = _of_subclips(read, features)
    if features.summary.on:
        summary.check(features.summary, joint_names)
        read = _and_summary(read, joint_names, features)

    def read_all(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
        x, mask, *whole = read(batch, scaler)
        return x, mask, *(whole or (None, None)), scaler.pooled

    return read_all


def statistics(features: ConfigDict) -> dict[str, Any]:
    """What `pooling.pool` is to take of every channel, by `config.features`."""
    return {
        'statistics': tuple(features.statistics),
        'quantiles': tuple(features.quantiles),
        'thresholds': tuple(features.thresholds),
        'parts': features.parts,
    }


def _of_body(read: Read, joint_names: Sequence[str], features: ConfigDict) -> Read:
    """`read` of the body's features in place of the archive's."""

    def read_body(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
        x, mask = body.features(batch, joint_names, features.scale_frames, features.leave_out)
        return read(batch | {'features': x, 'mask': mask}, scaler)

    return read_body


def _widened(batch: dict[str, Array], frames: int) -> dict[str, Array]:
    """A batch whose clips have become longer by the `frames` before and after them."""
    return batch | {
        name: jnp.concatenate(
            [batch[around][:, :frames], batch[name], batch[around][:, frames:]], axis=1
        )
        for name, around in CONTEXT.items()
    }


def _of_subclips(read: Read, features: ConfigDict) -> Read:
    """`read` of the sub-clips of the clips, or of these as one, and the means of the frames before
    and after each, `[B, 2 F C]` values and mask: of the context, else of those of the clip."""
    around, stride = features.context, features.subclip_stride

    def read_subclips(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
        both = read(_widened(batch, around) if around else batch, scaler)
        frames = both[0].shape[1] - 2 * around
        length = features.subclip or frames
        last = frames - length  # the start of the last sub-clip, after that of the clip
        if not around:  # nothing is known of so many frames before and after the clip
            both = (jnp.pad(x, ((0, 0), (last, last), (0, 0), (0, 0))) for x in both)
        both, told = tuple(both), around or last

        def at(first: int, length: int) -> tuple[Array, Array]:
            stretch = slice(first, first + last + length)
            return tuple(subclips.cut(x[:, stretch], length, stride) for x in both)

        means = [_flat_mean(*at(first, told)) for first in (0, told + length)]
        beside = (jnp.concatenate(sides, axis=1) for sides in zip(*means, strict=True))
        return *at(told, length), *beside

    return read_subclips


def _flat_mean(x: Array, mask: Array) -> tuple[Array, Array]:
    """Mean over time of `[B, T, F, C]`, `[B, F C]`, and where there is one; T may be 0."""
    return pooling.mean(
        *(part.reshape(*part.shape[:2], math.prod(part.shape[2:])) for part in (x, mask))
    )


def _and_summary(read: Read, joint_names: Sequence[str], features: ConfigDict) -> Read:
    """`read`, with the hand-mouth summary joined to its numbers of whole clips."""

    def read_summary(batch: dict[str, Array], scaler: scaling.Scaler) -> tuple[Array, ...]:
        x, mask, *whole = read(batch, scaler)
        of_hand = summary.hand_mouth(batch, joint_names, features.scale_frames, features.summary)
        known = jnp.ones(of_hand.shape, bool)
        if whole:
            of_hand = jnp.concatenate([whole[0], of_hand], axis=1)
            known = jnp.concatenate([whole[1], known], axis=1)
        return x, mask, of_hand, known

    return read_summary


def scaled_names(clips: Clips, config: ConfigDict) -> tuple[str, ...]:
    """Names of the features that are z-scored: the archive's, or the body's.

    Raises:
      InputError: the clips have not the joints that the body's features need.
    """
    if reads_body(config):
        return body.names(clips.joint_names, config.features.leave_out)
    return clips.feature_names


def host_arrays(clips: Clips, config: ConfigDict) -> dict[str, Column]:
    """The arrays, a row a clip, that batches are gathered from.

    Args:
      clips: any set.
      config: the whole configuration.
    """
    arrays = clips.arrays(skeleton=reads_skeleton(config))
    if config.features.zscore == 'per_video' and (reads_features(config) or reads_body(config)):
        read = on_host.body_features(clips, config.features) if reads_body(config) else None
        arrays['video_mean'], arrays['video_std'] = per_video_stats(clips, read)
    if config.features.context:
        arrays |= zip(CONTEXT.values(), context(clips, config.features.context), strict=True)
    return arrays


def reads_features(config: ConfigDict) -> bool:
    """Whether the configured network reads the features of the clips."""
    return config.features.source == 'archive' and _reads_numbers(config)


def reads_skeleton(config: ConfigDict) -> bool:
    """Whether the configured network reads joints, alone or beside features."""
    return _rows_of_joints(config) or reads_body(config) or config.features.summary.on


def _rows_of_joints(config: ConfigDict) -> bool:
    return config.model.name == 'video_swin' and config.features.layout == 'skeleton'


def reads_body(config: ConfigDict) -> bool:
    """Whether the configured network reads features of the body."""
    return config.features.source == 'body' and _reads_numbers(config)


def reads_statistics(config: ConfigDict) -> bool:
    """Whether the configured network reads statistics over time, alone or beside a grid."""
    return config.model.name == 'stat_pool' or config.model.video_swin.statistics


def _reads_numbers(config: ConfigDict) -> bool:
    # Of a frame; of the archive, or of the body.
    return reads_statistics(config) or not _rows_of_joints(config)
