import numpy as np
import pytest

from posevid_jax.data import folds, leakage, npz, synthetic
from posevid_jax.errors import InputError


def made(videos=12, per_video=6, seed=0):
    return synthetic.make_clips(
        num_videos=videos, clips_per_video=per_video, num_frames=16, classes=('smoke',), seed=seed
    )


@pytest.mark.parametrize('seed', range(3))
def test_groups_stay_whole_and_folds_are_alike(seed):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(60), rng.integers(1, 12, 60))
    label = (rng.random(len(group)) < 0.4).astype(int)
    fold = folds.make_folds(label, group, 5, seed)
    for g in np.unique(group):
        assert len(set(fold[group == g])) == 1
    sizes, positives = np.bincount(fold), np.bincount(fold, label)
    assert len(sizes) == 5
    # A group has up to 11 clips, which no fold can share.
    assert np.ptp(sizes) <= 11 and np.ptp(positives) <= 11


def test_the_seed_decides_who_goes_where():
    label, group = np.tile([0, 1], 20), np.arange(40) // 2
    first, again, other = (folds.make_folds(label, group, 4, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_as_many_folds_as_groups_leave_none_empty():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        group, label = np.repeat(np.arange(7), rng.integers(1, 9, 7)), rng.integers(0, 2, 100)
        fold = folds.make_folds(label[: len(group)], group, 7, seed)
        assert set(fold) == set(range(7))


@pytest.mark.parametrize('count', [1, 5])
def test_too_few_and_too_many_folds_are_named(count):
    with pytest.raises(InputError, match=rf'cv.folds: found {count}, expected 2 to 4'):
        folds.make_folds(np.tile([0, 1], 4), np.arange(8) // 2, count, 0)


def test_a_class_in_a_single_video_cannot_be_judged():
    label = np.array([0, 0, 0, 0, 1, 1])
    with pytest.raises(InputError, match='class 1 in a single fold'):
        folds.make_folds(label, np.array([0, 1, 2, 3, 4, 4]), 2, 0)


def test_what_shows_the_same_footage_is_one_group():
    clips = made(videos=6)
    names = clips.videos

    def same(a, b):
        return leakage.SameFootage(
            videos=(names[a], names[b]), frames=((0, 1), (0, 1)), length=1, clips=((), ()),
            speed=1.0, agreement=1.0,
        )  # fmt: skip

    group = folds.joined_groups(clips, [same(0, 3), same(3, 5)])
    of_video = [group[clips.video == v][0] for v in range(6)]
    assert len(set(of_video)) == 4 and of_video[0] == of_video[3] == of_video[5]
    np.testing.assert_array_equal(
        np.unique(folds.joined_groups(clips, []), return_inverse=True)[1],
        np.unique(clips.group, return_inverse=True)[1],
    )


def test_real_clips_are_dealt_out_evenly_and_the_same_footage_together(shared):
    clips = npz.read_clips(shared / 'train_clips.npz', prefix='long')
    _, footage = leakage.find_same_footage([clips])
    fold = folds.make_folds(clips.label, folds.joined_groups(clips, footage), 5, 0)
    ids = np.array(clips.video_ids)
    assert len(set(fold[(ids == '134') | (ids == '145')])) == 1
    assert np.ptp(np.bincount(fold)) <= 5 and np.ptp(np.bincount(fold, clips.label)) <= 5
