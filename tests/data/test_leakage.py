"""Footage in two places is found by content, and nothing else is."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.leakage import STRETCH, find_same_footage, identical_clips
from posevid_jax.data.npz import read_clips
from posevid_jax.data.signatures import frame_starts
from posevid_jax.data.synthetic import make_clips

T = 50
RNG = np.random.default_rng(0)


@pytest.fixture(scope='module')
def footage() -> Clips:
    """Eight people, 300 frames each in one piece."""
    return make_clips(num_videos=8, clips_per_video=1, num_frames=300, seed=5)


def cut(
    footage: Clips,
    videos,
    *,
    first=0,
    step=1,
    stride=30,
    names=str,
    noise=0.0,
    known=True,
    source='set',
    **columns,
):
    """Clips of some of the videos, from a first frame on, with every step-th frame."""
    pieces = [
        (video, start)
        for video in videos
        for start in range(0, (300 - first) // step - T + 1, stride)
    ]
    index = np.array([first + step * (start + np.arange(T)) for _, start in pieces])
    rows = np.array([video for video, _ in pieces])[:, None]
    skeleton = np.where(
        footage.skeleton_mask[rows, index][..., None], footage.skeleton[rows, index], np.nan
    )
    skeleton[..., :2] += noise * RNG.standard_normal(skeleton[..., :2].shape)
    features = np.where(footage.mask[rows, index], footage.features[rows, index], np.nan)
    arrays = {
        'skeleton': skeleton.astype(np.float32),
        'joint_names': footage.joint_names,
        'features': features,
        'feature_names': footage.feature_names,
        'label': np.zeros(len(pieces), int),
        'video_id': [names(video) for video, _ in pieces],
        'start_frame': np.array([start for _, start in pieces]) if known else None,
    }
    return from_arrays(source=source, **arrays | columns)


def found(sets):
    kind, same = find_same_footage(sets)
    return kind, {tuple(name.partition(':')[2] for name in s.videos) for s in same}


def test_other_cuts_of_the_same_footage_are_found_under_other_names(footage):
    train = cut(footage, range(6))
    val = cut(footage, [4, 7, 2], first=17, stride=40, names='v{}'.format, noise=0.001)
    kind, same = find_same_footage([train, val])
    assert kind == 'landmarks'
    pairs = {tuple(name.partition(':')[2] for name in s.videos): s for s in same}
    assert set(pairs) == {('2', 'v2'), ('4', 'v4')}
    match = pairs['2', 'v2']
    assert abs(match.speed - 1) < 0.02 and match.agreement > 0.9
    (first, last), (other_first, _) = match.frames
    assert first - other_first == pytest.approx(17, abs=2)
    assert last - first > 200
    start = frame_starts(val)[list(match.clips[1])]
    assert {val.video_ids[row] for row in match.clips[1]} == {'v2'} and start.min() == 0


def test_equal_names_of_different_footage_are_no_match(footage):
    assert found(
        [cut(footage, [0, 1, 2]), cut(footage, [3, 4, 5], names=lambda v: str(v - 3))]
    ) == (
        'landmarks',
        set(),
    )


def test_a_set_that_holds_a_video_twice(footage):
    names = {0: 'a', 1: 'b', 6: 'c'}.get
    twice = [cut(footage, [0, 1, 6], names=names), cut(footage, [1], first=11, names=lambda _: 'd')]
    both = {
        key: np.concatenate([getattr(c, key) for c in twice])
        for key in ('features', 'mask', 'label', 'start_frame')
    }
    skeleton = np.concatenate(
        [np.where(c.skeleton_mask[..., None], c.skeleton, np.nan) for c in twice]
    )
    ids = [name for c in twice for name in c.video_ids]
    one = from_arrays(source='s', skeleton=skeleton, video_id=ids, **both)
    assert found([one])[1] == {('b', 'd')}
    grouped = from_arrays(
        source='s', skeleton=skeleton, video_id=ids, group_id=[i.replace('d', 'b') for i in ids],
        **both,
    )  # fmt: skip
    assert found([grouped])[1] == set()


def test_overlapping_clips_of_one_video_are_by_design(footage):
    assert found([cut(footage, range(8), stride=10)]) == ('landmarks', set())
    assert found([cut(footage, range(8), stride=10, known=False)]) == ('landmarks', set())


@pytest.mark.parametrize(('stride', 'shared_frames'), [(30, 20), (15, 35)])
def test_clips_that_name_no_video_are_told_to_overlap(footage, stride, shared_frames):
    clips = cut(footage, [0, 1], stride=stride, known=False)
    number = np.arange(len(clips), dtype=np.int32)
    alone = dataclasses.replace(
        clips, video=number, group=number, videos=tuple(f's:{row}' for row in number)
    )
    pairs = {tuple(map(int, pair)) for pair in found([alone])[1]}
    neighbours = {(row, row + 1) for row in number if row + 1 != len(clips) // 2}
    if shared_frames < STRETCH:
        assert not pairs
    else:  # not all of them: some hardly move
        assert pairs and pairs <= neighbours


@pytest.mark.parametrize('jitter', [0, 0.002])
def test_still_people_match_nobody(footage, jitter):
    pose = np.where(footage.skeleton_mask[0, 100, :, None], footage.skeleton[0, 100], 0.5)
    skeleton = np.tile(pose, (12, T, 1, 1)).astype(np.float32)
    skeleton[..., :2] += jitter * RNG.standard_normal(skeleton[..., :2].shape)
    still = from_arrays(
        source='still',
        features=np.zeros((12, T, 0)),
        label=np.zeros(12, int),
        skeleton=skeleton,
        joint_names=footage.joint_names,
    )
    assert found([still]) == ('landmarks', set())
    assert found([still, cut(footage, range(8))]) == ('landmarks', set())


def test_a_crop_is_the_same_footage(footage):
    other = cut(footage, [3], first=8, names='v{}'.format)
    skeleton = np.where(other.skeleton_mask[..., None], other.skeleton, 0)
    skeleton[..., 0] = 1.7 * skeleton[..., 0] - 0.2
    skeleton[..., 1] = 1.2 * skeleton[..., 1] + 0.1
    skeleton = np.where(other.skeleton_mask[..., None], skeleton, 0).astype(np.float32)
    cropped = dataclasses.replace(other, skeleton=skeleton)
    assert found([cut(footage, range(8)), cropped])[1] == {('3', 'v3')}


def test_a_faster_copy_is_the_same_footage(footage):
    fast = cut(footage, [3, 6], step=2, names='v{}'.format)
    _, same = find_same_footage([cut(footage, range(8)), fast])
    assert {s.videos[1] for s in same} <= {'set:v3', 'set:v6'} and same
    assert all(abs(s.speed - 0.5) < 0.05 for s in same)


def test_features_serve_where_there_is_no_skeleton(footage):
    bare = {'skeleton': None, 'joint_names': None}
    train = cut(footage, range(6), **bare)
    val = cut(footage, [2, 7], first=23, names='v{}'.format)
    assert found([train, val]) == ('features', {('2', 'v2')})
    named = dataclasses.replace(val, feature_names=tuple(f'x{f}' for f in range(30)))
    assert found([train, named]) == ('nothing', set())


def test_many_different_people_match_nobody():
    assert found([make_clips(num_videos=60, clips_per_video=6, seed=2)]) == ('landmarks', set())


def test_frames_nobody_was_seen_in_are_no_footage():
    features = np.full((3, 40, 4), np.nan)
    features[0, 0] = 1  # hardly anybody
    empty = from_arrays(source='s', features=features, label=np.zeros(3, int))
    assert found([empty]) == ('nothing', set())


def test_clips_without_a_start_stand_behind_those_with_one():
    clips = from_arrays(
        source='s',
        features=np.zeros((5, 10, 1)),
        label=np.zeros(5, int),
        video_id=['a', 'a', 'b', 'b', 'a'],
        start_frame=np.array([30, -1, -1, -1, -1]),
    )
    np.testing.assert_array_equal(frame_starts(clips), [30, 50, 0, 20, 70])


def test_identical_clips_are_grouped_over_the_sets(footage):
    a, b = cut(footage, [0, 1]), cut(footage, [1, 2], names='v{}'.format)
    per_video = len(a) // 2
    expected = [[(0, per_video + row), (1, row)] for row in range(per_video)]
    assert identical_clips([a, b]) == expected
    features = b.features.copy()
    features[0, 0, 5] += 1e-6
    changed = dataclasses.replace(b, features=features)
    assert identical_clips([a, changed]) == expected[1:]
    still = from_arrays(source='s', features=np.ones((4, 9, 2)), label=np.zeros(4, int))
    assert identical_clips([still]) == []


def test_the_real_clips_hold_one_video_twice(shared):
    train, val = (
        read_clips(shared / f'{name}_clips.npz', prefix='long') for name in ('train', 'val')
    )
    assert found([train]) == ('landmarks', {('134', '145')})
    assert found([val]) == ('landmarks', set())
    assert found([train, val]) == ('landmarks', set())
