"""Batches are gathered whole, in an order that a saved position, processes and threads keep."""

import json

import grain
import numpy as np
import orbax.checkpoint as ocp
import pytest

from posevid_jax.data.loader import eval_batches, train_batches
from posevid_jax.data.sampling import Order, make_streams
from posevid_jax.errors import InputError

LABEL = np.array([0] * 7 + [1] * 3 + [2] * 2, np.int32)
ARRAYS = {'label': LABEL, 'features': np.arange(len(LABEL) * 4, dtype=np.float32).reshape(-1, 4)}


def order(*, seed=0, balance=False):
    return Order(make_streams(LABEL, np.zeros_like(LABEL), balance=balance), seed)


def test_a_saved_position_gives_the_batches_that_were_left():
    def fresh():
        return train_batches(ARRAYS, order=order(seed=3, balance=True), batch_size=4, num_steps=9)

    whole = [batch['features'] for batch in fresh()]
    assert len(whole) == 9
    first = fresh()
    for _ in range(4):
        next(first)
    second = fresh()
    second.set_state(json.loads(json.dumps(first.get_state())))
    np.testing.assert_array_equal([batch['features'] for batch in second], whole[4:])


def test_processes_share_the_global_batch():
    def batches(**share):
        drawn = order(balance=True)
        return list(train_batches(ARRAYS, order=drawn, batch_size=6, num_steps=3, **share))

    parts = [batches(process_index=index, process_count=2) for index in range(2)]
    for whole, *halves in zip(batches(), *parts, strict=True):
        for key in whole:
            np.testing.assert_array_equal(whole[key], np.concatenate([h[key] for h in halves]))
    with pytest.raises(InputError, match=r'train\.batch_size'):
        batches(process_count=4)


def test_training_batches_are_gathered_whole_and_valid():
    batch = next(train_batches(ARRAYS, order=order(), batch_size=5, num_steps=1))
    chosen = order().rows(0, 5)
    np.testing.assert_array_equal(batch['features'], ARRAYS['features'][chosen])
    np.testing.assert_array_equal(batch['valid'], np.ones(5, np.float32))


def test_evaluation_sees_every_clip_once_in_order():
    batches = list(eval_batches(ARRAYS, 5))
    assert {batch['features'].shape for batch in batches} == {(5, 4)}
    seen = np.concatenate([batch['features'][batch['valid'] > 0] for batch in batches])
    np.testing.assert_array_equal(seen, ARRAYS['features'])


def test_a_position_survives_an_orbax_checkpoint(tmp_path):
    def fresh():
        return train_batches(ARRAYS, order=order(seed=3), batch_size=4, num_steps=5)

    iterator, resumed = fresh(), fresh()
    next(iterator)
    with ocp.CheckpointManager(tmp_path) as manager:
        manager.save(1, args=ocp.args.Composite(data=grain.checkpoint.CheckpointSave(iterator)))
        restore = grain.checkpoint.CheckpointRestore(resumed)
        manager.restore(1, args=ocp.args.Composite(data=restore))
    left = [batch['features'] for batch in iterator]
    assert len(left) == 4
    np.testing.assert_array_equal([batch['features'] for batch in resumed], left)


def test_threads_do_not_change_the_order():
    none, two = (
        train_batches(
            ARRAYS,
            order=order(seed=3, balance=True),
            batch_size=4,
            num_steps=9,
            num_threads=num_threads,
        )
        for num_threads in (0, 2)
    )
    for a, b in zip(none, two, strict=True):
        np.testing.assert_array_equal(a['features'], b['features'])
