"""Attention within small windows on a GPU: one kernel forward and one backward, scores unwritten.

A program has one head of one window in hand. It reads the window's tokens from where they are on
the map, shifted and padded, adds the projection's bias, and writes back to the map: nothing is
rolled, cut or transposed in memory. The backward kernel adds up what windows share, the gradients
of the position bias and of the projection's bias, over the windows of a program. Written in Pallas
for Triton; `interpret` gives the same numbers anywhere.
"""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu

from posevid_jax.models import windows

_LEAST = 16  # Triton multiplies no less than 16 x 16
_PROGRAMS = {16: 512, 32: 512, 64: 256, 128: 132}  # of the backward kernel, by padded tokens
_WARPS = {16: 1, 32: 2, 64: 4, 128: 8}


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def attend(
    plan: windows.WindowPlan,
    index: int,
    interpret: bool,
    product: Array,
    bias: Array,
    table: Array,
    seen: Array | None,
    factors: Array | None,
) -> Array:
    """Attention of the tokens of each window to each other.

    Args:
      plan: how the map is cut.
      index: the row of `factors`.
      interpret: run as plain JAX.
      product: queries, keys and values of the map, `[B, T, H, W, 3C]`, before their bias.
      bias: `[3C]`, which a padded token consists of.
      table: of the position bias, `[rows, heads]`.
      seen: `[B, T, H, W]`, False for tokens that nobody attends to; None for all, padding included.
      factors: `[S, B]`, by what the result is multiplied; None for 1.

    Returns:
      `[B, T, H, W, C]`.
    """
    return _forward(plan, index, interpret, product, bias, table, seen, factors)[0]


def _forward(plan: windows.WindowPlan, index: int, interpret: bool, *arrays: Any):
    product, _, table, seen, factors = arrays
    shape = _Shape.of(product, plan, table.shape[1], None if factors is None else index)
    out = pl.pallas_call(
        functools.partial(_forward_kernel, shape=shape, masked=seen is not None),
        out_shape=jax.ShapeDtypeStruct((shape.rows, shape.width), product.dtype),
        grid=(shape.pairs, shape.heads),
        name='window_attention_forward',
        **_parameters(shape, 2, interpret),
    )(*_inputs(plan, shape, *arrays))
    return out.reshape(*product.shape[:4], shape.width), arrays


def _backward(plan: windows.WindowPlan, index: int, interpret: bool, saved: Any, g: Array):
    product, bias, table, seen, factors = saved
    shape = _Shape.of(product, plan, table.shape[1], None if factors is None else index)
    chunks = min(shape.pairs, max(_PROGRAMS[shape.padded] // shape.heads, 1))
    n = shape.tokens
    of_product, of_scores, of_bias = pl.pallas_call(
        functools.partial(_backward_kernel, shape=shape, masked=seen is not None, chunks=chunks),
        out_shape=[
            jax.ShapeDtypeStruct((shape.rows, 3 * shape.width), product.dtype),
            jax.ShapeDtypeStruct((chunks, shape.heads, n, n), jnp.float32),
            jax.ShapeDtypeStruct((chunks, 3 * shape.width), jnp.float32),
        ],
        grid=(chunks, shape.heads),
        name='window_attention_backward',
        **_parameters(shape, 5, interpret),
    )(*_inputs(plan, shape, *saved), g.reshape(shape.rows, shape.width))
    inside, _ = windows.bias_indices(plan)
    of_table = jnp.zeros_like(table).at[inside].add(jnp.moveaxis(of_scores.sum(0), 0, -1))
    of_bias = of_bias.sum(0).astype(bias.dtype)
    no = None if factors is None else jnp.zeros_like(factors)
    return of_product.reshape(product.shape), of_bias, of_table, None, no


attend.defvjp(_forward, _backward)


class _Shape(NamedTuple):
    rows: int  # tokens of all clips
    width: int  # C
    heads: int
    head: int
    clip: int  # tokens of a clip's map
    cuts: int  # windows of a clip
    pairs: int  # windows of all clips
    tokens: int  # of a window
    padded: int  # the power of two that they are read as
    row: int | None  # of the branch among the factors

    @classmethod
    def of(
        cls, product: Array, plan: windows.WindowPlan, heads: int, index: int | None
    ) -> '_Shape':
        clips, width = product.shape[0], product.shape[-1] // 3
        clip, count = math.prod(plan.grid), math.prod(plan.counts)
        return cls(
            rows=clips * clip, width=width, heads=heads, head=width // heads, clip=clip,
            cuts=count, pairs=clips * count, tokens=plan.tokens,
            padded=max(pl.next_power_of_2(plan.tokens), _LEAST), row=index,
        )  # fmt: skip


def _parameters(shape: _Shape, products: int, interpret: bool) -> dict[str, Any]:
    if interpret:
        return {'interpret': True}
    flop = 2 * products * shape.pairs * shape.heads * shape.tokens**2 * shape.head
    return {
        'compiler_params': plgpu.CompilerParams(num_warps=_WARPS[shape.padded], num_stages=1),
        'metadata': {'flop': str(flop)},
    }


def _inputs(
    plan: windows.WindowPlan, shape: _Shape, product: Array, bias: Array, table: Array,
    seen: Array | None, factors: Array | None,
) -> list[Any]:  # fmt: skip
    """Arrays of a kernel: those of the map, and the constants of the plan, padded."""
    more = shape.padded - shape.tokens
    places = np.pad(windows.places(plan), ((0, 0), (0, more)), constant_values=-1)
    signs = windows.region_signs(plan)
    regions = np.zeros_like(places)
    if signs is not None:
        numbers = (signs > 0).astype(np.int32) @ np.array([1, 2, 4], np.int32)
        regions = np.pad(numbers, ((0, 0), (0, more)))
    inside = np.pad(windows.bias_indices(plan)[0], (0, more)).astype(np.int32)
    product = product.reshape(shape.rows, -1)
    given = [] if seen is None else [seen.reshape(-1).astype(jnp.int32)]
    given += [] if factors is None else [factors]
    constants = (places.astype(np.int32), regions.astype(np.int32), inside)
    return [product, bias.astype(product.dtype), table, *map(jnp.asarray, constants), *given]


class _Window(NamedTuple):
    """One head of one window, as the kernels read it."""

    rows: Array  # [N] of the map of all clips
    real: Array  # [N] whether a token is on the map
    query: Array  # [N, d], scaled
    key: Array
    value: Array
    weights: Array  # [N, N] float32, the softmax
    seen: Array | None  # [1, N]
    factor: Any  # of what is attended, or None


def _window(pair: Any, head: Any, refs: list[Any], shape: _Shape, masked: bool) -> _Window:
    product, bias, table, places, regions, inside, *more = refs
    clip, window = pair // shape.cuts, pair % shape.cuts
    order = jnp.arange(shape.padded)
    place = plgpu.load(places.at[jnp.full_like(order, window), order])
    real, live = place >= 0, order < shape.tokens
    rows = jnp.where(real, clip * shape.clip + place, shape.rows)

    def part(number: int) -> Array:
        columns = _columns(number, head, shape)
        found = plgpu.load(product.at[rows[:, None], columns[None]], mask=real[:, None], other=0)
        return found + plgpu.load(bias.at[columns])[None]

    query, key, value = part(0) * shape.head**-0.5, part(1), part(2)
    logits = _dot(query, key, trans_b=True)
    both = live[:, None] & live[None]
    index = plgpu.load(inside.at[order[:, None], order[None]])
    logits = logits + plgpu.load(table.at[index, jnp.full_like(index, head)], mask=both, other=0)
    if shape.cuts > 1:
        region = plgpu.load(regions.at[jnp.full_like(order, window), order])
        logits += jnp.where(region[:, None] == region[None], 0.0, windows.OTHER_REGION)
    seen = None
    if masked:
        seen = (plgpu.load(more[0].at[rows], mask=real, other=0) > 0)[None]
        logits = jnp.where(seen, logits, windows.MISSING)
    logits = jnp.where(live[None], logits, -jnp.inf)
    weights = jnp.exp(logits - logits.max(1, keepdims=True))
    weights = weights / weights.sum(1, keepdims=True)
    factor = None if shape.row is None else more[-1][shape.row, clip]
    return _Window(rows, real, query, key, value, weights, seen, factor)


def _forward_kernel(*refs: Any, shape: _Shape, masked: bool) -> None:
    *inputs, out = refs
    head = pl.program_id(1)
    each = _window(pl.program_id(0), head, inputs, shape, masked)
    attended = _dropped(_dot(each.weights.astype(each.value.dtype), each.value), each)
    columns = _columns(0, head, shape)
    plgpu.store(
        out.at[each.rows[:, None], columns[None]], attended.astype(out.dtype),
        mask=each.real[:, None],
    )  # fmt: skip


def _backward_kernel(*refs: Any, shape: _Shape, masked: bool, chunks: int) -> None:
    *inputs, g_ref, of_product, of_scores, of_bias = refs
    chunk, head = pl.program_id(0), pl.program_id(1)

    def of_window(turn: Any, sums: tuple[Array, ...]) -> tuple[Array, ...]:
        each = _window(chunk + turn * chunks, head, inputs, shape, masked)
        dtype = each.query.dtype
        where = (each.rows[:, None], _columns(0, head, shape)[None])
        g = plgpu.load(g_ref.at[where], mask=each.real[:, None], other=0)
        g = _dropped(g, each).astype(dtype)
        of_weights = _dot(g, each.value, trans_b=True)
        along = (of_weights * each.weights).sum(1, keepdims=True)
        scores = each.weights * (of_weights - along)
        if each.seen is not None:
            scores = jnp.where(each.seen, scores, 0.0)
        narrow = scores.astype(dtype)
        parts = (
            _dot(narrow, each.key) * shape.head**-0.5,
            _dot(narrow, each.query, trans_a=True),
            _dot(each.weights.astype(dtype), g, trans_a=True),
        )
        for number, part in enumerate(parts):
            at = of_product.at[each.rows[:, None], _columns(number, head, shape)[None]]
            plgpu.store(at, part.astype(dtype), mask=each.real[:, None])
        added = [total + part.sum(0) for total, part in zip(sums[1:], parts, strict=True)]
        return sums[0] + scores, *added

    zero = jnp.zeros((shape.head,), jnp.float32)
    sums = (jnp.zeros((shape.padded, shape.padded), jnp.float32), zero, zero, zero)
    turns = (shape.pairs - chunk + chunks - 1) // chunks
    scores, *biases = jax.lax.fori_loop(0, turns, of_window, sums)
    order = jnp.arange(shape.padded)
    live = order < shape.tokens
    at = (*(jnp.full((1, 1), n, jnp.int32) for n in (chunk, head)), order[:, None], order[None])
    plgpu.store(of_scores.at[at], scores, mask=live[:, None] & live[None])
    for number, each in enumerate(biases):
        columns = _columns(number, head, shape)
        plgpu.store(of_bias.at[jnp.full_like(columns, chunk), columns], each)


def _dropped(x: Array, window: _Window) -> Array:
    return x if window.factor is None else x * window.factor


def _dot(a: Array, b: Array, **transposed: bool) -> Array:
    """A product in float32, of TF32 where XLA's products on a GPU are: unless JAX is told more."""
    asked = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
    precision = None if asked else jax.lax.Precision.DEFAULT
    return plgpu.dot(a, b, precision=precision, **transposed)


def _columns(number: int, head: Any, shape: _Shape) -> Array:
    """Where queries, keys or values of a head are, `[d]`."""
    return number * shape.width + head * shape.head + jnp.arange(shape.head)
