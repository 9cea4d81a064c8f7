"""Layer normalisation of a residual stream on a GPU: one kernel forward and one backward.

XLA makes about five kernels of a norm, and two of each column sum of its gradient. Here the
backward kernel adds up the columns of the rows that it reads anyway, a few rows of sums for each
program, and XLA adds up these. Written in Pallas for Triton; `interpret` gives the same numbers
anywhere.
"""

import functools
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu

_TILE = 4096  # numbers that a program has in hand at once, of each array
_PROGRAMS = 128  # at most, of the backward kernel: so many rows of sums are left to add up


class Drop(Protocol):
    """See `residual.Drop`."""

    @property
    def factors(self) -> Array: ...
    @property
    def row(self) -> int: ...


def forward(
    x: Array,
    offset: Array | None,
    scale: Array,
    bias: Array,
    epsilon: float,
    dtype: Any,
    *,
    interpret: bool = False,
) -> tuple[Array, Array, Array]:
    """The norm of a stream.

    Args:
      x: `[R, C]`, the tokens of one clip after those of another.
      offset: what is added to those of each clip, `[B, C]`.
      scale, bias: of the norm, `[C]`.
      epsilon: added to the variance.
      dtype: of the norm.
      interpret: run as plain JAX.

    Returns:
      the norm, and mean and 1 / deviation `[R, 1]`.
    """
    shape = _Shape.of(x, offset)
    column = jax.ShapeDtypeStruct((x.shape[0], 1), jnp.float32)
    return pl.pallas_call(
        functools.partial(_forward, shape=shape, epsilon=epsilon),
        out_shape=(jax.ShapeDtypeStruct(x.shape, dtype), column, column),
        grid=(pl.cdiv(x.shape[0], shape.tile),),
        name='add_norm_forward',
        **_parameters(interpret),
    )(x, offset, scale, bias)


def backward(
    x: Array,
    mean: Array,
    inverse: Array,
    scale: Array,
    offset: Array | None,
    drop: Drop | None,
    g: Array,
    g_stream: Array | None,
    *,
    interpret: bool = False,
) -> tuple[Array, Array]:
    """The gradient of the stream and of the branch `[R, C]`, and sums `[3, C]`.

    Args:
      x, offset, scale: of the forward pass.
      mean, inverse: what it found.
      drop: for which clips `offset` is without the bias of the last branch.
      g: of the norm.
      g_stream: of the stream; None where nothing else reads it.
      interpret: run as plain JAX.

    Returns:
      the one for both, and the gradients of scale, bias and the branch's bias.
    """
    shape = _Shape.of(x, offset, drop)
    programs = min(pl.cdiv(x.shape[0], shape.tile), _PROGRAMS)
    rows = jax.ShapeDtypeStruct(x.shape, x.dtype)
    sums = jax.ShapeDtypeStruct((programs, 3, x.shape[1]), jnp.float32)
    dx, sums = pl.pallas_call(
        functools.partial(_backward, shape=shape, programs=programs),
        out_shape=[rows, sums],
        grid=(programs,),
        name='add_norm_backward',
        **_parameters(interpret),
    )(x, mean, inverse, scale, offset, None if drop is None else drop.factors, g, g_stream)
    return dx, sums.sum(0)


class _Shape(NamedTuple):
    rows: int
    width: int
    padded: int  # the power of two that a row is read as
    tile: int  # rows that a program has in hand
    clip: int  # rows of a clip
    row: int  # of the branch among the factors

    @classmethod
    def of(cls, x: Array, offset: Array | None, drop: Drop | None = None) -> '_Shape':
        rows, width = x.shape
        padded = pl.next_power_of_2(width)
        clips = 1 if offset is None else len(offset)
        row = 0 if drop is None else drop.row
        return cls(rows, width, padded, max(_TILE // padded, 1), rows // clips, row)


def _parameters(interpret: bool) -> dict[str, Any]:
    if interpret:
        return {'interpret': True}
    return {'compiler_params': plgpu.CompilerParams(num_warps=4, num_stages=1)}


class _Tile(NamedTuple):
    """Where the rows of a program are, and which of its numbers are any."""

    rows: Array  # [tile]
    columns: Array  # [padded]
    live: Array  # [tile]
    inside: Array  # [tile, padded]


def _tile(number: Any, shape: _Shape) -> _Tile:
    rows = number * shape.tile + jnp.arange(shape.tile)
    columns = jnp.arange(shape.padded)
    live = rows < shape.rows
    return _Tile(rows, columns, live, live[:, None] & (columns < shape.width)[None])


def _read(ref: Any, at: _Tile) -> Array:
    found = plgpu.load(ref.at[at.rows[:, None], at.columns[None]], mask=at.inside, other=0)
    return found.astype(jnp.float32)


def _read_stream(ref: Any, offset: Any | None, at: _Tile, shape: _Shape) -> Array:
    x = _read(ref, at)
    if offset is None:
        return x
    where = offset.at[at.rows[:, None] // shape.clip, at.columns[None]]
    return x + plgpu.load(where, mask=at.inside, other=0)


def _read_row(ref: Any, at: _Tile, shape: _Shape) -> Array:
    live = at.columns < shape.width
    return plgpu.load(ref.at[at.columns], mask=live, other=0).astype(jnp.float32)[None]


def _read_column(ref: Any, at: _Tile) -> Array:
    first = jnp.zeros_like(at.rows)
    return plgpu.load(ref.at[at.rows, first], mask=at.live, other=0)[:, None]


def _write(ref: Any, at: _Tile, value: Array) -> None:
    plgpu.store(ref.at[at.rows[:, None], at.columns[None]], value.astype(ref.dtype), mask=at.inside)


def _dropped(x: Array, factors: Any | None, at: _Tile, shape: _Shape) -> Array:
    """`x` times the factor of its clip."""
    if factors is None:
        return x
    clip = at.rows // shape.clip
    where = factors.at[jnp.full_like(clip, shape.row), clip]
    factor = plgpu.load(where, mask=at.live, other=0)[:, None]
    return x * factor


def _forward(
    x_ref: Any, offset_ref: Any, scale_ref: Any, bias_ref: Any,
    y_ref: Any, mean_ref: Any, inverse_ref: Any, *, shape: _Shape, epsilon: float,
) -> None:  # fmt: skip
    at = _tile(pl.program_id(0), shape)
    x = _read_stream(x_ref, offset_ref, at, shape)
    mean = jnp.where(at.inside, x, 0.0).sum(1, keepdims=True) / shape.width
    apart = jnp.where(at.inside, x - mean, 0.0)
    inverse = jax.lax.rsqrt((apart * apart).sum(1, keepdims=True) / shape.width + epsilon)
    y = apart * inverse * _read_row(scale_ref, at, shape) + _read_row(bias_ref, at, shape)
    _write(y_ref, at, y)
    first = jnp.zeros_like(at.rows)
    plgpu.store(mean_ref.at[at.rows, first], mean[:, 0], mask=at.live)
    plgpu.store(inverse_ref.at[at.rows, first], inverse[:, 0], mask=at.live)


def _backward(
    x_ref: Any, mean_ref: Any, inverse_ref: Any, scale_ref: Any, offset_ref: Any, factors: Any,
    g_ref: Any, g_stream: Any, dx_ref: Any, sums_ref: Any, *, shape: _Shape, programs: int,
) -> None:  # fmt: skip
    program = pl.program_id(0)
    zero = jnp.zeros((shape.padded,), jnp.float32)

    def of_tile(turn: Any, sums: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        at = _tile(program + turn * programs, shape)
        x, g = _read_stream(x_ref, offset_ref, at, shape), _read(g_ref, at)
        inverse = _read_column(inverse_ref, at)
        unit = jnp.where(at.inside, (x - _read_column(mean_ref, at)) * inverse, 0.0)
        scaled = g * _read_row(scale_ref, at, shape)
        along = (scaled * unit).sum(1, keepdims=True) / shape.width
        mean = scaled.sum(1, keepdims=True) / shape.width
        dx = inverse * (scaled - mean - unit * along)
        if g_stream is not None:
            dx = dx + _read(g_stream, at)
        _write(dx_ref, at, dx)
        of_branch = jnp.where(at.inside, _dropped(dx, factors, at, shape), 0.0).sum(0)
        return sums[0] + (g * unit).sum(0), sums[1] + g.sum(0), sums[2] + of_branch

    tiles = pl.cdiv(shape.rows, shape.tile)
    sums = jax.lax.fori_loop(0, pl.cdiv(tiles, programs), of_tile, (zero, zero, zero))
    columns = jnp.arange(shape.padded)
    for number, each in enumerate(sums):
        plgpu.store(
            sums_ref.at[jnp.full_like(columns, program), jnp.full_like(columns, number), columns],
            each,
            mask=columns < shape.width,
        )
