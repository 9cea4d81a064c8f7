"""What is random in training: which numbers it drops, and by what it makes up for them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.models import classifier, residual, windows
from posevid_jax.models.layers import Mlp
from posevid_jax.models.video_swin import VideoSwin, WindowAttention
from tests import toy

RATE = 0.25
FORM = residual.Form(np.dtype('float32'), kernels=False)
PLAN = windows.plan_windows((2, 6, 6), (2, 3, 3), shifted=False, clamp=True)


def cells(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def both_ways(module, x, *arguments):
    """What a module with random parameters gives in evaluation and in training."""
    variables = jax.eval_shape(lambda: module.init(jax.random.key(0), x, *arguments, train=False))
    rng = np.random.default_rng(1)
    variables = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), variables)
    keys = {'dropout': jax.random.key(2)}
    plain = module.apply(variables, x, *arguments, train=False)
    return plain, module.apply(variables, x, *arguments, train=True, rngs=keys)


def test_a_dropped_branch_is_0_for_its_clip_and_one_that_stays_makes_up_for_it():
    x = cells(400, 3, 2)
    factors = residual.drop_factors(jax.random.key(2), np.array([0.0, RATE]), len(x))
    np.testing.assert_array_equal(residual.dropped(x, residual.Drop(factors, 0)), x)
    found = residual.dropped(x, residual.Drop(factors, 1))
    kept = np.asarray(found != 0).all((1, 2))
    np.testing.assert_allclose(found[kept], x[kept] / (1 - RATE), rtol=1e-6)
    assert not np.asarray(found[~kept]).any()
    assert kept.mean() == pytest.approx(1 - RATE, abs=0.1)


@pytest.mark.parametrize('dropout', [0.0, 1e-9], ids=['bias apart', 'bias within'])
def test_the_bias_of_a_branch_is_dropped_with_it(dropout):
    drop = residual.Drop(jnp.array([[0.0, 2.0]]), 0)
    mlp, x = Mlp(8, dropout, jnp.float32), cells(2, 3, 4)
    variables = mlp.init(jax.random.key(0), x, train=False)
    variables = jax.tree.map(lambda leaf: leaf + 0.5, variables)

    def added(drop):
        branch = mlp.apply(variables, x, drop, train=False)
        stream = residual.Stream(x, branch)
        total, y = residual.add_norm(stream, drop, jnp.ones(4), jnp.zeros(4), FORM)
        np.testing.assert_allclose(total.sum(None), stream.sum(drop), rtol=1e-6)
        np.testing.assert_allclose(y.mean(-1), 0, atol=1e-5)
        return total.sum(None) - x

    np.testing.assert_allclose(added(drop)[0], 0, atol=1e-6)
    np.testing.assert_allclose(added(drop)[1], 2 * added(None)[1], rtol=1e-4)


def test_dropout_follows_the_projection_of_attention():
    attention = WindowAttention(PLAN, 2, True, RATE, jnp.float32, 'auto')
    (plain, _), (trained, _) = both_ways(attention, cells(4, 2, 6, 6, 8), None)
    kept = np.asarray(trained != 0)
    assert kept.mean() == pytest.approx(1 - RATE, abs=0.05)
    np.testing.assert_allclose(trained[kept], plain[kept] / (1 - RATE), rtol=1e-4)


def test_dropout_follows_both_layers_of_the_mlp():
    (plain, _), (trained, _) = both_ways(Mlp(32, RATE, jnp.float32), cells(500, 8))
    kept = np.asarray(trained != 0)
    assert kept.mean() == pytest.approx(1 - RATE, abs=0.05)  # after the second
    only_larger = np.isclose(trained[kept], plain[kept] / (1 - RATE), rtol=1e-3)
    assert only_larger.mean() < 0.1  # after the first


def test_dropout_follows_the_embedding():
    # A network without blocks: all that is random is what comes before them.
    model = VideoSwin(2, 8, depths=(0,), num_heads=(1,), dropout=RATE)
    plain, trained = both_ways(model, toy.cells(cells(3, 4, 6, 6, 2)))
    assert (np.abs(trained - plain) > 1e-3).all()


def test_the_rates_of_the_configuration_are_those_of_the_network():
    rates = {'model__dropout': 0.1, 'model__video_swin__drop_path': 0.2}
    with_statistics = {
        'model__size': 'mini',
        'model__video_swin__statistics': True,
        'model__video_swin__statistics_dropout': 0.3,
    }
    swin = classifier.build_network(toy.config('video_swin', **rates, **with_statistics), 2)
    assert (swin.dropout, swin.drop_path, swin.statistics.dropout) == (0.1, 0.2, 0.3)
    assert classifier.build_network(toy.config(**rates), 2).dropout == 0.1
