import jax.numpy as jnp
import numpy as np
import pytest

from configs import default
from posevid_jax.training import optim


def settings(**changes):
    config = default.get_config().train
    config.update(changes)
    return config


def test_learning_rate_climbs_to_the_peak_and_ends_near_zero():
    config = settings(learning_rate=0.1, num_epochs=10, warmup_epochs=2.0)
    rate = optim.learning_rate(config, steps_per_epoch=5)
    rates = np.array([rate(step) for step in range(50)])
    assert rates[0] > 0 and rates.argmax() == 10 and rates[10] == pytest.approx(0.1)
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert rates[-1] < 0.001


def test_one_single_step_trains():
    rate = optim.learning_rate(settings(num_epochs=1, learning_rate=0.1), steps_per_epoch=1)
    assert rate(0) == pytest.approx(0.1)


def test_only_kernels_decay_and_an_unknown_parameter_is_an_error():
    transform = optim.optimizer(settings(grad_clip=0.0, weight_decay=0.5), lambda step: 0.1)
    names = ('kernel', 'bias', 'scale', 'bias_table')
    params = {'layer': {name: jnp.ones((2, 2)) for name in names}}
    zeros = {'layer': {name: jnp.zeros((2, 2)) for name in names}}
    updates, _ = transform.update(zeros, transform.init(params), params)
    moved = {name for name in names if updates['layer'][name].any()}
    assert moved == {'kernel'}
    with pytest.raises(ValueError, match='mystery'):
        transform.init({'layer': {'mystery': jnp.ones(2)}})


def test_gradient_is_clipped_to_the_global_norm():
    clipped = optim.optimizer(settings(grad_clip=1.0), lambda step: 0.1)
    params = {'kernel': jnp.zeros(4)}
    small, large = {'kernel': jnp.full(4, 0.5)}, {'kernel': jnp.full(4, 500.0)}
    states = [clipped.update(grads, clipped.init(params), params)[1] for grads in (small, large)]
    moments = [np.asarray(state[1][0].mu['kernel']) for state in states]
    np.testing.assert_allclose(moments[0], moments[1], rtol=1e-5)
