"""From a batch to what a network reads: z-score, smoothing, pack, in that order."""

import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.video_stats import per_video_stats
from posevid_jax.errors import InputError
from posevid_jax.features import motion, scaling


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


def host_arrays(clips: Clips, config: ConfigDict) -> dict[str, np.ndarray]:
    """The arrays, a row a clip, that batches for these features are gathered from.

    Args:
      clips: any set.
      config: `config.features`.
    """
    arrays = clips.arrays(skeleton=False)
    if config.zscore == 'per_video':
        arrays['video_mean'], arrays['video_std'] = per_video_stats(clips)
    return arrays
