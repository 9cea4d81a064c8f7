import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.features import pooling
from posevid_jax.features.pooling import STATISTICS

OPTIONS = ('statistics', 'quantiles', 'thresholds', 'parts')
compute = jax.jit(pooling.pool, static_argnames=OPTIONS)
FRAMES = [1, 2, 8, 75]


def pool(x, mask, **what):
    """The values, once they are seen to be 0 where not observed."""
    values, known = map(np.asarray, compute(x, mask, **what))
    assert not values[~known].any()
    return values


def clips(frames):
    """Clips with ties, of which more and more is missing."""
    rng = np.random.default_rng(frames)
    x = rng.normal(size=(8, frames, 4)).astype(np.float32).round(1)
    return x, rng.random(x.shape) >= np.linspace(0, 1, 8)[:, None, None]


def numpys(name, x, mask, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # all-missing features give NaN there
        return np.nan_to_num(
            getattr(np, f'nan{name}')(np.where(mask, x, np.nan), *arguments, axis=1)
        )


@pytest.fixture(params=['written_out', 'reduced'])
def either_way(request, monkeypatch):
    if request.param == 'reduced':
        monkeypatch.setattr(pooling, '_WRITTEN_OUT', 0)


@pytest.mark.parametrize('frames', FRAMES)
def test_statistics_equal_numpys_nan_functions(frames):
    x, mask = clips(frames)
    expected = np.stack([numpys(name, x, mask) for name in STATISTICS], axis=1)
    np.testing.assert_allclose(pool(x, mask, statistics=tuple(STATISTICS)), expected, atol=1e-6)


@pytest.mark.usefixtures('either_way')
@pytest.mark.parametrize('frames', FRAMES)
def test_the_median_is_numpys_to_the_last_bit_and_quantiles_are_numpys(frames):
    x, mask = clips(frames)
    x[..., 0] *= 1e30  # every size of number, and zeros of both signs
    x[..., 1] *= 1e-30
    x[..., 2] *= 0
    quantiles = (0.5, 0.0, 0.1, 0.25, 0.9, 1.0)
    found = jax.jit(pooling.masked_quantiles, static_argnums=2)(x, mask, quantiles)
    expected = np.swapaxes(numpys('quantile', x, mask, quantiles), 0, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for column, name in ((0, 'median'), (1, 'min'), (5, 'max')):
        np.testing.assert_array_equal(found[:, column], numpys(name, x, mask))


def test_columns_come_in_the_order_asked_for():
    x, _ = clips(9)
    mask = np.ones_like(x, bool)
    pooled = pool(x, mask, statistics=('max', 'mean'), quantiles=(0.25,), thresholds=(0.0, 1.0))
    expected = [x.max(1), x.mean(1), np.quantile(x, 0.25, axis=1), (x < 0).mean(1), (x < 1).mean(1)]
    np.testing.assert_allclose(pooled, np.stack(expected, axis=1), atol=1e-6)


def test_shares_below_a_threshold_are_of_the_observed_frames():
    x = jnp.array([1.0, 2, 3, 4])[None, :, None]
    mask = jnp.array([True, True, False, True])[None, :, None]
    pooled = pool(x, mask, statistics=(), thresholds=(2.0, 2.5, 9.0))
    np.testing.assert_allclose(pooled[0, :, 0], [1 / 3, 2 / 3, 1])


def test_parts_are_means_of_stretches_one_after_the_other():
    x, mask = clips(8)
    pooled = pool(x, mask, statistics=('max',), parts=3)
    stretches = [numpys('mean', x[:, a:b], mask[:, a:b]) for a, b in ((0, 2), (2, 5), (5, 8))]
    np.testing.assert_allclose(pooled[:, 1:], np.stack(stretches, axis=1), atol=1e-6)
    short = pool(x[:, :1], mask[:, :1], statistics=('max',), parts=3)
    assert np.isfinite(short).all() and not short[:, 1:3].any()


def test_what_no_frame_tells_is_missing():
    x, mask = clips(9)
    mask[0], mask[1, :, 2], mask[2, :3] = True, False, False
    _, known = compute(x, mask, statistics=('mean', 'max'), parts=3)
    assert known[0].all() and not known[1, :, 2].any()
    np.testing.assert_array_equal(known[2, :, 0], [True, True, False, True, True])


def test_what_is_missing_is_not_read():
    x = jnp.full((1, 4, 1), jnp.nan).at[0, 2].set(3.0)
    mask = jnp.zeros((1, 4, 1), bool).at[0, 2].set(True)
    pooled = pool(x, mask, statistics=tuple(STATISTICS), quantiles=(0.1,), thresholds=(0.0, 4.0))
    np.testing.assert_array_equal(pooled[0, :, 0], [3, 0, 3, 3, 3, 3, 0, 1])


def test_order_of_the_frames_does_not_matter():
    x, mask = clips(12)
    options = {'statistics': tuple(STATISTICS), 'quantiles': (0.3,), 'thresholds': (0.1,)}
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_allclose(
        pool(x, mask, **options), pool(x[:, order], mask[:, order], **options), atol=1e-6
    )


def test_every_observed_frame_has_a_finite_gradient():
    x = jnp.ones((2, 5, 3)).at[0].set(jnp.arange(15.0).reshape(5, 3))  # one clip is constant
    mask = jnp.ones_like(x, bool).at[:, 1].set(False)
    weights = jax.random.normal(jax.random.key(0), (2, 5, 3))

    def weighted(x):
        return (weights * pooling.pool(x, mask, statistics=tuple(STATISTICS))[0]).sum()

    grad = jax.jit(jax.grad(weighted))(x)
    assert np.isfinite(grad).all()
    assert np.all((np.asarray(grad) != 0) == np.asarray(mask))


def test_the_gradient_of_a_quantile_goes_to_the_frames_it_lies_between():
    x = jnp.array([5.0, 1, 4, 2, 9])[None, :, None]
    mask = jnp.array([True, True, True, True, False])[None, :, None]
    grad = jax.grad(lambda x: pooling.masked_quantiles(x, mask, (0.5, 0.25)).sum())(x)
    # 0.5: half of 2, half of 4; 0.25: a quarter of 1, three quarters of 2.
    np.testing.assert_allclose(grad[0, :, 0], [0, 0.25, 0.5, 1.25, 0])
