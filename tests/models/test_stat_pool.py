import jax
import jax.numpy as jnp
import numpy as np

from posevid_jax.features.inputs import Inputs, Masked
from posevid_jax.features.scaling import Scaler
from posevid_jax.models.stat_pool import StatPool

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(3, 9, 4, 2)), jnp.float32)
MASK = jnp.ones_like(X, bool).at[1, :, 2].set(False)


def channels(x, mask=MASK, scaler=None):
    return Inputs(channels=Masked(x, mask), scaler=scaler)


def make(**options):
    model = StatPool(num_outputs=1, hidden_sizes=(8,), **options)
    init = jax.jit(model.init, static_argnames='train')
    return model, init(jax.random.key(0), channels(X), train=False)


def test_every_input_influences_the_logit():
    model, variables = make()
    grad = jax.jit(jax.grad(lambda x: model.apply(variables, channels(x), train=False).sum()))(X)
    np.testing.assert_array_equal(np.asarray(grad) != 0, MASK)


def test_missing_values_do_not_matter():
    model, variables = make()
    garbage = jnp.where(MASK, X, 1e6)
    np.testing.assert_array_equal(
        model.apply(variables, channels(X), train=False),
        model.apply(variables, channels(garbage), train=False),
    )


def test_an_all_missing_clip_is_finite():
    model, variables = make(batch_norm=True)
    logits = model.apply(variables, channels(X, jnp.zeros_like(MASK)), train=False)
    assert np.isfinite(logits).all()


def test_dropout_is_on_in_training_only():
    model, variables = make(dropout=0.5)

    def logits(train, seed):
        rngs = {'dropout': jax.random.key(seed)}
        return np.asarray(model.apply(variables, channels(X), train=train, rngs=rngs))

    assert np.array_equal(logits(False, 0), logits(False, 1))
    assert not np.array_equal(logits(True, 0), logits(True, 1))


def test_batch_norm_updates_its_statistics_in_training():
    model, variables = make(batch_norm=True)
    _, updated = model.apply(variables, channels(X), train=True, mutable=['batch_stats'])
    before, after = (jax.tree.leaves(v['batch_stats']) for v in (variables, updated))
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_statistics_far_from_those_of_training_say_no_more_than_that():
    count = 5 * X.shape[2] * X.shape[3]
    narrow = Scaler(center=np.zeros(count, np.float32), scale=np.full(count, 1e-4, np.float32))
    model, variables = make()

    def logits(x, scaler):
        return model.apply(variables, channels(x, scaler=scaler), train=False)

    np.testing.assert_allclose(logits(X, narrow), logits(2 * X, narrow), atol=1e-6)
    assert not np.allclose(logits(X, None), logits(2 * X, None), atol=1e-3)


def test_a_head_straight_on_the_statistics_starts_at_zero():
    model = StatPool(num_outputs=2, hidden_sizes=())
    variables = model.init(jax.random.key(0), channels(X), train=False)
    np.testing.assert_array_equal(model.apply(variables, channels(X), train=False), 0)
    assert np.asarray(make()[1]['params']['head']['kernel']).any()
