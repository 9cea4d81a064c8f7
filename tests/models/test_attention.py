"""Fused attention gives the numbers of the plain form, and is chosen where it should be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.models import attention, fused_attention, nvidia, windows

CLIPS, HEADS, WIDTH = 2, 2, 8
# Two windows along each axis but the last, all but the first with a seam.
PLAN = windows.plan_windows((4, 8, 4), (2, 4, 4), shifted=True, clamp=True)
REGIONS = attention.Regions(windows.region_mask(PLAN), windows.region_signs(PLAN))


def inputs(dtype):
    keys = jax.random.split(jax.random.key(0), 4)
    count, n = REGIONS.signs.shape[:2]
    qkv = jax.random.normal(keys[0], (CLIPS, count, n, 3, HEADS, WIDTH)).astype(dtype)
    bias = jax.random.normal(keys[1], (1, HEADS, n, n))
    seen = jax.random.bernoulli(keys[2], 0.7, (CLIPS, count, n))
    weight = jax.random.normal(keys[3], (CLIPS, count, n, HEADS, WIDTH))
    return qkv, bias, seen, weight


@pytest.mark.parametrize(('dtype', 'tolerance'), [('float32', 1e-5), ('bfloat16', 1e-2)])
@pytest.mark.parametrize(
    ('masked', 'regions'), [(True, REGIONS), (False, None)], ids=['shifted', 'whole']
)
def test_fused_attention_and_its_gradients_are_those_of_the_plain_form(
    dtype, tolerance, masked, regions
):
    qkv, bias, seen, weight = inputs(jnp.dtype(dtype))
    # What a missing token itself attends to is read by nobody.
    weight = jnp.where(seen[..., None, None], weight, 0) if masked else weight
    seen = seen if masked else None
    signs = None if regions is None else regions.signs

    def plain(qkv, bias):
        out = attention.attend(qkv, bias, seen, None, regions, 'plain')
        return (out * weight).sum(), jnp.where(weight, out, 0)

    def fused(qkv, bias):
        out = fused_attention.fused(qkv, bias, seen, signs, implementation='xla')
        return (out * weight).sum(), jnp.where(weight, out, 0)

    @jax.jit
    def both(qkv, bias):
        return [jax.value_and_grad(f, (0, 1), has_aux=True)(qkv, bias) for f in (plain, fused)]

    ((_, expected), expected_grads), ((_, found), found_grads) = both(qkv, bias)
    assert found.dtype == qkv.dtype
    for a, b in zip((expected, *expected_grads), (found, *found_grads), strict=True):
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        assert np.abs(a - b).max() < tolerance * np.abs(a).max()


def test_a_window_without_an_observed_token_gives_numbers():
    qkv, bias, seen, _ = inputs(jnp.bfloat16)
    out = fused_attention.fused(qkv, bias, seen.at[:, 0].set(False), REGIONS.signs, 'xla')
    assert np.isfinite(np.asarray(out, np.float32)).all()


@pytest.mark.parametrize(
    ('tokens', 'dtype', 'form', 'expected'),
    [
        (64, 'bfloat16', 'auto', True),
        (62, 'bfloat16', 'auto', False),
        (65, 'bfloat16', 'auto', False),  # cuDNN takes an even number
        (64, 'float32', 'auto', False),
        (64, 'bfloat16', 'plain', False),
        (62, 'bfloat16', 'fused', True),
        (62, 'float32', 'fused', False),
    ],
)
@pytest.mark.parametrize('available', [True, False])
def test_fused_attention_is_for_large_windows_in_bfloat16_on_a_gpu(
    tokens, dtype, form, expected, available, monkeypatch
):
    chosen = []
    monkeypatch.setattr(nvidia, 'available', lambda: available)
    monkeypatch.setattr(
        fused_attention, 'fused', lambda qkv, *_: chosen.append('cuda') or qkv[:, :, :, 0]
    )
    qkv, bias = jnp.zeros((1, 1, tokens, 3, 1, 8), dtype), jnp.zeros((1, 1, tokens, tokens))
    out = jax.eval_shape(lambda qkv: attention.attend(qkv, bias, form=form), qkv)
    assert bool(chosen) == (expected and available)
    assert (out.shape, out.dtype) == ((1, 1, tokens, 1, 8), qkv.dtype)
