"""Prefetching changes when batches arrive, never which, nor where a checkpoint says we are."""

import threading

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from posevid_jax.data.loader import train_batches
from posevid_jax.data.sampling import Order, make_streams
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.prefetch import Prefetch

ARRAYS = {
    'label': np.arange(40, dtype=np.int32) % 2,
    'features': np.arange(160, dtype=np.float32).reshape(40, 4),
}
STEPS = 9


def whole() -> grain.DatasetIterator:
    order = Order(make_streams(ARRAYS['label'], ARRAYS['label'], balance=False), seed=3)
    return train_batches(ARRAYS, order=order, batch_size=4, num_steps=STEPS)


def fresh(put=lambda batch: batch) -> Prefetch:
    return Prefetch(whole(), put)


def rest(data: Prefetch) -> list[np.ndarray]:
    with data, pytest.raises(StopIteration):
        found = []
        while True:
            found.append(np.asarray(next(data)['features']))
    return found


def test_every_batch_arrives_once_in_order():
    np.testing.assert_array_equal(rest(fresh()), [batch['features'] for batch in whole()])


@pytest.mark.parametrize('taken', [0, 1, 5, STEPS])
def test_the_position_is_behind_what_was_handed_out(tmp_path, taken):
    expected, first = rest(fresh()), fresh()
    with first:
        for _ in range(taken):
            next(first)
        with ocp.CheckpointManager(tmp_path) as manager:
            save = grain.checkpoint.CheckpointSave(first.position)
            manager.save(1, args=ocp.args.Composite(data=save))
    second = fresh()
    with ocp.CheckpointManager(tmp_path) as manager:
        restore = grain.checkpoint.CheckpointRestore(second.position)
        manager.restore(1, args=ocp.args.Composite(data=restore))
    np.testing.assert_array_equal(rest(second), expected[taken:])


def test_the_next_batch_is_put_before_it_is_asked_for():
    second_put, batches = threading.Event(), []

    def put(batch):
        batches.append(batch)
        if len(batches) == 2:
            second_put.set()
        return batch

    with fresh(put) as data:
        assert not batches
        next(data)
        assert second_put.wait(timeout=60)
    ahead = len(batches)
    assert ahead <= 3  # what is ahead takes memory on the devices


def test_what_goes_wrong_in_the_thread_is_raised_here():
    def put(batch):
        raise ValueError('no room on the device')

    with fresh(put) as data, pytest.raises(ValueError, match='no room'):
        next(data)


def test_only_waiting_is_counted():
    release = threading.Event()

    def put(batch):
        release.wait(timeout=60)
        return batch

    with fresh(put) as data:
        assert data.waited == 0
        timer = threading.Timer(0.2, release.set)
        timer.start()
        next(data)
        assert data.waited >= 0.1


@pytest.mark.parametrize('kind', ['jit', 'pmap'])
def test_batches_are_where_the_step_wants_them(kind):
    parallel = Parallel(kind)
    with fresh(parallel.put) as data:
        batch = next(data)
    assert batch['features'].sharding.device_set == set(parallel.devices)
    step = parallel.compile_eval(lambda v, s, batch: jax.tree.map(lambda x: 2 * x, batch))
    compiled = step.lower(1.0, 1.0, batch).compile()
    _, _, wanted = compiled.input_shardings[0]
    for name, array in batch.items():
        assert array.sharding.is_equivalent_to(wanted[name], array.ndim), name
