"""Small parts of Video Swin: activation, norm, stochastic depth, MLP, patches and merging."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.models.windows import Size

WEIGHT_INIT = nn.initializers.truncated_normal(0.02)


def gelu(x: Array) -> Array:
    """Exact GELU, x * Phi(x) (Hendrycks and Gimpel 2016), any shape.

    Written with erf rather than erfc: the same value to float32 rounding, and half the cost.
    """
    return 0.5 * x * (1.0 + jax.lax.erf(x * math.sqrt(0.5)))


class LayerNorm(nn.Module):
    """Layer normalisation over the last axis in float32, epsilon 1e-5, output in `dtype`."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Array) -> Array:
        scale = self.param('scale', nn.initializers.ones, (x.shape[-1],))
        bias = self.param('bias', nn.initializers.zeros, (x.shape[-1],))
        x = x.astype(jnp.float32)
        centred = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centred).mean(-1, keepdims=True)
        return (centred * jax.lax.rsqrt(variance + 1e-5) * scale + bias).astype(self.dtype)


class StochasticDepth(nn.Module):
    """Drops a residual branch for a whole clip with probability `rate` (Huang et al. 2016).

    What survives is divided by the probability of surviving. Draws from the rng stream
    'dropout'.
    """

    rate: float

    @nn.compact
    def __call__(self, x: Array, *, train: bool) -> Array:
        if not train or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        kept = jax.random.bernoulli(self.make_rng('dropout'), keep, shape)
        return jnp.where(kept, x / keep, 0).astype(x.dtype)


class Mlp(nn.Module):
    """Linear, GELU, linear over the last axis, back to its width."""

    hidden: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(self, x: Array, *, train: bool) -> Array:
        width = x.shape[-1]
        x = nn.Dense(self.hidden, dtype=self.dtype, kernel_init=WEIGHT_INIT, name='fc1')(x)
        x = nn.Dropout(self.dropout)(gelu(x), deterministic=not train)
        x = nn.Dense(width, dtype=self.dtype, kernel_init=WEIGHT_INIT, name='fc2')(x)
        return nn.Dropout(self.dropout)(x, deterministic=not train)


def to_patches(x: Array, patch: Size) -> Array:
    """Stacks the cells of a patch in its channels: [B, T, H, W, C] -> [B, T', H', W', p * C].

    The order within a patch is (t, h, w, c). Sizes must be multiples of the patch.
    """
    b, t, h, w, c = x.shape
    pt, ph, pw = patch
    x = x.reshape(b, t // pt, pt, h // ph, ph, w // pw, pw, c)
    x = x.transpose(0, 1, 3, 5, 2, 4, 6, 7)  # [B, T', H', W', pt, ph, pw, C]
    return x.reshape(b, t // pt, h // ph, w // pw, pt * ph * pw * c)


def pad_to_multiple(x: Array, size: Size) -> Array:
    """Pads axes 1 to 3 at their end, with zeros (False), to multiples of `size`."""
    pad = [(0, 0)] * x.ndim
    for axis, n in enumerate(size, start=1):
        pad[axis] = (0, -x.shape[axis] % n)
    return jnp.pad(x, pad)


def crop_to_multiple(x: Array, size: Size) -> Array:
    """Drops what does not fill a patch at the end of axes 1 to 3."""
    t, h, w = (x.shape[axis] // n * n for axis, n in enumerate(size, start=1))
    return x[:, :t, :h, :w]


class PatchMerging(nn.Module):
    """Halves the map: [B, T, H, W, C] -> [B, T / mt, H / mh, W / mw, 2C].

    Neighbours are concatenated, normalised and projected. Over space alone (`merge` (1, 2, 2))
    the official order is (h0w0, h1w0, h0w1, h1w1), columns outermost; over time and space
    (2, 2, 2) the earlier system's is (t, h, w), columns innermost.
    """

    merge: Size
    dtype: Any

    @nn.compact
    def __call__(self, x: Array) -> Array:
        width = x.shape[-1]
        x = pad_to_multiple(x, self.merge)
        b, t, h, w, _ = x.shape
        mt, mh, mw = self.merge
        x = x.reshape(b, t // mt, mt, h // mh, mh, w // mw, mw, width)
        order = (0, 1, 3, 5, 2, 6, 4, 7) if mt == 1 else (0, 1, 3, 5, 2, 4, 6, 7)
        x = x.transpose(order)
        x = x.reshape(b, t // mt, h // mh, w // mw, mt * mh * mw * width)
        x = LayerNorm(self.dtype, name='norm')(x)
        return nn.Dense(
            2 * width, use_bias=False, dtype=self.dtype, kernel_init=WEIGHT_INIT, name='reduction'
        )(x)
