"""Patch merging (Liu et al. 2021, Swin Transformer, section 3.1): neighbours become one token."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.models.layers import WEIGHT_INIT, LayerNorm, linear, pad_to_multiple
from posevid_jax.models.residual import NORM_EPSILON, Form, layer_norm
from posevid_jax.models.windows import Size, per_axis


class PatchMerging(nn.Module):
    """Halves the map: [B, T, H, W, C] -> [B, T / mt, H / mh, W / mw, 2C].

    Neighbours are concatenated, zeros where there is none, normalised and projected. Over space
    alone (`merge` (1, 2, 2)) the official order is (h0w0, h1w0, h0w1, h1w1), columns outermost;
    over time and space (2, 2, 2) the earlier system's is (t, h, w), columns innermost.

    Where the map is one token wide, a neighbour is missing everywhere. It is not laid out, and its
    part of the product is not computed: see `_project`.
    """

    merge: Size
    dtype: Any
    form: str = 'auto'  # of the norm

    @nn.compact
    def __call__(self, x: Array) -> Array:
        _, t, h, w, width = x.shape
        within = per_axis(min, self.merge, (t, h, w))
        x = pad_to_multiple(x, within)
        b, t, h, w, _ = x.shape
        mt, mh, mw = within
        x = x.reshape(b, t // mt, mt, h // mh, mh, w // mw, mw, width)
        columns_first = self.merge[0] == 1
        order = (0, 1, 3, 5, 2, 6, 4, 7) if columns_first else (0, 1, 3, 5, 2, 4, 6, 7)
        x = x.transpose(order)
        x = x.reshape(b, t // mt, h // mh, w // mw, mt * mh * mw * width)
        # The neighbours of a token as a grid, in the order in which they are joined.
        grid, box = self.merge, within
        if columns_first:
            grid, box = ((t, w, h) for t, h, w in (grid, box))
        size = math.prod(grid) * width
        scale, bias = LayerNorm(name='norm').parameters(size)
        kernel = _Kernel(2 * width, name='reduction')(size)
        if box == grid:
            form = Form(jnp.dtype(self.dtype), self.form != 'plain')
            return linear(layer_norm(x, scale, bias, form), kernel.astype(self.dtype))
        return _project(x, grid, box, scale, bias, kernel, self.dtype)


class _Kernel(nn.Module):
    features: int

    @nn.compact
    def __call__(self, width: int) -> Array:
        return self.param('kernel', WEIGHT_INIT, (width, self.features))


def _project(
    x: Array, grid: Size, box: Size, scale: Array, bias: Array, kernel: Array, dtype: Any
) -> Array:
    """Norm and product of `x` [..., n C], the neighbours in the first `box` of the `grid` of N > n.

    The others are zeros, -mean / deviation * scale + bias after the norm. With their rows K of the
    kernel they add -mean / deviation * (scale K) + bias K: one row times a number for each token,
    and one row.
    """
    width = x.shape[-1] // math.prod(box)
    size = math.prod(grid) * width
    missing = size - x.shape[-1]
    x = x.astype(jnp.float32)
    mean = x.sum(-1, keepdims=True) / size
    square = jnp.square(x - mean).sum(-1, keepdims=True) + missing * jnp.square(mean)
    inverse = jax.lax.rsqrt(square / size + NORM_EPSILON)

    def of_box(rows: Array) -> Array:
        inside = rows.reshape(*grid, width, -1)[: box[0], : box[1], : box[2]]
        return inside.reshape(-1, *rows.shape[1:])

    absent = np.ones(grid, np.float32)
    absent[: box[0], : box[1], : box[2]] = 0
    absent = np.repeat(absent.reshape(-1), width)
    unit = (x - mean) * inverse * of_box(scale) + of_box(bias)
    scale_row, bias_row = (jnp.stack([scale, bias]) * absent) @ kernel
    product = linear(unit.astype(dtype), of_box(kernel).astype(dtype))
    return product + (bias_row - mean * inverse * scale_row).astype(dtype)
