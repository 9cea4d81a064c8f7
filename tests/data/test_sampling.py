"""The order of clips is a pure function of seed and step, and keeps to the shares asked for."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.config import get_config
from posevid_jax.data.clips import from_arrays
from posevid_jax.data.sampling import Order, make_order, make_streams
from posevid_jax.errors import InputError

LABEL = np.array([0] * 7 + [1] * 3 + [2] * 2, np.int32)
VIDEO = np.array([0, 1, 2, 0, 1, 2, 0, 1, 1, 1, 2, 2], np.int32)


def order(*, seed=0, **draws):
    return Order(make_streams(LABEL, VIDEO, **({'balance': False} | draws)), seed)


def rows(step, *, batch_size=5, **draws):
    return order(**draws).rows(step, batch_size)


def epochs(drawn, count, first=0):
    """[count, draws] clips of each epoch of a single stream."""
    size = drawn.draws_per_epoch
    return np.stack([drawn.rows(first + epoch, size) for epoch in range(count)])


def counts(drawn, count, first=0):
    """[count, N] draws of each clip in each epoch."""
    return np.stack([np.bincount(e, minlength=len(LABEL)) for e in epochs(drawn, count, first)])


def test_order_depends_on_seed_and_step_alone():
    for draws in ({}, {'weight': VIDEO + 0.5, 'max_per_video': 2}):
        one = order(**draws)
        later = one.rows(7, 5)
        one.rows(0, 5), one.rows(3, 4)
        np.testing.assert_array_equal(one.rows(7, 5), later)
        np.testing.assert_array_equal(rows(7, **draws), later)
        assert not np.array_equal(rows(7, seed=1, **draws), later)
        assert not np.array_equal(rows(8, **draws), later)


def test_the_order_is_the_one_that_earlier_runs_were_trained_with():
    np.testing.assert_array_equal(rows(1, batch_size=10), [2, 9, 8, 10, 0, 11, 3, 1, 6, 7])
    np.testing.assert_array_equal(
        rows(1, batch_size=10, balance=True), [9, 11, 6, 8, 11, 2, 7, 10, 1, 8]
    )


def test_a_late_batch_costs_no_more_than_the_first():
    for balance in (False, True):
        drawn = order(balance=balance)
        drawn.rows(10**6, 5)
        assert drawn._pass.cache_info().misses <= 2 * 3  # passes made, of three classes at most


def test_every_clip_comes_once_an_epoch():
    stream = np.concatenate([rows(step) for step in range(12)])  # five epochs of 12 clips
    for epoch in stream.reshape(5, 12):
        assert sorted(epoch) == list(range(12))
    assert not np.array_equal(stream[:12], stream[12:24])


def test_balanced_batches_hold_the_classes_evenly_and_every_clip_in_turn():
    stream = []
    for step in range(14):
        batch = rows(step, balance=True, batch_size=6)
        np.testing.assert_array_equal(np.bincount(LABEL[batch]), [2, 2, 2])
        stream.extend(batch)
    drawn = np.bincount(stream, minlength=12)
    assert set(drawn[:7]) == {4} and set(drawn[10:]) == {14}  # 28 draws a class


def test_equal_weights_draw_every_clip_once_an_epoch():
    assert (counts(order(weight=np.full(12, 0.3)), 20) == 1).all()


def test_a_clip_comes_as_often_as_its_weight_says_in_every_epoch_and_over_many():
    weight = np.random.default_rng(0).lognormal(0, 1.5, len(LABEL))
    weight[4] = 0
    expected = weight / weight.sum() * len(weight)
    drawn = counts(order(weight=weight), 200)
    assert (drawn.sum(1) == len(weight)).all()
    assert (drawn >= np.floor(expected)).all() and (drawn <= np.ceil(expected)).all()
    assert not drawn[:, 4].any()
    # Independent draws would be off by 14 or so.
    assert np.abs(drawn.sum(0) - 200 * expected).max() < 3


def test_weights_set_the_shares_of_classes_unless_they_are_balanced():
    weight = np.where(LABEL == 1, 4.0, 1.0)
    drawn = epochs(order(weight=weight), 50)
    share = np.bincount(LABEL[drawn.ravel()]) / drawn.size
    np.testing.assert_allclose(share, [7 / 21, 12 / 21, 2 / 21], atol=0.005)
    weight[0] = 5.0
    stream = np.concatenate([rows(s, weight=weight, balance=True, batch_size=6) for s in range(70)])
    assert (np.bincount(LABEL[stream]) == 140).all()
    drawn = np.bincount(stream, minlength=12)[:7]
    np.testing.assert_allclose(drawn, 140 * weight[:7] / weight[:7].sum(), atol=2)


def test_no_video_is_drawn_more_often_than_the_cap_and_its_clips_take_turns():
    drawn = order(max_per_video=3)
    assert drawn.draws_per_epoch == 9  # videos of 3, 5 and 4 clips
    per_clip = counts(drawn, 60)
    assert per_clip.max() == 1
    per_video = np.stack([per_clip[:, v == VIDEO].sum(1) for v in range(3)])
    assert (per_video == 3).all()
    np.testing.assert_allclose(per_clip.sum(0), 60 * (3 / np.bincount(VIDEO))[VIDEO], atol=2)
    for first in range(0, 60, 4):  # nobody waits long
        assert per_clip[first : first + 4].any(0).all()


def test_the_cap_holds_with_weights_too():
    weight = np.where(VIDEO == 1, 10.0, 1.0)
    drawn = order(weight=weight, max_per_video=4)
    per_clip = counts(drawn, 30)
    per_video = np.stack([per_clip[:, v == VIDEO].sum(1) for v in range(3)])
    assert per_video.max() == 4 and per_clip.sum(1).min() == drawn.draws_per_epoch


def test_a_balanced_cap_counts_in_each_class():
    drawn = order(balance=True, max_per_video=1)
    assert drawn.draws_per_epoch == 3 + 1 + 1
    first = np.concatenate([drawn.rows(step, 3) for step in range(3)])  # a pass over class 0
    zeros = first[LABEL[first] == 0]
    assert sorted(VIDEO[zeros]) == [0, 1, 2]


def clips():
    return from_arrays(
        source='toy', features=np.zeros((4, 2, 1)), label=np.array([0, 0, 1, 1]),
        weight=np.array([1, 3, 0, 0]), video_id=['a', 'a', 'b', 'b'],
    )  # fmt: skip


def settings(**changes):
    config = get_config().data
    config.update(changes)
    return config


def test_the_configuration_chooses_the_draws(tmp_path):
    weighted = make_order(clips(), settings(sample_by_weight=True, balance=False), 0)
    drawn = np.bincount(np.concatenate([weighted.rows(step, 4) for step in range(20)]), minlength=4)
    np.testing.assert_array_equal(drawn, [20, 60, 0, 0])
    capped = make_order(clips(), settings(max_clips_per_video=1, balance=False), 0)
    assert capped.draws_per_epoch == 2
    path = tmp_path / 'predictions.csv'
    path.write_text('row,prob\n0,1\n2,1\n')
    hard = make_order(clips(), settings(hard_negatives=str(path), hard_negative_boost=3.0), 0)
    drawn = np.bincount(np.concatenate([hard.rows(step, 4) for step in range(20)]), minlength=4)
    np.testing.assert_array_equal(drawn, [30, 10, 20, 20])


def test_draws_that_cannot_be_made_are_named():
    with pytest.raises(InputError, match=r'data\.sample_by_weight: .* 2 clips of class 1'):
        make_order(clips(), settings(sample_by_weight=True), 0)
    with pytest.raises(InputError, match=r'data\.max_clips_per_video: found -1'):
        make_order(clips(), settings(max_clips_per_video=-1), 0)
    nothing = dataclasses.replace(clips(), weight=np.zeros(4, np.float32))
    with pytest.raises(InputError, match=r'4 clips, expected one above 0'):
        make_order(nothing, settings(sample_by_weight=True, balance=False), 0)
