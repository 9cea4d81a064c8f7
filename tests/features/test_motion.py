import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.features import motion

RNG = np.random.default_rng(0)


def clips(batch=2, frames=9, features=5, missing=0.3):
    mask = RNG.random((batch, frames, features)) > missing
    return np.where(mask, RNG.normal(size=mask.shape), 0).astype(np.float32), mask


def test_smooth_averages_the_observed_frames_of_each_window():
    x, mask = clips()
    smoothed, smoothed_mask = motion.smooth(x, mask, 3)
    expected = np.zeros_like(x)
    for b, t, f in np.argwhere(mask):
        near = slice(max(t - 1, 0), t + 2)
        expected[b, t, f] = x[b, near, f][mask[b, near, f]].mean()
    np.testing.assert_allclose(smoothed, expected, atol=1e-6)
    np.testing.assert_array_equal(smoothed_mask, mask)


@pytest.mark.parametrize('fps', [25.0, 30.0])
def test_velocity_of_a_ramp_is_its_slope_per_second(fps):
    seconds = np.arange(8) / fps
    x = np.broadcast_to((3.0 * seconds)[None, :, None], (1, 8, 1)).astype(np.float32)
    v, mask = motion.velocity(x, np.ones_like(x, bool), jnp.array([fps]))
    np.testing.assert_allclose(v[0, 1:, 0], 3.0, rtol=1e-4)
    np.testing.assert_array_equal(mask[0, :, 0], [False] + [True] * 7)


def test_velocity_is_missing_on_both_sides_of_a_gap():
    x, mask = np.ones((1, 5, 1), np.float32), np.array([1, 1, 0, 1, 1], bool)[None, :, None]
    _, v_mask = motion.velocity(x * mask, mask, jnp.array([30.0]))
    np.testing.assert_array_equal(v_mask[0, :, 0], [False, True, False, False, True])


def test_pairwise_equals_the_plain_loop():
    x, mask = clips()
    values, observed = motion.pairwise(x, mask)
    for b, t, f in np.ndindex(x.shape):
        others = [abs(x[b, t, f] - x[b, t, g]) for g in range(5) if g != f and mask[b, t, g]]
        expected = np.mean(others) if mask[b, t, f] and others else 0.0
        np.testing.assert_allclose(values[b, t, f], expected, atol=1e-6)
        assert observed[b, t, f] == bool(mask[b, t, f] and others)


@pytest.mark.parametrize(('name', 'channels'), motion.PACKS.items())
def test_packs_have_their_channels_and_are_zero_where_missing(name, channels):
    x, mask = clips()
    packed, packed_mask = motion.pack(x, mask, jnp.array([30.0, 25.0]), name)
    assert packed.shape == (*x.shape, channels) == packed_mask.shape
    np.testing.assert_array_equal(packed[..., 0], x)
    assert not np.any(np.asarray(packed)[~np.asarray(packed_mask)])
    assert np.isfinite(packed).all()


@pytest.mark.parametrize(
    ('features', 'shape'), [(1, (1, 1)), (5, (2, 3)), (36, (6, 6)), (37, (6, 7)), (43, (7, 7))]
)
def test_grid_holds_every_feature_row_by_row_and_masks_filler(features, shape):
    assert motion.grid_shape(features) == shape
    x, mask = clips(features=features, missing=0.0)
    grid, observed = motion.to_grid(jnp.asarray(x)[..., None], jnp.asarray(mask)[..., None])
    assert grid.shape == (2, 9, *shape, 1)
    np.testing.assert_array_equal(grid.reshape(2, 9, -1)[..., :features], x)
    assert observed.sum() == mask.sum()
