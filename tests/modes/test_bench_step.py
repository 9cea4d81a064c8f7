"""The step that a bench times can be taken, whatever the configuration reads beside its input."""

import jax
import numpy as np
import pytest

from configs import stat_pool, video_swin
from posevid_jax.models import video_swin as networks
from posevid_jax.modes import bench


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
    step, state, batch = bench.network_step(config.lock(), batch_size=2)
    before = jax.device_get(state.params)
    after, metrics = jax.jit(step)(state, batch, jax.random.key(0))
    assert np.isfinite(metrics['loss'])
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), before, after.params)
    assert all(jax.tree.leaves(moved['head']))
