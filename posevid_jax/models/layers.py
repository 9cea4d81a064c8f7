"""Small parts of Video Swin: activation, linear map, norm, stochastic depth, MLP, patches.

Three of them carry a gradient of their own: the same numbers as automatic differentiation, with
less kept between the passes and fewer passes over memory. They work on rows, `[R, C]`: with more
axes XLA's sums of products take about twice as long on a CPU (docs/video_swin_speed.md).
"""

import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.models.windows import Size

WEIGHT_INIT = nn.initializers.truncated_normal(0.02)
NORM_EPSILON = 1e-5


@jax.custom_vjp
def gelu(x: Array) -> Array:
    """Exact GELU, x * Phi(x) (Hendrycks and Gimpel 2016), any shape.

    The backward pass computes the slope Phi(x) + x * phi(x) anew, so `x` is all that is kept.
    """
    return 0.5 * x * (1.0 + jax.lax.erf(x * math.sqrt(0.5)))


def _gelu_backward(x: Array, g: Array) -> tuple[Array]:
    x = jax.lax.optimization_barrier(x)  # or XLA keeps the forward pass's erf after all
    below = 0.5 * (1.0 + jax.lax.erf(x * math.sqrt(0.5)))
    density = jnp.exp(-0.5 * x * x) * (1.0 / math.sqrt(2.0 * math.pi))
    return (g * (below + x * density),)


gelu.defvjp(lambda x: (gelu(x), x), _gelu_backward)


@jax.custom_vjp
def linear(x: Array, kernel: Array) -> Array:
    """`x` [..., C] times `kernel` [C, D]."""
    y = x.reshape(-1, x.shape[-1]) @ kernel
    return y.reshape(*x.shape[:-1], kernel.shape[-1])


def _linear_backward(saved: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    x, kernel = saved
    # Otherwise XLA fuses all that produced `g` into the transposed copy that the kernel's
    # gradient reads, and walks it against its memory order: a sixth of a step on a CPU.
    g = jax.lax.optimization_barrier(g.reshape(-1, g.shape[-1]))
    rows = x.reshape(-1, x.shape[-1])  # [R, C]
    return (g @ kernel.T).reshape(x.shape), rows.T @ g


linear.defvjp(lambda x, kernel: (linear(x, kernel), (x, kernel)), _linear_backward)


@jax.custom_vjp
def layer_norm(x: Array, scale: Array, bias: Array) -> Array:
    """Layer normalisation (Ba et al. 2016) of `x` [..., C] in float32, epsilon 1e-5."""
    return _layer_norm_forward(x, scale, bias)[0]


def _layer_norm_forward(x: Array, scale: Array, bias: Array):
    shape = x.shape
    x = x.reshape(-1, shape[-1])
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    variance = jnp.square(wide - mean).mean(-1, keepdims=True)
    inverse = jax.lax.rsqrt(variance + NORM_EPSILON)
    y = (wide - mean) * inverse * scale + bias
    return y.reshape(shape), (x, mean, inverse, scale)


def _layer_norm_backward(saved: tuple[Array, ...], g: Array) -> tuple[Array, Array, Array]:
    x, mean, inverse, scale = saved
    if x.dtype != jnp.float32:
        # Or XLA's GPU compiler computes the mean anew, and writes out float32 on the way.
        mean, inverse = jax.lax.optimization_barrier((mean, inverse))
    shape = g.shape
    g = g.reshape(x.shape)
    unit = (x.astype(jnp.float32) - mean) * inverse
    scaled = g * scale
    along = (scaled * unit).mean(-1, keepdims=True)
    dx = inverse * (scaled - scaled.mean(-1, keepdims=True) - unit * along)
    dx = dx.astype(x.dtype)
    if x.dtype != jnp.float32:
        dx = jax.lax.optimization_barrier(dx)  # or XLA keeps it in float32 until it is added
    return dx.reshape(shape), *_column_sums(g * unit, g)


def _column_sums(a: Array, b: Array) -> tuple[Array, Array]:
    """Sums of `a` and `b` [R, C] over the rows, `[C]` both.

    On a GPU, where a sum over rows takes two kernels, of both at once.
    """

    def at_once(a: Array, b: Array) -> tuple[Array, Array]:
        zero = jnp.zeros((), a.dtype)
        return jax.lax.reduce(
            (a, b), (zero, zero), lambda x, y: (x[0] + y[0], x[1] + y[1]), dimensions=(0,)
        )

    def apart(a: Array, b: Array) -> tuple[Array, Array]:
        return a.sum(0), b.sum(0)

    return jax.lax.platform_dependent(a, b, cuda=at_once, default=apart)


layer_norm.defvjp(_layer_norm_forward, _layer_norm_backward)


class Dense(nn.Module):
    """Linear map of the last axis: parameters float32, computation in `dtype`."""

    features: int
    use_bias: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Array, place: Callable[[Array], Array] = lambda x: x) -> Array:
        """Maps `x` [..., C] to [..., features].

        `place` moves and pads the rows between product and bias, where zeros still stand for zeros
        of `x` and cost no product.
        """
        kernel = self.param('kernel', WEIGHT_INIT, (x.shape[-1], self.features))
        x = place(linear(x.astype(self.dtype), kernel.astype(self.dtype)))
        if self.use_bias:
            bias = self.param('bias', nn.initializers.zeros, (self.features,))
            x = x + bias.astype(self.dtype)
        return x


class LayerNorm(nn.Module):
    """Layer normalisation of the last axis, computed in float32, returned in `dtype`."""

    dtype: Any = jnp.float32

    def __call__(self, x: Array) -> Array:
        return layer_norm(x, *self.parameters(x.shape[-1])).astype(self.dtype)

    @nn.compact
    def parameters(self, width: int) -> tuple[Array, Array]:
        """Scale and bias, [width] both."""
        return (
            self.param('scale', nn.initializers.ones, (width,)),
            self.param('bias', nn.initializers.zeros, (width,)),
        )


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
        shape, width = x.shape, x.shape[-1]
        x = x.reshape(-1, width)
        x = Dense(self.hidden, dtype=self.dtype, name='fc1')(x)
        x = nn.Dropout(self.dropout)(gelu(x), deterministic=not train)
        x = Dense(width, dtype=self.dtype, name='fc2')(x)
        return nn.Dropout(self.dropout)(x, deterministic=not train).reshape(shape)


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
