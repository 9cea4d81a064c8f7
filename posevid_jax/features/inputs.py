"""From a batch to what a network reads.

Features are z-scored, smoothed and packed, in that order; then they stay a list for statistics over
time, or are laid out as a grid. The skeleton goes its own way.
"""

import functools
from collections.abc import Callable, Sequence

from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.data.video_stats import per_video_stats
from posevid_jax.errors import InputError
from posevid_jax.features import motion, scaling, skeleton

LAYOUTS = ('grid', 'skeleton')


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.features` holds what no function here accepts."""
    if config.zscore not in scaling.ZSCORES:
        raise InputError(
            f'features.zscore: found {config.zscore!r}, '
            f'expected one of {", ".join(scaling.ZSCORES)}'
        )
    if config.pack not in motion.PACKS:
        raise InputError(
            f'features.pack: found {config.pack!r}, expected one of {", ".join(motion.PACKS)}'
        )
    if config.layout not in LAYOUTS:
        raise InputError(
            f'features.layout: found {config.layout!r}, expected one of {", ".join(LAYOUTS)}'
        )
    if config.smooth < 1 or config.smooth % 2 == 0:
        raise InputError(
            f'features.smooth: found {config.smooth}, expected an odd number of frames'
        )
    if config.clip_at <= 0:
        raise InputError(f'features.clip_at: found {config.clip_at}, expected a number above 0')


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


def reader(
    config: ConfigDict, joint_names: Sequence[str]
) -> Callable[[dict[str, Array], scaling.Scaler], tuple[Array, Array]]:
    """The function from a batch to the input of the configured network.

    Args:
      config: the whole configuration, its features checked.
      joint_names: joints of the clips.

    Returns:
      (batch, scaler) to values and mask: `[B, T, F, C]` both for stat_pool, `[B, T, H, W, C]` and
      `[B, T, H, W]` for video_swin.

    Raises:
      InputError: the clips have no skeleton to lay out.
    """
    features = config.features
    if config.model.name == 'stat_pool':
        return functools.partial(packed, config=features)
    if features.layout == 'skeleton':
        skeleton.walk(joint_names)
        return lambda batch, scaler: skeleton.rows(batch, joint_names)
    return lambda batch, scaler: motion.to_grid(*packed(batch, scaler, features))


def host_arrays(clips: Clips, config: ConfigDict) -> dict[str, Column]:
    """The arrays, a row a clip, that batches are gathered from.

    Args:
      clips: any set.
      config: the whole configuration.
    """
    arrays = clips.arrays(skeleton=reads_skeleton(config))
    if config.features.zscore == 'per_video':
        arrays['video_mean'], arrays['video_std'] = per_video_stats(clips)
    return arrays


def reads_skeleton(config: ConfigDict) -> bool:
    """Whether the configured network reads joints rather than features."""
    return config.model.name == 'video_swin' and config.features.layout == 'skeleton'
