"""The step that a bench times can be taken, whatever the configuration reads beside its input."""

import jax
import numpy as np
import pytest

from configs import stat_pool, video_swin
from posevid_jax.capacity import devices
from posevid_jax.errors import InputError
from posevid_jax.models import video_swin as networks
from posevid_jax.modes import bench, bench_network


@pytest.mark.parametrize(
    ('config', 'shape'),
    [(stat_pool.get_config(), (10, 6, 1)), (video_swin.get_config(), (10, 2, 2, 1))],
    ids=['stat_pool', 'video_swin'],
)
def test_the_shipped_configurations_are_timed_on_random_inputs_of_any_shape(
    config, shape, monkeypatch
):
    small = {'embed_dim': 8, 'depths': (1, 1), 'num_heads': (1, 2)}
    monkeypatch.setitem(networks.SIZES, config.model.size, small)
    config.bench.clip_shape = shape
    step, create, batch = bench_network.network_step(config.lock(), batch_size=2)
    state = jax.jit(create)()
    before = jax.device_get(state.params)
    after, metrics = jax.jit(step)(state, batch, jax.random.key(0))
    assert np.isfinite(metrics['loss'])
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), before, after.params)
    assert all(jax.tree.leaves(moved['head']))


@pytest.mark.parametrize(
    ('device', 'message'),
    [('rtx9999', 'found .rtx9999., expected local or one of'), ('h200', 'CUDA plugin')],
)
def test_a_gpu_that_cannot_be_compiled_for_is_named(device, message, monkeypatch, tmp_path):
    def missing(**_):
        raise NotImplementedError('topology not implemented for cuda')

    monkeypatch.setattr(devices.topologies, 'get_topology_desc', missing)
    config = stat_pool.get_config()
    config.bench.device = device
    with pytest.raises(InputError, match=f'^bench.device: .*{message}'):
        bench.bench(config.lock(), tmp_path)
    assert not list(tmp_path.iterdir())
