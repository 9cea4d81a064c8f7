"""Attention within windows, once the projections are done: softmax(Q K^T / sqrt(d) + B) V.

There are three ways to the same numbers. Windows of many tokens are batched matrix products. In a
window of a few tokens such a product costs less than starting it, so each pair of tokens is a
product and a sum over the width of a head, which fuse into a handful of loops. And large windows on
a GPU are one kernel that never writes the scores (`models/fused_attention.py`).
"""

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.models import fused_attention, nvidia, windows

ExtraKey = tuple[Array, Array, Array]

FORMS = ('auto', 'plain', 'fused')

# Largest window attended pair by pair. Per block of the earlier system's network (2 tokens and the
# key of the padding), forward and backward on 2 CPU cores: 0.5 ms where products take 1.5 ms.
_FEW_TOKENS = 2
# Smallest window fused: below, scores are no larger than queries, keys and values (d = 32).
_MANY_TOKENS = 64


class Regions(NamedTuple):
    """What a shift brings together though it is apart on the map, in the two ways it is read.

    Attributes:
      mask: added to the logits, `[windows, N, N]`.
      signs: `[windows, N, 3]`, see `windows.region_signs`.
    """

    mask: np.ndarray
    signs: np.ndarray


def attend(
    qkv: Array,
    bias: Array,
    seen: Array | None = None,
    extra: ExtraKey | None = None,
    regions: Regions | None = None,
    form: str = 'auto',
) -> Array:
    """Attention of the tokens of each window to each other.

    Args:
      qkv: queries, keys and values `[B, windows, N, 3, heads, d]`.
      bias: added to the logits, `[1, heads, N, N]` float32.
      seen: `[B, windows, N]`, False for tokens that nobody attends to.
      extra: one more key and value that every query sees, `[heads, d]` both, and its bias
        `[heads, N]`.
      regions: which tokens of a window are no neighbours.
      form: `auto`; `plain`, which is never fused; `fused`, wherever cuDNN can.

    Returns:
      `[B, windows, N, heads, d]` in the dtype of `qkv`; softmax in float32.
    """

    def plain(qkv: Array, bias: Array, seen: Array | None) -> Array:
        if regions is not None:
            bias = bias + regions.mask[:, None]  # [windows, heads, N, N]
        form = _by_pairs if qkv.shape[2] <= _FEW_TOKENS else _by_products
        return form(qkv, bias, seen, extra)

    if extra is not None or not is_fused(qkv.shape[2], qkv.dtype, form):
        return plain(qkv, bias, seen)

    def fused(qkv: Array, bias: Array, seen: Array | None) -> Array:
        signs = None if regions is None else regions.signs
        return fused_attention.fused(qkv, bias, seen, signs)

    # Chosen where the program is made for a device, which need not be here.
    return jax.lax.platform_dependent(qkv, bias, seen, cuda=fused, default=plain)


def is_fused(tokens: int, dtype: Any, form: str) -> bool:
    """Whether a program for an NVIDIA GPU has fused attention: in even windows of bfloat16."""
    least = {'auto': _MANY_TOKENS, 'plain': math.inf, 'fused': 0}[form]
    fits = tokens >= least and tokens % 2 == 0 and dtype == jnp.bfloat16
    return fits and nvidia.available()


def _by_products(qkv: Array, bias: Array, seen: Array | None, extra: ExtraKey | None) -> Array:
    q, k, v = qkv[..., 0, :, :], qkv[..., 1, :, :], qkv[..., 2, :, :]  # [B, windows, N, heads, d]
    if extra is not None:
        key, value, weight = extra
        k, v = _append(k, key), _append(v, value)  # [B, windows, N + 1, heads, d]
        bias = jnp.concatenate([bias, weight[None, ..., None]], axis=-1)  # [1, heads, N, N + 1]
    logits = jnp.einsum(
        'bwqhd,bwkhd->bwhqk', q * q.shape[-1] ** -0.5, k, preferred_element_type=jnp.float32
    )
    logits = logits + bias
    if seen is not None:
        logits = jnp.where(seen[:, :, None, None], logits, windows.MISSING)
    weights = jax.nn.softmax(logits, axis=-1).astype(qkv.dtype)
    return jnp.einsum('bwhqk,bwkhd->bwqhd', weights, v)


def _append(x: Array, token: Array) -> Array:
    token = jnp.broadcast_to(token, (*x.shape[:2], 1, *x.shape[3:]))
    return jnp.concatenate([x, token], axis=2)


def _by_pairs(qkv: Array, bias: Array, seen: Array | None, extra: ExtraKey | None) -> Array:
    # Split, not indexed: the gradient is one concatenation, not a sum of as many padded arrays.
    tokens = range(qkv.shape[2])
    flat = qkv.reshape(*qkv.shape[:2], -1, *qkv.shape[4:])  # [B, windows, 3N, heads, d]
    parts = jax.lax.split(flat, [1] * flat.shape[2], axis=2)
    parts = [part[:, :, 0] for part in parts]  # [B, windows, heads, d] each
    queries, keys, values = (parts[i::3] for i in range(3))
    if extra is not None:
        keys.append(extra[0])
        values.append(extra[1])
    attended = []
    for i in tokens:
        query = queries[i] * qkv.shape[-1] ** -0.5
        logits = [(query * key).sum(-1, dtype=jnp.float32) for key in keys]  # [B, windows, heads]
        for j in tokens:
            logits[j] += bias[:, :, i, j]
            if seen is not None:
                logits[j] = jnp.where(seen[:, :, j, None], logits[j], windows.MISSING)
        if extra is not None:
            logits[-1] += extra[2][:, i]
        attended.append(_mix(logits, values))
    return jnp.stack(attended, axis=2)


def _mix(logits: Sequence[Array], values: Sequence[Array]) -> Array:
    """Values `[..., d]` weighted by the softmax over a list of logits `[...]`."""
    highest = jax.lax.stop_gradient(jnp.stack(logits).max(0))
    weights = [jnp.exp(logit - highest) for logit in logits]
    scale = 1.0 / sum(weights)
    weighted = [
        (weight * scale).astype(value.dtype)[..., None] * value
        for weight, value in zip(weights, values, strict=True)
    ]
    return functools.reduce(operator.add, weighted)
