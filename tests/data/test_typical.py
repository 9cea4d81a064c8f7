"""What is told of clips unlike those that a run knows."""

import dataclasses
import json

import numpy as np
import pytest

from posevid_jax.data import typical
from posevid_jax.data.synthetic import make_clips


@pytest.fixture(scope='module')
def clips():
    clips = make_clips(num_videos=4, clips_per_video=2, num_frames=8, seed=0)
    return dataclasses.replace(
        clips, fps=np.full(8, 30, np.float32), aspect=np.full(8, 16 / 9, np.float32)
    )


@pytest.fixture(scope='module')
def known(clips):
    return json.loads(json.dumps(typical.describe(clips)))  # as a run keeps it


def test_nothing_is_told_of_clips_like_those_known(clips, known):
    assert typical.unlike(known, clips) == []
    near = dataclasses.replace(clips, fps=clips.fps * 1.15, aspect=clips.aspect / 1.2)
    assert typical.unlike(known, near) == []


@pytest.mark.parametrize(
    'fps, rate', [(30, None), (29.97, None), (25.1, None), (24, 30), (36.1, 30), (10, 30)]
)
def test_a_rate_far_from_the_known_ones_is_made_the_middle_one(known, fps, rate):
    assert typical.typical_rate(known, fps) == rate


def test_any_rate_among_those_known_is_kept_and_another_made_the_most_usual(clips):
    mixed = dataclasses.replace(clips, fps=np.array([15] * 2 + [30] * 6, np.float32))
    assert typical.typical_rate(typical.describe(mixed), 20) is None
    assert typical.typical_rate(typical.describe(mixed), 5) == 30


@pytest.mark.parametrize(
    'change, told',
    [
        ({'fps': 10}, '10 frames a second, where it was trained on 30: prepare.resample_fps=30'),
        ({'aspect': 9 / 16}, 'pictures 0.56 times as wide as high, where it was trained on 1.78'),
    ],
)
def test_what_differs_is_told_with_its_figures(clips, known, change, told):
    other = {key: np.full(8, value, np.float32) for key, value in change.items()}
    (line,) = typical.unlike(known, dataclasses.replace(clips, **other))
    assert told in line


def test_more_missing_than_in_training_is_told(clips, known):
    mask = clips.skeleton_mask & (np.arange(8) % 2 > 0)[:, None]
    skeleton = np.where(mask[..., None], clips.skeleton, 0)
    fewer = dataclasses.replace(clips, skeleton=skeleton, skeleton_mask=mask)
    (line,) = typical.unlike(known, fewer)
    assert 'missing, where it was trained on' in line
