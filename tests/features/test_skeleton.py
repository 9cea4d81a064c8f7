import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.features import skeleton

NAMES = ('nose', 'left_shoulder', 'right_shoulder', 'left_wrist', 'tail', 'right_wrist')
WHOLE_CLIP = 99


def batch(frames=6, seed=0):
    rng = np.random.default_rng(seed)
    places = rng.random((2, frames, len(NAMES), 4)).astype(np.float32)
    return {
        'skeleton': jnp.asarray(places),
        'skeleton_mask': jnp.ones((2, frames, len(NAMES)), bool),
        'aspect': jnp.array([1.0, 1.5]),
        'fps': jnp.array([30.0, 25.0]),
    }


def test_the_walk_keeps_every_joint_once_and_arms_whole():
    order = skeleton.walk(NAMES)
    assert [NAMES[j] for j in order] == [
        'right_wrist', 'right_shoulder', 'nose', 'left_shoulder', 'left_wrist', 'tail',
    ]  # fmt: skip


@pytest.mark.parametrize('names', [(), ('nose', 'left_shoulder')])
def test_a_skeleton_without_shoulders_is_refused(names):
    with pytest.raises(InputError, match='shoulder'):
        skeleton.walk(names)


def test_rows_do_not_change_with_the_place_or_the_size_of_the_person():
    clip = batch()
    moved = clip | {'skeleton': clip['skeleton'].at[..., :2].multiply(0.4).at[..., :2].add(0.3)}
    for a, b in zip(
        skeleton.rows(clip, NAMES, WHOLE_CLIP), skeleton.rows(moved, NAMES, WHOLE_CLIP), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=2e-4)


def test_aspect_is_undone():
    wide = batch()
    # The same scene in a picture twice as wide: x is half the fraction of it.
    half = wide | {
        'skeleton': wide['skeleton'] * jnp.array([0.5, 1, 1, 1]),
        'aspect': wide['aspect'] * 2,
    }
    np.testing.assert_allclose(
        skeleton.rows(wide, NAMES, WHOLE_CLIP)[0],
        skeleton.rows(half, NAMES, WHOLE_CLIP)[0],
        atol=1e-5,
    )


def test_a_frame_without_shoulders_is_missing_and_nothing_is_nan():
    clip = batch()
    mask = clip['skeleton_mask'].at[0, 2, 1].set(False).at[1].set(False)
    values, observed = skeleton.rows(clip | {'skeleton_mask': mask}, NAMES, WHOLE_CLIP)
    assert not observed[0, 2].any() and observed[0, 3].all() and not observed[1].any()
    assert np.isfinite(values).all()
    assert not np.asarray(values)[~np.asarray(observed)].any()
    channel = skeleton.CHANNELS.index('vx')
    assert not values[0, 3, :, 0, channel].any()  # nothing to differ from


def test_velocity_is_per_second():
    clip = batch()
    steady = clip['skeleton'].at[:].set(clip['skeleton'][:, :1])
    wrist = NAMES.index('left_wrist')
    seconds = jnp.arange(6)[None] / clip['fps'][:, None]
    steady = steady.at[:, :, wrist, 1].add(2.0 * seconds)
    values, _ = skeleton.rows(clip | {'skeleton': steady}, NAMES, WHOLE_CLIP)
    row = list(skeleton.walk(NAMES)).index(wrist)
    gap = (steady[:, 0, 1, :2] - steady[:, 0, 2, :2]) * jnp.array([[1.0, 1], [1.5, 1]])
    width = jnp.sqrt((gap**2).sum(-1))
    middle = steady[:, 0, 1:3, :2].mean(1)
    neck = (steady[:, 0, 0, :2] - middle) * jnp.array([[1.0, 1], [1.5, 1]])
    width = jnp.maximum(width, 1.45 * jnp.sqrt((neck**2).sum(-1)))
    vy = values[:, 1:, row, 0, skeleton.CHANNELS.index('vy')]
    np.testing.assert_allclose(vy, np.broadcast_to((2.0 / width)[:, None], vy.shape), rtol=1e-3)
