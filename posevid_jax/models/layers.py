"""Small parts of Video Swin: activation, linear map, norm, MLP, patches.

Two of them carry a gradient of their own: the same numbers as automatic differentiation, with
less kept between the passes and fewer passes over memory. They work on rows, `[R, C]`: with more
axes XLA's sums of products take about twice as long on a CPU (docs/video_swin_speed.md).
"""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.models.residual import Branch, Drop, Form, Stream, add_norm, dropped, layer_norm
from posevid_jax.models.windows import Size

WEIGHT_INIT = nn.initializers.truncated_normal(0.02)


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


class Dense(nn.Module):
    """Linear map of the last axis: parameters float32, computation in `dtype`."""

    features: int
    use_bias: bool = True
    dtype: Any = jnp.float32

    def __call__(self, x: Array) -> Array:
        """Maps `x` [..., C] to [..., features]."""
        x, bias = self.parts(x)
        return x if bias is None else x + bias.astype(self.dtype)

    @nn.compact
    def parts(self, x: Array) -> Branch:
        """The product and the bias `[features]`."""
        kernel = self.param('kernel', WEIGHT_INIT, (x.shape[-1], self.features))
        product = linear(x.astype(self.dtype), kernel.astype(self.dtype))
        if not self.use_bias:
            return product, None
        return product, self.param('bias', nn.initializers.zeros, (self.features,))


def branch_of(
    linear: Dense, dropout: nn.Dropout, x: Array, drop: Drop | None, *, train: bool
) -> Branch:
    """A linear map behind dropout as a branch that is dropped but for its bias.

    What is dropped is `x`, [B, ..., C], which comes to the same: the map of 0 is 0. The bias is
    apart, for who adds the branch, unless dropout comes between.
    """
    if not dropout.rate:
        return linear.parts(dropped(x, drop))
    return dropped(dropout(linear(x), deterministic=not train), drop), None


class LayerNorm(nn.Module):
    """Layer normalisation of the last axis, computed in float32, returned in `dtype`.

    Attributes:
      dtype: of the result.
      form: see `window_attention.attend_map`; with `plain` there is no kernel of ours.
    """

    dtype: Any = jnp.float32
    form: str = 'auto'

    def __call__(self, x: Array) -> Array:
        return layer_norm(x, *self.parameters(x.shape[-1]), self._form())

    def after(self, stream: Stream, drop: Drop | None) -> tuple[Stream, Array]:
        """A stream with its branch added, and the norm of that."""
        return add_norm(stream, drop, *self.parameters(stream.x.shape[-1]), self._form())

    def _form(self) -> Form:
        return Form(jnp.dtype(self.dtype), self.form != 'plain')

    @nn.compact
    def parameters(self, width: int) -> tuple[Array, Array]:
        """Scale and bias, [width] both."""
        return (
            self.param('scale', nn.initializers.ones, (width,)),
            self.param('bias', nn.initializers.zeros, (width,)),
        )


class Mlp(nn.Module):
    """Linear, GELU, linear over the last axis, back to its width: a branch, but for its bias."""

    hidden: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(self, x: Array, drop: Drop | None = None, *, train: bool) -> Branch:
        shape, width = x.shape, x.shape[-1]
        x = x.reshape(-1, width)
        x = Dense(self.hidden, dtype=self.dtype, name='fc1')(x)
        x = nn.Dropout(self.dropout)(gelu(x), deterministic=not train)
        x = x.reshape(*shape[:-1], -1)
        fc2 = Dense(width, dtype=self.dtype, name='fc2')
        return branch_of(fc2, nn.Dropout(self.dropout), x, drop, train=train)


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
