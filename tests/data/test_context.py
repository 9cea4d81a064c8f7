"""The frames around clips against a video that is known as a whole."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.context import context
from posevid_jax.errors import InputError

T, AROUND = 6, 4


def make(start, **columns):
    """Clips of two videos of 30 frames, cut at `start`; and the videos, NaN where missing."""
    rng = np.random.default_rng(0)
    videos = rng.random((2, 30, 3, 4)).astype(np.float32)
    videos[rng.random((2, 30, 3)) < 0.2] = np.nan
    of_video = np.arange(len(start)) % 2
    cuts = np.stack([videos[v, s : s + T] for v, s in zip(of_video, start, strict=True)])
    clips = from_arrays(
        source='toy', features=np.zeros((len(start), T, 0)), label=np.arange(len(start)) % 2,
        skeleton=cuts, start_frame=np.array(start), video_id=[str(v) for v in of_video], **columns,
    )  # fmt: skip
    return clips, videos, of_video


def test_context_is_what_other_clips_of_the_video_hold():
    start = [0, 2, 5, 2, 18, 11]
    clips, videos, of_video = make(start)
    held = np.zeros((2, 30), bool)
    for v, s in zip(of_video, start, strict=True):
        held[v, s : s + T] = True
    skeleton, mask = context(clips, AROUND)
    for row, (v, s) in enumerate(zip(of_video, start, strict=True)):
        frames = [*range(s - AROUND, s), *range(s + T, s + T + AROUND)]
        for place, frame in enumerate(frames):
            known = 0 <= frame < 30 and held[v, frame]
            expected = videos[v, frame] if known else np.full((3, 4), np.nan)
            np.testing.assert_array_equal(mask[row, place], np.isfinite(expected).all(-1))
            np.testing.assert_array_equal(skeleton[row, place], np.nan_to_num(expected))


def test_an_archives_own_context_is_cut_to_size():
    own = np.arange(2 * 10 * 3 * 4, dtype=np.float32).reshape(2, 10, 3, 4)
    clips, *_ = make([0, 0], context_skeleton=own)
    skeleton, mask = context(clips, AROUND)
    np.testing.assert_array_equal(skeleton, own[:, 1:9])
    assert mask.all()
    with pytest.raises(InputError, match=r'context_skeleton: found 5 frames.*expected the 6'):
        context(clips, 6)


def test_clips_that_do_not_say_where_they_start_have_no_context():
    clips, *_ = make([0, 0, 3, 3])
    unknown = dataclasses.replace(clips, start_frame=np.full(4, -1, np.int32))
    with pytest.raises(InputError, match='start_frame: found clips without it'):
        context(unknown, AROUND)
