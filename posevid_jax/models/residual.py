"""The residual stream of a network: x, plus branches, each behind a norm of what came before.

A branch is added where it is next read, by the norm that reads it, so that a GPU adds, drops and
normalises in one kernel (`models/norm_kernels.py`). The sum and the norm carry a gradient of their
own: the same numbers as automatic differentiation, with less kept between the passes. It works on
rows, `[R, C]`: with more axes XLA's sums of products take about twice as long on a CPU
(docs/video_swin_speed.md).
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
      x: the sum so far.
      branch: or None; dropped already, but for its bias.
      drop: or None where the branch is there for every clip.
    """

    x: Array
    branch: Branch | None = None
    drop: Drop | None = None

    def sum(self) -> Array:
        """With the branch."""
        if self.branch is None:
            return self.x
        branch, bias = self.branch
        return self.x + branch if bias is None else _sum(self.x, branch, bias, self.drop)


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


def add_norm(stream: Stream, scale: Array, bias: Array, form: Form) -> tuple[Array, Array]:
    """The stream with its branch, and the layer norm of that."""
    branch, of_branch = stream.branch or (None, None)
    if branch is None or of_branch is None:
        x = stream.sum()
        return x, layer_norm(x, scale, bias, form)
    factors, row = (None, 0) if stream.drop is None else stream.drop
    given = _Added(stream.x, branch, of_branch, factors, scale, bias)
    return _add_norm(_Static(form, row), given)


def _sum(x: Array, branch: Array, bias: Array, drop: Drop | None) -> Array:
    bias = bias.astype(x.dtype)
    if drop is not None:
        bias = dropped(jnp.broadcast_to(bias, (x.shape[0], *(1,) * (x.ndim - 2), bias.size)), drop)
    return x + branch + bias  # in this order the product that makes the branch adds it to `x`


def _on_gpu(form: Form, cuda: Callable[..., Any], default: Callable[..., Any], *arrays: Any) -> Any:
    if not (form.kernels and nvidia.available()):
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
    x, mean, inverse, scale = saved
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
        found = _kernels().forward(x, None, None, scale, bias, NORM_EPSILON, form.dtype)
        _, y, mean, inverse = found
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


class _Added(NamedTuple):
    """What `add_norm` reads: the stream, a branch and its bias, factors, and the norm's own two."""

    x: Array
    branch: Array
    of_branch: Array
    factors: Array | None
    scale: Array
    bias: Array


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _add_norm(static: _Static, given: _Added) -> tuple[Array, Array]:
    x = _sum(given.x, given.branch, given.of_branch, _drop(given.factors, static.row))
    return x, _layer_norm(static.form, x, given.scale, given.bias)


_Saved = tuple[_Normal, Array | None]


def _add_norm_forward(static: _Static, given: _Added) -> tuple[tuple[Array, Array], _Saved]:
    def plain(given: _Added) -> tuple[Array, _Normal]:
        x = _sum(given.x, given.branch, given.of_branch, _drop(given.factors, static.row))
        return _normalise(_rows(x), given.scale, given.bias, static.form.dtype)

    def kernel(given: _Added) -> tuple[Array, _Normal]:
        branch = (_rows(given.branch), given.of_branch)
        x, y, mean, inverse = _kernels().forward(
            _rows(given.x), branch, _drop(given.factors, static.row), given.scale, given.bias,
            NORM_EPSILON, static.form.dtype,
        )  # fmt: skip
        return y, _Normal(x, mean, inverse, given.scale)

    y, saved = _on_gpu(static.form, kernel, plain, given)
    shape = given.x.shape
    return (saved.x.reshape(shape), y.reshape(shape)), (saved, given.factors)


def _add_norm_backward(
    static: _Static, saved: _Saved, gradients: tuple[Array, Array]
) -> tuple[_Added]:
    normal, factors = saved
    drop = _drop(factors, static.row)
    shape = gradients[0].shape

    def plain(normal: _Normal, g_stream: Array, g: Array) -> tuple[Array, ...]:
        dx, of_scale, of_bias = _normalise_backward(normal, _rows(g))
        dx = g_stream + dx.reshape(shape)
        of_branch = _rows(dropped(dx, drop)).sum(0, dtype=jnp.float32)
        return dx, of_scale, of_bias, of_branch

    def kernel(normal: _Normal, g_stream: Array, g: Array) -> tuple[Array, ...]:
        dx, sums = _kernels().backward(*normal, drop, _rows(g), _rows(g_stream))
        return dx.reshape(shape), *sums

    dx, of_scale, of_bias, of_branch = _on_gpu(static.form, kernel, plain, normal, *gradients)
    no = None if factors is None else jnp.zeros_like(factors)
    return (_Added(dx, dx, of_branch, no, of_scale, of_bias),)


_add_norm.defvjp(_add_norm_forward, _add_norm_backward)


def _drop(factors: Array | None, row: int) -> Drop | None:
    return None if factors is None else Drop(factors, row)


def _kernels() -> Any:
    from posevid_jax.models import norm_kernels  # Triton's half of Pallas takes a while to import

    return norm_kernels
