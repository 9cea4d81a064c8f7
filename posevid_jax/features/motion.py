"""Smoothing, motion and feature packs: pure functions on features `[B, T, F]` with a mask.

Every function takes and returns (values, mask): mask is True where a value was observed, values
are 0 where it was not. A derived value is observed when all of its inputs are.
"""

import chex
import jax.numpy as jnp
from jax import Array, lax

# One frame of a 30 fps recording. Motion is computed per second, then expressed per this time, so
# that the channels of a pack have comparable ranges at any frame rate.
_REFERENCE_SECONDS = 1.0 / 30.0

PACKS = {'off': 1, 'light': 4, 'full': 5}
"""Channels per feature of each pack."""


def smooth(x: Array, mask: Array, frames: int) -> tuple[Array, Array]:
    """Centred moving average over the observed frames of a window.

    Args:
      x: `[B, T, F]`.
      mask: `[B, T, F]`.
      frames: length of the window, odd so that it is centred; 1 leaves `x` as it is.

    Returns:
      `[B, T, F]` averages, 0 where the frame itself is missing, and the mask unchanged.
    """
    if frames == 1:
        return x, mask

    def window_sum(values: Array) -> Array:
        return lax.reduce_window(values, 0.0, lax.add, (1, frames, 1), (1, 1, 1), 'SAME')

    count = window_sum(mask.astype(x.dtype))
    return jnp.where(mask, window_sum(x) / jnp.maximum(count, 1.0), 0.0), mask


def velocity(x: Array, mask: Array, fps: Array) -> tuple[Array, Array]:
    """Backward difference in units per second; missing at the first frame.

    Args:
      x: `[B, T, F]`.
      mask: `[B, T, F]`.
      fps: `[B]` frames per second.

    Returns:
      `[B, T, F]` values and mask.
    """
    observed = mask & jnp.pad(mask[:, :-1], ((0, 0), (1, 0), (0, 0)))
    previous = jnp.pad(x[:, :-1], ((0, 0), (1, 0), (0, 0)))
    return jnp.where(observed, (x - previous) * fps[:, None, None], 0.0), observed


def pairwise(x: Array, mask: Array) -> tuple[Array, Array]:
    """Mean absolute difference of each feature to the other observed features of its frame.

    Args:
      x: `[B, T, F]`, comparable units (z-scored).
      mask: `[B, T, F]`.

    Returns:
      `[B, T, F]` values and mask; missing where no other feature is observed.
    """
    gaps = jnp.abs(x[..., :, None] - x[..., None, :])  # [B, T, F, F], fused into the sum
    pairs = mask[..., :, None] & mask[..., None, :]
    others = pairs.sum(-1, dtype=x.dtype) - mask  # the pair with itself has a gap of 0
    observed = others > 0
    mean = jnp.where(pairs, gaps, 0.0).sum(-1) / jnp.maximum(others, 1.0)
    return jnp.where(observed, mean, 0.0), observed


def pack(x: Array, mask: Array, fps: Array, name: str) -> tuple[Array, Array]:
    """Stacks the channels of a feature pack.

    Args:
      x: `[B, T, F]`, z-scored.
      mask: `[B, T, F]`.
      fps: `[B]` frames per second.
      name: `off` (the values), `light` (+ velocity, acceleration and kinetic energy
        log(1 + v^2 / 2)), `full` (+ `pairwise`).

    Returns:
      `[B, T, F, C]` values and mask, C as in `PACKS`.
    """
    chex.assert_rank([x, mask, fps], [3, 3, 1])
    channels = [(x, mask)]
    if name != 'off':
        v, v_mask = velocity(x, mask, fps * _REFERENCE_SECONDS)
        channels += [
            (v, v_mask),
            velocity(v, v_mask, fps * _REFERENCE_SECONDS),
            (jnp.log1p(0.5 * v**2), v_mask),
        ]
    if name == 'full':
        channels.append(pairwise(x, mask))
    values, masks = zip(*channels, strict=True)
    return jnp.stack(values, axis=-1), jnp.stack(masks, axis=-1)


def grid_shape(num_features: int) -> tuple[int, int]:
    """Rows and columns of the smallest nearly square grid that holds every feature."""
    columns = 1
    while columns * columns < num_features:
        columns += 1
    return -(-num_features // columns), columns


def to_grid(x: Array, mask: Array) -> tuple[Array, Array]:
    """Lays features out row by row; the cells left over are filler and never observed.

    Args:
      x: `[B, T, F, C]`.
      mask: `[B, T, F, C]`.

    Returns:
      values `[B, T, H, W, C]` and mask `[B, T, H, W]`, True where the feature itself (channel 0)
      was observed.
    """
    batch, frames, features, channels = x.shape
    rows, columns = grid_shape(features)
    filler = rows * columns - features
    x = jnp.pad(x, ((0, 0), (0, 0), (0, filler), (0, 0)))
    observed = jnp.pad(mask[..., 0], ((0, 0), (0, 0), (0, filler)))
    return (
        x.reshape(batch, frames, rows, columns, channels),
        observed.reshape(batch, frames, rows, columns),
    )
