import numpy as np
import pytest

from posevid_jax.evaluation import intervals


def test_groups_are_drawn_whole_and_as_many_as_there_are():
    group = np.array([7, 3, 7, 3, 9, 7])
    sizes = set()
    for rows in intervals.resamples(group, samples=50):
        counts = np.bincount(rows, minlength=6)
        by_group = [set(counts[group == g]) for g in (3, 7, 9)]
        assert all(len(same) == 1 for same in by_group)
        assert sum(same.pop() for same in by_group) == 3
        sizes.add(len(rows))
    assert len(sizes) > 1


def test_draws_are_counted_as_they_are_made():
    group = np.array([7, 3, 7, 3, 9, 7])
    times = intervals.times_drawn(group, samples=30, seed=2)
    for count, rows in zip(times, intervals.resamples(group, samples=30, seed=2), strict=True):
        np.testing.assert_array_equal(count, np.bincount(rows, minlength=6))


def test_the_interval_of_a_mean_is_that_of_the_groups_not_of_the_clips():
    rng = np.random.default_rng(0)
    groups, clips = 100, 30
    group = np.repeat(np.arange(groups), clips)
    value = rng.normal(size=groups)[group]  # clips of a group say all the same
    found = intervals.bootstrap(
        lambda rows: {'mean': value[rows].mean()}, group, samples=1000, seed=1
    )['mean']
    standard_error = value[::clips].std() / np.sqrt(groups)
    assert found.high - found.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert found.low < value.mean() < found.high


def test_a_lower_level_is_a_narrower_interval_and_the_seed_decides():
    group = np.arange(50)
    value = np.random.default_rng(0).random(50)

    def interval(**options):
        return intervals.bootstrap(
            lambda rows: {'mean': value[rows].mean()}, group, samples=200, **options
        )['mean']

    assert interval() == interval() != interval(seed=1)
    wide, narrow = interval(), interval(level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_what_is_seldom_defined_has_no_interval():
    group = np.arange(4)

    def statistics(rows):
        return {'seldom': 1.0 if (rows == 0).sum() > 1 else None, 'always': 1.0}

    found = intervals.bootstrap(statistics, group, samples=100)
    assert found == {'seldom': None, 'always': (1.0, 1.0)}


def test_a_single_video_has_no_interval():
    found = intervals.bootstrap(lambda rows: {'mean': 0.0}, np.zeros(5, int), samples=100)
    assert found == {'mean': None}


def test_without_draws_there_are_no_intervals():
    group = np.arange(4)
    assert intervals.bootstrap(lambda rows: {'n': 1.0}, group, samples=0) == {'n': None}
