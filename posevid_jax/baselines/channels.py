"""What baselines read of clips: where the joints are, or the features of the archive."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data import depth
from posevid_jax.data.clips import Clips
from posevid_jax.features import on_host, pooling, pose, resampling, scaling, sources

_STATISTICS = ('mean', 'std', 'min', 'max')
_FRAMES = 64  # that clips are resampled to, unless `features.frames` says how many
_LEAST_FRAMES = 9  # the taps of a kernel
_BLOCK = 256  # clips in memory at a time

_Compute = Callable[[Array, Array], tuple[Array, Array]]
"""Values and mask `[B, T, F]` to those of other numbers."""


@dataclasses.dataclass(frozen=True, eq=False)
class Channels:
    """What is read of the frames of clips, F channels; of all sets of a comparison the same.

    Attributes:
      features: `config.features`; its `source` is `pose` with nothing left but places, each joint
        from the body's middle in body sizes, or `archive`; its `frames` are those to resample to.
      scale: [F] what resampled channels are divided by, so that one does not outweigh another.
    """

    features: ConfigDict
    scale: np.ndarray

    def statistics(self, clips: Clips) -> np.ndarray:
        """Mean, deviation, smallest and largest of each channel and of its change between frames.

        Args:
          clips: N of them.

        Returns:
          `[N, 8 F]` f32, over observed frames; NaN where there is none.
        """
        values, known = self._by_block(clips, _statistics)
        return np.where(known, values, np.nan).reshape(len(clips), -1)

    def resampled(self, clips: Clips) -> np.ndarray:
        """Each channel in `features.frames` frames.

        Args:
          clips: N of them.

        Returns:
          `[N, L, F]` f32; 0 for a channel that was never observed in a clip.
        """
        return self._by_block(clips, _resampler(self.features.frames))[0] / self.scale

    def _by_block(self, clips: Clips, compute: _Compute) -> tuple[np.ndarray, np.ndarray]:
        """What is computed of the channels of all clips, and its mask."""
        rows = np.arange(len(clips))
        parts = []
        for block in np.split(rows, rows[_BLOCK::_BLOCK]):
            x, mask = map(jnp.asarray, self._read(clips, block))
            parts.append(jax.device_get(compute(x, mask)))
        values, mask = (np.concatenate(part) for part in zip(*parts, strict=True))
        return values, mask

    def _read(self, clips: Clips, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.features.source == sources.ARCHIVE:
            return clips.features[rows], clips.mask[rows]
        return on_host.computed_features(clips, self.features)(rows)


def make(features: ConfigDict, clips: Clips) -> Channels:
    """The joints of clips that have some, else the features of their archive.

    Places share a unit, and keep it. Features of an archive have units of their own, and are
    divided by their deviation over the clips.

    Args:
      features: `config.features`; `depth` says whether z is read, `frames` how many to resample to.
      clips: those of training.
    """
    found = features.copy_and_resolve_references().unlock()
    found.frames = max(found.frames or _FRAMES, _LEAST_FRAMES)
    if not clips.joint_names:
        found.source = sources.ARCHIVE
        scale = scaling.fit_scaler(clips.features, clips.mask).scale
        return Channels(found.lock(), np.asarray(scale))
    found.source = 'pose'
    if found.depth == 'auto':
        found.depth = 'on' if depth.carries_information(clips) else 'off'
    names = pose.names(clips.joint_names, found.depth == 'on')
    places = [name for name in names if name.startswith('place_')]
    groups = {name.split('_')[0] for name in names} - {'place'}
    found.leave_out = tuple(f'{group}_*' for group in sorted(groups))
    return Channels(found.lock(), np.ones(len(places), np.float32))


@jax.jit
def _statistics(x: Array, mask: Array) -> tuple[Array, Array]:
    change = jnp.diff(x, axis=1, prepend=x[:, :1])
    both = mask & jnp.pad(mask[:, :-1], ((0, 0), (1, 0), (0, 0)))
    of = [pooling.pool(*part, statistics=_STATISTICS) for part in ((x, mask), (change, both))]
    values, known = (jnp.concatenate(part, axis=1) for part in zip(*of, strict=True))
    return values, known


@functools.cache
def _resampler(frames: int) -> _Compute:
    return jax.jit(functools.partial(resampling.resample, frames=frames))
