"""Neighbours that are never laid out give what zeros in their place give."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.models.merging import PatchMerging

WIDTH = 3


def laid_out(params, x, merge):
    """Merging as published: pad with zeros, join, normalise, project."""
    pads = [(0, -n % m) for n, m in zip(x.shape[1:4], merge, strict=True)]
    x = jnp.pad(x, [(0, 0), *pads, (0, 0)])
    offsets = [(t, h, w) for t in range(merge[0]) for h in range(merge[1]) for w in range(merge[2])]
    if merge[0] == 1:
        offsets.sort(key=lambda offset: offset[::-1])  # columns outermost
    x = jnp.concatenate(
        [x[:, t :: merge[0], h :: merge[1], w :: merge[2]] for t, h, w in offsets], axis=-1
    )
    norm = params['norm']
    x = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x * norm['scale'] + norm['bias']) @ params['reduction']['kernel']


@pytest.mark.parametrize('merge', [(1, 2, 2), (2, 2, 2)])
@pytest.mark.parametrize('size', [(4, 4, 2), (3, 1, 1), (3, 2, 1), (3, 1, 3), (1, 3, 1), (1, 1, 1)])
def test_output_and_gradients_are_those_of_zeros_laid_out(merge, size):
    rng = np.random.default_rng(0)
    x = rng.normal(1, 2, (2, *size, WIDTH)).astype(np.float32)
    module = PatchMerging(merge, jnp.float32)
    shapes = jax.eval_shape(lambda: module.init(jax.random.key(0), x))['params']
    params = jax.tree.map(lambda p: rng.normal(size=p.shape).astype(np.float32), shapes)

    def summed(merged):
        def run(params, x):
            y = merged(params, x)
            return (y * jnp.cos(jnp.arange(y.size)).reshape(y.shape)).sum(), y

        return jax.jit(jax.value_and_grad(run, (0, 1), has_aux=True))(params, x)

    (_, found), gradients = summed(lambda params, x: module.apply({'params': params}, x))
    (_, expected), wanted = summed(lambda params, x: laid_out(params, x, merge))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), gradients, wanted
    )
