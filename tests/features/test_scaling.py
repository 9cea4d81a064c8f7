import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.features.scaling import Scaler, fit_scaler, zscore

RNG = np.random.default_rng(0)
MASK = RNG.random((8, 20, 3)) > 0.3
X = np.where(MASK, RNG.normal([5, -2, 0], [3, 0.1, 1], size=MASK.shape), 0).astype(np.float32)


def scaled(kind, batch=None, scaler=None, clip_at=1e9):
    scaler = scaler or Scaler(center=np.zeros(3, np.float32), scale=np.ones(3, np.float32))
    batch = {'features': jnp.asarray(X), 'mask': jnp.asarray(MASK)} | (batch or {})
    values, mask = zscore(batch, scaler, kind=kind, clip_at=clip_at)
    np.testing.assert_array_equal(mask, batch['mask'])
    assert not np.any(np.asarray(values)[~np.asarray(mask)])
    return np.asarray(values)


def test_global_gives_mean_0_and_deviation_1_over_observed_values():
    values = scaled('global', scaler=fit_scaler(X, MASK))
    for f in range(3):
        observed = values[..., f][MASK[..., f]]
        np.testing.assert_allclose([observed.mean(), observed.std()], [0, 1], atol=1e-4)


def test_robust_takes_no_notice_of_a_tracker_that_jumps():
    jumping = X.copy()
    jumping[:, ::20] = np.where(MASK[:, ::20], 1e6, 0)  # a frame in 20
    scaler = fit_scaler(jumping, MASK, 'robust')
    for f in range(3):
        low, middle, high = np.quantile(X[..., f][MASK[..., f]], (0.1, 0.5, 0.9))
        np.testing.assert_allclose(scaler.center[f], middle, atol=0.1 * (high - low))
        np.testing.assert_allclose(scaler.scale[f], (high - low) / 2.563, rtol=0.2)


def test_ranks_are_the_shares_of_the_training_values_below():
    scaler = fit_scaler(X, MASK, 'rank')
    values = scaled('global', scaler=scaler)
    for f in range(3):
        ours, theirs = values[..., f][MASK[..., f]], X[..., f][MASK[..., f]]
        below = (theirs[:, None] > theirs).mean(1)
        np.testing.assert_allclose(ours, (below - 0.5) * 12**0.5, atol=0.2)
    ends = {'features': jnp.array([[[-1e9] * 3, [1e9] * 3]]), 'mask': jnp.ones((1, 2, 3), bool)}
    np.testing.assert_allclose(
        scaled('global', ends, scaler)[0, :, 0], [-(3**0.5), 3**0.5], rtol=1e-6
    )


def test_ranks_of_equal_values_are_equal_and_keep_their_place():
    x = np.array([0, 0, 0, 0, 0, 1, 1, 2], np.float32)[None, :, None]
    mask = np.ones_like(x, bool)
    batch = {'features': jnp.asarray(x), 'mask': jnp.asarray(mask)}
    found = scaled('global', batch, fit_scaler(x, mask, 'rank'))[0, :, 0]
    assert len(set(found[:5])) == len(set(found[5:7])) == 1
    assert found[0] < found[5] < found[7]
    x = x + np.float32(3**0.5)  # or rounding may do nothing to 0 and 1
    scaler = fit_scaler(x, mask, 'rank')
    exact, *rounded = (
        scaled('global', batch | {'features': jnp.asarray(x * np.float32(1 + 2e-7 * way))}, scaler)
        for way in (0, -1, 1)
    )
    for other in rounded:
        np.testing.assert_allclose(other, exact, atol=0.02)


def test_per_clip_is_the_same_whatever_the_clips_offset_and_scale():
    moved = {'features': jnp.asarray(np.where(MASK, 7 * X - 3, 0))}
    np.testing.assert_allclose(scaled('per_clip', moved), scaled('per_clip'), atol=1e-3)


def test_per_video_uses_the_statistics_that_ride_along():
    ride = {'video_mean': jnp.full((8, 3), 2.0), 'video_std': jnp.full((8, 3), 4.0)}
    np.testing.assert_allclose(scaled('per_video', ride), np.where(MASK, (X - 2) / 4, 0), rtol=1e-6)


def test_none_leaves_units_alone_and_the_others_clip():
    np.testing.assert_array_equal(scaled('none', clip_at=0.5), X)
    assert np.abs(scaled('per_clip', clip_at=0.5)).max() == 0.5


@pytest.mark.parametrize('kind', ['per_clip', 'global'])
def test_a_constant_or_unseen_feature_stays_finite(kind):
    x, mask = np.full((2, 4, 2), 3, np.float32), np.ones((2, 4, 2), bool)
    mask[..., 1] = False
    batch = {'features': jnp.asarray(x * mask), 'mask': jnp.asarray(mask)}
    assert not scaled(kind, batch, fit_scaler(x * mask, mask)).any()
