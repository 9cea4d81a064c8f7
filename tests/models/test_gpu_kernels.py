"""Kernels for GPUs give the numbers and gradients of the plain forms, run as plain JAX on a CPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.models import (
    attention_kernels,
    norm_kernels,
    nvidia,
    residual,
    window_attention,
    windows,
)

CLIPS, EPSILON = 2, residual.NORM_EPSILON
FACTORS = jnp.array([[1.0, 1.0], [0.0, 1.5]])
TOLERANCE = {'float32': 1e-5, 'bfloat16': 2e-2}


def normal(seed, *shape, dtype=jnp.float32):
    return jax.random.normal(jax.random.key(seed), shape).astype(dtype)


def assert_close(found, expected, tolerance=1e-5):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        assert np.abs(a - b).max() < tolerance * np.abs(b).max()


@pytest.fixture
def interpreted(monkeypatch):
    """Programs for this CPU are made of the kernels, as if it were a GPU."""
    for module, name in (
        (norm_kernels, 'forward'), (norm_kernels, 'backward'), (attention_kernels, 'attend'),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, _interpreted(module, name))
    monkeypatch.setattr(nvidia, 'available', lambda: True)
    monkeypatch.setattr(jax.lax, 'platform_dependent', lambda *arrays, cuda, default: cuda(*arrays))


def _interpreted(module, name):
    function = getattr(module, name)
    if name == 'attend':
        return lambda plan, index, _, *arrays: function(plan, index, True, *arrays)
    return lambda *arguments: function(*arguments, interpret=True)


@pytest.mark.parametrize(('dtype', 'drop'), [('float32', 1), ('bfloat16', None)])
def test_sum_and_norm(dtype, drop, interpreted, monkeypatch):
    # Rows that fill no tile, and more tiles than programs.
    monkeypatch.setattr(norm_kernels, '_TILE', 32)
    monkeypatch.setattr(norm_kernels, '_PROGRAMS', 3)
    shape = (CLIPS, 3, 7, 6)
    x, branch, g, g_stream = (normal(seed, *shape, dtype=dtype) for seed in range(4))
    form = residual.Form(jnp.dtype(dtype), kernels=True)
    scale, bias, of_branch = (normal(seed, 6) for seed in range(4, 7))

    def loss(x, branch, of_branch, scale, bias):
        dropped = None if drop is None else residual.Drop(FACTORS, drop)
        stream, y = residual.add_norm(residual.Stream(x), dropped, scale, bias, form)
        for times in (1, 2):  # the second time there is an offset
            stream = stream._replace(branch=(branch * y, times * of_branch))
            stream, y = residual.add_norm(stream, dropped, scale, bias, form)
        x = stream._replace(branch=(branch, of_branch)).sum(dropped)
        y = residual.layer_norm(y, scale, bias, form)
        return (x * g_stream + y * g).astype(jnp.float32).sum(), (x, y)

    check(loss, (x, branch, of_branch, scale, bias), TOLERANCE[dtype], monkeypatch)


@pytest.mark.parametrize(
    ('grid', 'masked', 'drop', 'dtype'),
    [
        ((3, 5, 3), True, 1, 'float32'),  # padded, with seams
        ((2, 2, 4), False, None, 'bfloat16'),  # where padding takes part
    ],
)
def test_window_attention(grid, masked, drop, dtype, interpreted, monkeypatch):
    monkeypatch.setattr(attention_kernels, '_PROGRAMS', {16: 3, 32: 3})
    plan = windows.plan_windows(grid, (2, 3, 3), shifted=True, clamp=True)
    product = normal(0, CLIPS, *grid, 3 * 32, dtype=dtype)
    table = normal(1, int(np.prod(windows.table_shape(plan.window))), 2)
    bias, g = normal(2, 3 * 32), normal(3, CLIPS, *grid, 32)
    mask = None
    if masked:
        seen = jax.random.bernoulli(jax.random.key(4), 0.7, (CLIPS, *grid))
        mask = seen.at[1, 1:3, 1:4].set(False)  # a window in which nothing was observed

    def loss(product, bias, table):
        dropped = None if drop is None else residual.Drop(FACTORS, drop)
        out = window_attention.attend_map(product, bias, table, mask, dropped, plan, 'auto')
        return (out * g).sum(), out

    check(loss, (product, bias, table), TOLERANCE[dtype], monkeypatch)


def check(loss, arguments, tolerance, monkeypatch):
    """The loss through kernels against the loss on a CPU."""
    every = tuple(range(len(arguments)))
    both = [jax.jit(jax.value_and_grad(loss, every, has_aux=True))(*arguments)]
    monkeypatch.setattr(nvidia, 'available', lambda: False)
    both.append(jax.jit(jax.value_and_grad(loss, every, has_aux=True))(*arguments))
    ((_, found), found_grads), ((_, expected), expected_grads) = both
    assert_close(found, expected, tolerance)
    assert_close(found_grads, expected_grads, tolerance)


@pytest.mark.parametrize(
    ('window', 'channels', 'form', 'expected'),
    [
        ((2, 3, 3), 32, 'auto', True),
        ((2, 3, 3), 32, 'plain', False),
        ((2, 3, 3), 8, 'auto', False),  # heads are too narrow
        ((8, 7, 7), 32, 'auto', False),  # windows are too large
    ],
)
def test_kernels_are_for_small_windows(window, channels, form, expected, monkeypatch):
    chosen = []
    monkeypatch.setattr(nvidia, 'available', lambda: True)
    monkeypatch.setattr(
        attention_kernels, 'attend',
        lambda plan, index, interpret, product, *_: (
            chosen.append(plan) or product[..., : product.shape[-1] // 3]
        ),
    )  # fmt: skip
    plan = windows.plan_windows((8, 7, 7), window, shifted=False, clamp=True)
    table = jnp.zeros((int(np.prod(windows.table_shape(plan.window))), 1))
    product = jnp.zeros((1, 8, 7, 7, 3 * channels))
    jax.eval_shape(
        lambda product: window_attention.attend_map(product, None, table, None, None, plan, form),
        product,
    )
    assert bool(chosen) == expected
