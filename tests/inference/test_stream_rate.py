"""Frames at one rate from frames at another, against numpy's interpolation."""

import numpy as np
import pytest

from posevid_jax.inference.stream_rate import StreamRate


def stream(given, fps, came, max_gap=0.5):
    """What comes out after each frame that came."""
    rate = StreamRate(given, fps, max_gap)
    return rate, [list(rate.push(frame)) for frame in came]


def frames(count):
    return np.random.default_rng(0).normal(size=(count, 3, 4)).astype(np.float32)


@pytest.mark.parametrize('given, fps', [(10, 30), (12.5, 30), (60, 25), (30, 29.97)])
def test_frames_lie_on_the_line_between_those_that_came(given, fps):
    came = frames(40)
    _, each = stream(given, fps, came)
    made = np.array([frame for made in each for frame in made])
    assert len(made) == int(np.floor(39 / given * fps + 1e-9)) + 1  # none is of the future
    seconds = np.arange(len(made)) / fps
    flat = came.reshape(40, -1)
    expected = [np.interp(seconds, np.arange(40) / given, flat[:, k]) for k in range(12)]
    np.testing.assert_allclose(made.reshape(len(made), -1).T, expected, atol=1e-5)


def test_at_the_same_rate_each_frame_passes_as_it_is():
    came = frames(9)
    came[4, 1] = np.nan  # what is missing hides no frame beside it
    _, each = stream(30, 30, came)
    assert [len(made) for made in each] == [1] * 9
    np.testing.assert_array_equal([made[0] for made in each], came)


def test_what_lies_between_frames_too_far_apart_is_missing():
    _, each = stream(2, 8, frames(3), max_gap=0.4)
    made = np.array([frame for made in each for frame in made])
    missing = np.isnan(made).all(axis=(1, 2))
    assert missing.tolist() == [False, True, True, True, False, True, True, True, False]


def test_a_joint_that_one_side_misses_is_missing_between():
    came = frames(2)
    came[1, 2] = np.nan
    _, each = stream(10, 30, came)
    between = np.array(each[1][:2])
    assert np.isnan(between[:, 2]).all() and np.isfinite(between[:, :2]).all()


def test_a_frame_that_was_made_is_told_as_the_one_that_came_then():
    rate, _ = stream(10, 30, frames(2))
    assert [rate.frame(made) for made in (0, 3, 4, 30)] == [0, 1, 1, 10]
