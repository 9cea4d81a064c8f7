"""The residual stream of a network: x, plus branches, each behind a norm of what came before.

A branch is added where it is next read, by the norm that reads it. The sum and the norm carry a
gradient of their own: the same numbers as automatic differentiation, with less kept between the
passes. It works on rows, `[R, C]`: with more axes XLA's sums of products take about twice as long
on a CPU (docs/video_swin_speed.md).

On a GPU the product that makes a branch adds it to the stream, which so is written once. What a
product cannot add is the branch's bias, dropped for some clips and not for others: the biases of
all branches so far stay apart, `[B, C]`, and each norm adds them to what it reads
(`models/norm_kernels.py`).
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.models import nvidia

NORM_EPSILON = 1e-5


class Drop(NamedTuple):
    """Which clips a branch is dropped for (Huang et al. 2016, stochastic depth).

    Attributes:
      factors: `[S, B]` of all branches that may be dropped, see `drop_factors`.
      row: of this branch.
    """

    factors: Array
    row: int


Branch = tuple[Array, Array | None]  # `[B, ..., C]` and its bias `[C]`, unless that is in it


class Stream(NamedTuple):
    """A sum `[B, ..., C]`, and a branch that has not been added yet.

    Attributes:
      x: the sum so far, but for `offset`.
      branch: or None; dropped already, but for its bias.
      offset: biases of branches that `x` has without them, `[B, C]` float32, or None. Its
        gradient is not asked for: a bias gets its own where its branch was added, from that of `x`.
    """

    x: Array
    branch: Branch | None = None
    offset: Array | None = None

    def sum(self, drop: Drop | None) -> Array:
        """All of it; the bias of the branch with `drop`, None where no clip drops it."""
        x, (branch, bias) = self.x, self.branch or (None, None)
        if branch is not None:
            x = x + branch  # before the biases, so that the product that makes the branch adds it
        if self.offset is not None:
            x = x + self.offset.astype(x.dtype).reshape(len(x), *(1,) * (x.ndim - 2), -1)
        if bias is not None:
            bias = bias.astype(x.dtype)
            if drop is not None:
                shape = (len(x), *(1,) * (x.ndim - 2), bias.size)
                bias = dropped(jnp.broadcast_to(bias, shape), drop)
            x = x + bias
        return x


def drop_factors(rng: Array, rates: np.ndarray, clips: int) -> Array:
    """What branches are multiplied by, `[len(rates), clips]`.

    A branch is 0 for a clip with the probability of its rate; what survives is divided by the
    probability of surviving. All are drawn at once.
    """
    keep = 1.0 - np.asarray(rates, np.float32)[:, None]
    kept = jax.random.bernoulli(rng, keep, (len(rates), clips))
    return jnp.where(kept, 1.0 / keep, 0.0)


def dropped(x: Array, drop: Drop | None) -> Array:
    """`x` [B, ..., C] times the factors of its clips."""
    if drop is None:
        return x
    factors = drop.factors[drop.row].reshape(-1, *(1,) * (x.ndim - 1))
    return (x * factors).astype(x.dtype)


class Form(NamedTuple):
    """How a norm is computed: the dtype of its result, and on NVIDIA GPUs by kernels of our own."""

    dtype: np.dtype[Any]
    kernels: bool


def layer_norm(x: Array, scale: Array, bias: Array, form: Form) -> Array:
    """Layer normalisation (Ba et al. 2016) of `x` [..., C], computed in float32."""
    return _layer_norm(form, x, scale, bias)


def add_norm(
    stream: Stream, drop: Drop | None, scale: Array, bias: Array, form: Form
) -> tuple[Stream, Array]:
    """The stream with its branch added, and the layer norm of that; see `Stream.sum`."""
    if stream.branch is None or stream.branch[1] is None:
        stream, drop = Stream(stream.sum(drop)), None
    factors, row = (None, 0) if drop is None else drop
    static = _Static(form, row, adds=stream.branch is not None)
    found: _Found = _add_norm(static, _Given(stream, factors, scale, bias))
    x, offset, y = found
    return Stream(x, None, offset), y


def _has_kernels(form: Form) -> bool:
    return form.kernels and nvidia.available()


def _on_gpu(form: Form, cuda: Callable[..., Any], default: Callable[..., Any], *arrays: Any) -> Any:
    if not _has_kernels(form):
        return default(*arrays)
    # Chosen where the program is made for a device, which need not be here.
    return jax.lax.platform_dependent(*arrays, cuda=cuda, default=default)


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


class _Normal(NamedTuple):
    """What the backward pass of a norm reads: rows `[R, C]`, of each `[R, 1]`, and scale `[C]`."""

    x: Array
    mean: Array
    inverse: Array  # of the deviation
    scale: Array
    offset: Array | None = None  # of the stream, where it is not in `x`


def _normalise(x: Array, scale: Array, bias: Array, dtype: Any) -> tuple[Array, _Normal]:
    """The norm of rows."""
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    variance = jnp.square(wide - mean).mean(-1, keepdims=True)
    inverse = jax.lax.rsqrt(variance + NORM_EPSILON)
    y = (wide - mean) * inverse * scale + bias
    return y.astype(dtype), _Normal(x, mean, inverse, scale)


def _normalise_backward(saved: _Normal, g: Array) -> tuple[Array, Array, Array]:
    """Gradients of rows, scale and bias."""
    x, mean, inverse, scale, _ = saved
    unit = (x.astype(jnp.float32) - mean) * inverse
    g = g.astype(jnp.float32)
    scaled = g * scale
    along = (scaled * unit).mean(-1, keepdims=True)
    dx = inverse * (scaled - scaled.mean(-1, keepdims=True) - unit * along)
    return dx.astype(x.dtype), (g * unit).sum(0), g.sum(0)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _layer_norm(form: Form, x: Array, scale: Array, bias: Array) -> Array:
    return _normalise(_rows(x), scale, bias, form.dtype)[0].reshape(x.shape)


def _layer_norm_forward(form: Form, x: Array, scale: Array, bias: Array) -> tuple[Array, _Normal]:
    def kernel(x: Array, scale: Array, bias: Array) -> tuple[Array, _Normal]:
        y, mean, inverse = _kernels().forward(x, None, scale, bias, NORM_EPSILON, form.dtype)
        return y, _Normal(x, mean, inverse, scale)

    plain = functools.partial(_normalise, dtype=form.dtype)
    y, saved = _on_gpu(form, kernel, plain, _rows(x), scale, bias)
    return y.reshape(x.shape), saved


def _layer_norm_backward(form: Form, saved: _Normal, g: Array) -> tuple[Array, Array, Array]:
    def kernel(saved: _Normal, g: Array) -> tuple[Array, Array, Array]:
        dx, (of_scale, of_bias, _) = _kernels().backward(*saved, None, g, None)
        return dx, of_scale, of_bias

    dx, *of_norm = _on_gpu(form, kernel, _normalise_backward, saved, _rows(g))
    return dx.reshape(g.shape), *of_norm


_layer_norm.defvjp(_layer_norm_forward, _layer_norm_backward)


class _Static(NamedTuple):
    form: Form
    row: int  # of the factors
    adds: bool  # whether there is a branch


class _Given(NamedTuple):
    """What `add_norm` reads: the stream, factors of its branch, and the norm's own two."""

    stream: Stream
    factors: Array | None
    scale: Array
    bias: Array


_Found = tuple[Array, Array | None, Array]  # the sum, its offset, and the norm


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _add_norm(static: _Static, given: _Given) -> _Found:
    x = given.stream.sum(_drop(given.factors, static.row))
    offset = _no_offset(static, given.stream)
    return x, offset, _layer_norm(static.form, x, given.scale, given.bias)


_Saved = tuple[_Normal, Array | None]


def _add_norm_forward(static: _Static, given: _Given) -> tuple[_Found, _Saved]:
    def plain(given: _Given) -> tuple[Array, _Normal]:
        x = given.stream.sum(_drop(given.factors, static.row))
        y, normal = _normalise(_rows(x), given.scale, given.bias, static.form.dtype)
        return y, normal._replace(offset=_no_offset(static, given.stream))

    def kernel(given: _Given) -> tuple[Array, _Normal]:
        x, offset = _without_biases(given.stream, _drop(given.factors, static.row))
        y, mean, inverse = _kernels().forward(
            x, offset, given.scale, given.bias, NORM_EPSILON, static.form.dtype
        )
        return y, _Normal(x, mean, inverse, given.scale, offset)

    y, normal = _on_gpu(static.form, kernel, plain, given)
    shape = given.stream.x.shape
    return (normal.x.reshape(shape), normal.offset, y.reshape(shape)), (normal, given.factors)


def _add_norm_backward(static: _Static, saved: _Saved, gradients: _Found) -> tuple[Any]:
    normal, factors = saved
    g_stream, _, g = gradients  # for the offset see `Stream`
    drop = _drop(factors, static.row)
    shape = g.shape

    def plain(normal: _Normal, g_stream: Array, g: Array) -> tuple[Array, ...]:
        dx, of_scale, of_bias = _normalise_backward(normal, _rows(g))
        dx = g_stream + dx.reshape(shape)
        of_branch = _rows(dropped(dx, drop)).sum(0, dtype=jnp.float32)
        return dx, of_scale, of_bias, of_branch

    def kernel(normal: _Normal, g_stream: Array, g: Array) -> tuple[Array, ...]:
        dx, sums = _kernels().backward(*normal, drop, _rows(g), _rows(g_stream))
        return dx.reshape(shape), *sums

    dx, of_scale, of_bias, of_branch = _on_gpu(static.form, kernel, plain, normal, g_stream, g)
    stream = Stream(dx, (dx, of_branch) if static.adds else None)
    return (_Given(stream, None, of_scale, of_bias),)


_add_norm.defvjp(_add_norm_forward, _add_norm_backward)


def _without_biases(stream: Stream, drop: Drop | None) -> tuple[Array, Array | None]:
    """The stream's rows with its branch, and what is then left to add."""
    branch, bias = stream.branch or (None, None)
    if branch is None or bias is None:
        return _rows(stream.x), stream.offset
    factors = jnp.ones(len(branch)) if drop is None else drop.factors[drop.row]
    offset = factors[:, None] * bias  # [B, C]
    if stream.offset is not None:
        offset = stream.offset + offset
    return _rows(stream.x) + _rows(branch), offset


def _no_offset(static: _Static, stream: Stream) -> Array | None:
    """Of a sum that leaves nothing out: zeros where there is an offset on a GPU."""
    if not (static.adds and _has_kernels(static.form)):
        return None
    return jnp.zeros((len(stream.x), stream.x.shape[-1]))


def _drop(factors: Array | None, row: int) -> Drop | None:
    return None if factors is None else Drop(factors, row)


def _kernels() -> Any:
    from posevid_jax.models import norm_kernels  # Triton's half of Pallas takes a while to import

    return norm_kernels
