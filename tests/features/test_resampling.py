import jax
import numpy as np
import pytest

from posevid_jax.features.resampling import resample

spread = jax.jit(resample, static_argnums=2)


def clips(frames=11, missing=0.4, seed=0):
    rng = np.random.default_rng(seed)
    mask = rng.random((4, frames, 5)) >= missing
    return rng.normal(size=mask.shape).astype(np.float32), mask


@pytest.mark.parametrize('length', [1, 2, 7, 11, 40])
def test_each_feature_is_interpolated_over_the_frames_in_which_it_was_observed(length):
    x, mask = clips()
    mask[0, :3], mask[1, -2:] = False, False  # the stretch is shorter
    mask[2, :, 1] = False  # never
    mask[3, :, 2] = np.arange(11) == 5  # once
    values, found = map(np.asarray, spread(x, mask, length))
    assert values.shape == found.shape == (4, length, 5)
    for clip in range(4):
        frames = np.flatnonzero(mask[clip].any(-1))
        at = np.linspace(frames[0], frames[-1], length) if length > 1 else frames[:1]
        for f in range(5):
            seen = np.flatnonzero(mask[clip, :, f])
            assert (found[clip, :, f] == (seen.size > 0)).all()
            expected = np.interp(at, seen, x[clip, seen, f]) if seen.size else 0
            np.testing.assert_allclose(values[clip, :, f], expected, atol=1e-5)


@pytest.mark.parametrize('padding', [1, 5, 30])
def test_padding_changes_nothing(padding):
    x, mask = clips()
    expected = spread(x, mask, 8)
    wide = ((0, 0), (0, padding), (0, 0))
    padded = spread(np.pad(x, wide, constant_values=9), np.pad(mask, wide), 8)
    for one, other in zip(expected, padded, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_whole_clip_of_its_own_length_stays_as_it_is():
    x, _ = clips()
    values, mask = spread(x, np.ones(x.shape, bool), 11)
    np.testing.assert_allclose(values, x, atol=1e-6)
    assert np.asarray(mask).all()


def test_a_clip_without_any_observation_is_missing():
    x, mask = clips()
    mask[1] = False
    values, found = map(np.asarray, spread(x, mask, 6))
    assert not found[1].any() and not values[1].any()
    assert found[[0, 2, 3]].all()


def test_gradients_are_finite():
    x, mask = clips()
    mask[1] = False
    grad = jax.jit(jax.grad(lambda x: resample(x, mask, 6)[0].sum()))(x)
    assert np.isfinite(grad).all() and not np.asarray(grad)[~mask].any()
