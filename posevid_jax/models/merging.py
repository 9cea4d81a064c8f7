"""Patch merging (Liu et al. 2021, Swin Transformer, section 3.1): neighbours become one token."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.models.layers import (
    NORM_EPSILON,
    WEIGHT_INIT,
    LayerNorm,
    layer_norm,
    linear,
    pad_to_multiple,
)
from posevid_jax.models.windows import Size


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

    @nn.compact
    def __call__(self, x: Array) -> Array:
        width = x.shape[-1]
        within = tuple(min(m, n) for m, n in zip(self.merge, x.shape[1:4], strict=True))
        x = pad_to_multiple(x, within)
        b, t, h, w, _ = x.shape
        mt, mh, mw = within
        x = x.reshape(b, t // mt, mt, h // mh, mh, w // mw, mw, width)
        columns_first = self.merge[0] == 1
        order = (0, 1, 3, 5, 2, 6, 4, 7) if columns_first else (0, 1, 3, 5, 2, 4, 6, 7)
        x = x.transpose(order)
        x = x.reshape(b, t // mt, h // mh, w // mw, mt * mh * mw * width)
        present = np.zeros(self.merge, bool)
        present[:mt, :mh, :mw] = True
        present = (present.swapaxes(1, 2) if columns_first else present).reshape(-1)
        size = math.prod(self.merge) * width
        scale, bias = LayerNorm(name='norm').parameters(size)
        kernel = _Kernel(2 * width, name='reduction')(size)
        if present.all():
            return linear(layer_norm(x, scale, bias).astype(self.dtype), kernel.astype(self.dtype))
        return _project(x, present, scale, bias, kernel, self.dtype)


class _Kernel(nn.Module):
    features: int

    @nn.compact
    def __call__(self, width: int) -> Array:
        return self.param('kernel', WEIGHT_INIT, (width, self.features))


def _project(
    x: Array, present: np.ndarray, scale: Array, bias: Array, kernel: Array, dtype: Any
) -> Array:
    """Norm and product of `x` [..., n C], the neighbours that are `present` of [N], n < N.

    The others are zeros, -mean / deviation * scale + bias after the norm. With their rows K of the
    kernel they add -mean / deviation * (scale K) + bias K: one row times a number for each token,
    and one row.
    """
    missing = len(present) * x.shape[-1] // present.sum() - x.shape[-1]
    x = x.astype(jnp.float32)
    size = x.shape[-1] + missing
    mean = x.sum(-1, keepdims=True) / size
    square = jnp.square(x - mean).sum(-1, keepdims=True) + missing * jnp.square(mean)
    inverse = jax.lax.rsqrt(square / size + NORM_EPSILON)
    scales, biases, kernels = (jnp.split(each, len(present)) for each in (scale, bias, kernel))

    def of_present(parts: list[Array]) -> Array:
        return jnp.concatenate([part for part, there in zip(parts, present, strict=True) if there])

    unit = (x - mean) * inverse * of_present(scales) + of_present(biases)
    scale_row, bias_row = sum(
        jnp.stack([s, b]) @ k
        for s, b, k, there in zip(scales, biases, kernels, present, strict=True)
        if not there
    )
    product = linear(unit.astype(dtype), of_present(kernels).astype(dtype))
    return product + (bias_row - mean * inverse * scale_row).astype(dtype)
