"""Attention within the windows of a map, from the product with the projection to the map again.

On CPUs, and in windows that are large or legacy, tokens are moved into windows, attended
(`models/attention.py`) and moved back. Small windows on a GPU are one kernel that reads them where
they are (`models/attention_kernels.py`).
"""

import jax
import jax.numpy as jnp
from jax import Array

from posevid_jax.models import nvidia, windows
from posevid_jax.models.attention import Regions, attend, is_fused
from posevid_jax.models.residual import Drop, dropped

# What the kernels hold in registers: the scores of a window, and a head of each of its tokens.
_MOST_TOKENS = 128
_HEADS = (16, 32)


def attend_map(
    product: Array,
    bias: Array | None,
    table: Array,
    mask: Array | None,
    drop: Drop | None,
    plan: windows.WindowPlan,
    form: str,
) -> Array:
    """Attention of the tokens of each window to each other.

    Args:
      product: queries, keys and values of the map, `[B, T, H, W, 3C]`, before their bias.
      bias: `[3C]`, or None.
      table: of the position bias, `[rows, heads]` float32.
      mask: `[B, T, H, W]`, tokens that were observed; others and padding are not attended to. None
        for a network in which padding takes part.
      drop: for which clips the result is 0, and by what it makes up for that.
      plan: how the map is cut into windows.
      form: see `attention.attend`; with `plain` never a kernel either.

    Returns:
      `[B, T, H, W, C]`, in the dtype of `product`.
    """
    factors, row = (None, 0) if drop is None else drop

    def plain(
        product: Array, bias: Array | None, table: Array, mask: Array | None, factors: Array | None
    ) -> Array:
        attended = _plain(product, bias, table, mask, plan, form)
        return attended if factors is None else dropped(attended, Drop(factors, row))

    arrays = (product, bias, table, mask, factors)
    if not _is_kernel(plan, product, table.shape[1], mask is not None, form):
        return plain(*arrays)

    def kernel(product: Array, bias: Array | None, *more: Array | None) -> Array:
        from posevid_jax.models import attention_kernels  # Triton's half takes a while to import

        bias = jnp.zeros(product.shape[-1:]) if bias is None else bias
        return attention_kernels.attend(plan, row, False, product, bias, *more)

    # Chosen where the program is made for a device, which need not be here.
    return jax.lax.platform_dependent(*arrays, cuda=kernel, default=plain)


def _is_kernel(
    plan: windows.WindowPlan, product: Array, heads: int, masked: bool, form: str
) -> bool:
    """Whether a program for an NVIDIA GPU has a kernel for windows of such a size."""
    tokens, head = plan.tokens, product.shape[-1] // 3 // heads
    if form == 'plain' or is_fused(tokens, product.dtype, form) or not nvidia.available():
        return False
    _, outside = windows.bias_indices(plan)
    return (masked or not outside.size) and tokens <= _MOST_TOKENS and head in _HEADS


def _plain(
    product: Array, bias: Array | None, table: Array, mask: Array | None,
    plan: windows.WindowPlan, form: str,
) -> Array:  # fmt: skip
    width, heads = product.shape[-1] // 3, table.shape[1]
    shape = (3, heads, width // heads)
    x = windows.partition(product, plan)  # [B, windows, N, 3C]
    if bias is not None:
        bias = bias.astype(x.dtype)
        x = x + bias
    qkv = x.reshape(*x.shape[:3], *shape)  # [B, windows, N, 3, heads, d]
    inside, outside = windows.bias_indices(plan)
    scores = jnp.moveaxis(table[inside], -1, 0)[None]  # [1, heads, N, N]
    extra = seen = None
    if mask is not None:
        seen = windows.partition(mask[..., None], plan)[..., 0]  # [B, windows, N]
    elif outside.size:
        zero = jnp.zeros(product.shape[-1:], x.dtype) if bias is None else bias
        _, key, value = zero.reshape(shape)  # of zeros, the projection's biases
        extra = (key, value, jax.nn.logsumexp(table[outside], axis=1).T)  # [heads, N]
    across, signs = windows.region_mask(plan), windows.region_signs(plan)
    regions = None if across is None or signs is None else Regions(across, signs)
    x = attend(qkv, scores, seen, extra, regions, form)
    return windows.merge_windows(x.reshape(*x.shape[:3], width), plan)  # [B, T, H, W, C]
