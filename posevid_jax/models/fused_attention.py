"""Attention that never writes its scores: cuDNN's, for large windows in bfloat16 on a GPU.

softmax(Q K^T / sqrt(d) + B) V of `[B, windows, N, heads, d]` in one kernel forward, and in one
backward (Dao et al. 2022, FlashAttention). One B `[heads, N, N]` serves all windows of all clips.
What differs between them, missing tokens and the regions that a shift brings together, is not added
to B, which would then be as large as the scores. It is a sum of products of one number of the query
and one of the key, and so more columns of Q and K: d = 32 becomes 40.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.models.windows import OTHER_REGION

# Added to the logits of a missing token; with the columns of the regions it stays exact enough.
_MISSING = -1e9
_COLUMNS = 8  # cuDNN takes multiples of 8


def fused(
    qkv: Array,
    bias: Array,
    seen: Array | None,
    signs: np.ndarray | None,
    implementation: str = 'cudnn',
) -> Array:
    """Attention of the tokens of each window to each other.

    Tokens of another region get -100 for each axis along which they are on the other side of the
    seam, where the plain form gives -100 once: either way nothing is left of them. Only what a
    missing token itself attends to may differ.

    Args:
      qkv: queries, keys and values `[B, windows, N, 3, heads, d]`.
      bias: added to the logits, `[1, heads, N, N]`.
      seen: `[B, windows, N]`, False for tokens that nobody attends to.
      signs: `[windows, N, 3]`, see `windows.region_signs`.
      implementation: `cudnn`, or `xla`, which gives the same numbers anywhere.

    Returns:
      `[B, windows, N, heads, d]` in the dtype of `qkv`.
    """
    b, w, n, _, heads, d = qkv.shape
    q, k, v = (qkv[:, :, :, i] for i in range(3))
    if seen is not None or signs is not None:
        q, k, v = _with_columns(q, k, v, seen, signs)
    q, k, v = (x.reshape(b * w, n, heads, -1) for x in (q, k, v))
    out = jax.nn.dot_product_attention(
        q, k, v, bias=bias.astype(qkv.dtype), scale=d**-0.5,
        implementation='cudnn' if implementation == 'cudnn' else 'xla',
    )  # fmt: skip
    return out[..., :d].reshape(b, w, n, heads, d)


def _with_columns(
    q: Array, k: Array, v: Array, seen: Array | None, signs: np.ndarray | None
) -> tuple[Array, Array, Array]:
    """Eight more columns: 1 x missing, sign x sign for each axis, and zeros."""
    b, w, n, heads, d = q.shape
    of_query = np.zeros((w, n, _COLUMNS), np.float32)
    of_query[..., 0] = 1
    if signs is not None:
        # sign x sign is 1 on one side of the seam and -1 across it, times the scale of the logits.
        of_query[..., 1:4] = signs * math.sqrt(-OTHER_REGION / 2 * math.sqrt(d))
    of_key = jnp.broadcast_to(jnp.asarray(of_query, q.dtype), (b, *of_query.shape))
    if seen is None:
        missing = jnp.zeros((b, w, n), q.dtype)
    else:
        missing = jnp.where(seen, 0, _MISSING).astype(q.dtype)
    of_key = jnp.concatenate([missing[..., None], of_key[..., 1:]], axis=-1)

    def widened(x: Array, columns: Array) -> Array:
        more = jnp.broadcast_to(columns[..., None, :], (b, w, n, heads, _COLUMNS))
        return jnp.concatenate([x, more.astype(x.dtype)], axis=-1)

    return (
        widened(q, jnp.asarray(of_query)),
        widened(k, of_key),
        widened(v, jnp.zeros((w, n, _COLUMNS))),
    )
