"""Splits keep groups whole, are repeatable, and hold both classes wherever that is possible."""

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.splits import Sides, sides, split_by_video
from posevid_jax.errors import InputError


def clips_of(video, label, group=None):
    return from_arrays(
        source='toy', features=np.zeros((len(video), 2, 1)), label=np.array(label),
        video_id=[str(v) for v in video], group_id=group,
    )  # fmt: skip


def random_clips(seed: int, videos: int):
    rng = np.random.default_rng(seed)
    video = np.repeat(np.arange(videos), rng.integers(1, 20, videos))
    return clips_of(video, rng.random(len(video)) < rng.random(videos)[video])


@pytest.mark.parametrize('seed', range(5))
def test_whole_videos_every_clip_once_near_the_wanted_share(seed):
    clips = random_clips(seed, videos=40)
    train, val = split_by_video(clips, 0.25, seed)
    assert not set(clips.video[train]) & set(clips.video[val])
    np.testing.assert_array_equal(np.sort(np.concatenate([train, val])), np.arange(len(clips)))
    for c in (0, 1):
        total = (clips.label == c).sum()
        assert abs((clips.label[val] == c).sum() / total - 0.25) < 0.06


def test_seed_decides():
    clips = random_clips(0, videos=40)
    assert np.array_equal(split_by_video(clips, 0.2, 3)[1], split_by_video(clips, 0.2, 3)[1])
    assert not np.array_equal(split_by_video(clips, 0.2, 3)[1], split_by_video(clips, 0.2, 4)[1])


@pytest.mark.parametrize('seed', range(8))
def test_both_classes_on_both_sides_when_two_videos_have_each(seed):
    clips = clips_of(range(12), [1, 1] + [0] * 10)
    for rows in split_by_video(clips, 0.1, seed):
        assert set(clips.label[rows]) == {0, 1}


@pytest.mark.parametrize('fraction', [0.01, 0.99])
def test_no_side_is_empty(fraction):
    train, val = split_by_video(clips_of([0, 0, 1, 1], [0, 1, 0, 1]), fraction, 0)
    assert len(train) == len(val) == 2


def test_groups_of_videos_stay_together():
    clips = clips_of([0, 1, 2, 3], [0, 1, 0, 1], group=['x', 'x', 'y', 'y'])
    train, val = split_by_video(clips, 0.5, 0)
    assert {tuple(train), tuple(val)} == {(0, 1), (2, 3)}


@pytest.mark.parametrize('seed', range(4))
def test_videos_of_an_earlier_split_stay_on_their_side_with_their_group(seed):
    clips = random_clips(seed, videos=60)
    old = clips.select(np.flatnonzero(clips.video < 20))
    before = sides(*(old.select(rows) for rows in split_by_video(old, 0.5, seed)))
    now = sides(*map(clips.select, split_by_video(clips, 0.25, seed + 1, before)))
    assert before.train < now.train and before.val < now.val
    for c in (0, 1):  # with the new ones on the other side, the whole still comes near the share
        of_class = np.isin(clips.video_ids, list(now.val))[clips.label == c]
        assert abs(of_class.mean() - 0.25) < 0.06
    grouped = clips_of([0, 1, 2, 3], [0, 1, 0, 1], group=['x', 'x', 'y', 'y'])
    for side in (Sides(train=frozenset('0')), Sides(val=frozenset('2'))):
        train, _ = split_by_video(grouped, 0.5, seed, side)
        assert tuple(train) == (0, 1)
    with pytest.raises(InputError, match='toy: videos 0, 1 belong together, but an earlier split'):
        split_by_video(grouped, 0.5, seed, Sides(frozenset('0'), frozenset('1')))
    with pytest.raises(InputError, match=r'all 4 videos stay .* none to validate on'):
        split_by_video(grouped, 0.5, seed, Sides(train=frozenset('02')))


@pytest.mark.parametrize(
    ('videos', 'fraction', 'message'),
    [
        (1, 0.2, 'toy:0: found a single video, expected several'),
        (5, 0.0, r'data\.val_fraction: found 0\.0, expected between 0 and 1'),
        (5, 1.0, r'data\.val_fraction: found 1\.0'),
    ],
)
def test_refuses_what_cannot_be_split(videos, fraction, message):
    clips = clips_of([v for v in range(videos) for _ in range(2)], [0, 1] * videos)
    with pytest.raises(InputError, match=message):
        split_by_video(clips, fraction, 0)
