import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.features.pooling import STATISTICS, masked_statistics


@pytest.mark.parametrize('frames', [1, 2, 7, 8, 75])
def test_statistics_equal_numpys_nan_functions(frames):
    rng = np.random.default_rng(frames)
    x = rng.normal(size=(6, frames, 4)).astype(np.float32)
    mask = rng.random(x.shape) > 0.4
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # all-missing features give NaN there
        holes = np.where(mask, x, np.nan)
        expected = np.stack(
            [getattr(np, f'nan{name}')(holes, axis=1) for name in STATISTICS], axis=1
        )
    np.testing.assert_allclose(masked_statistics(x, mask), np.nan_to_num(expected), atol=1e-6)


def test_what_is_missing_is_not_read():
    x = jnp.full((1, 4, 1), jnp.nan).at[0, 2].set(3.0)
    mask = jnp.zeros((1, 4, 1), bool).at[0, 2].set(True)
    np.testing.assert_array_equal(masked_statistics(x, mask)[0, :, 0], [3, 0, 3, 3, 3])


def test_every_observed_frame_has_a_finite_gradient():
    x = jnp.ones((2, 5, 3)).at[0].set(jnp.arange(15.0).reshape(5, 3))  # one clip is constant
    mask = jnp.ones_like(x, bool).at[:, 1].set(False)
    weights = jax.random.normal(jax.random.key(0), (2, 5, 3))
    grad = jax.grad(lambda x: (weights * masked_statistics(x, mask)).sum())(x)
    assert np.isfinite(grad).all()
    assert np.all((np.asarray(grad) != 0) == np.asarray(mask))
