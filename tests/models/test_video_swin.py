import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.features.inputs import Masked
from posevid_jax.models import classifier
from posevid_jax.models.video_swin import LEGACY, SIZES, VideoSwin, frame_interpolation
from tests import toy
from tests.models import swin_reference

TOY = {'num_outputs': 2, 'embed_dim': 8, 'depths': (2, 2), 'num_heads': (1, 2)}
SMALL = TOY | {'patch_size': (2, 2, 2), 'window_size': (2, 3, 3)}


def cells(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def make(x, **options):
    """A model and parameters that are all different from zero."""
    model = VideoSwin(**(SMALL | options))
    # Shapes are all that is wanted of the initialisation, and abstract ones are quick.
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), toy.cells(x), train=False))[
        'params'
    ]
    leaves, tree = jax.tree_util.tree_flatten_with_path(params)
    rng = np.random.default_rng(1)
    leaves = [
        (path[-1].key == 'scale') + 0.2 * rng.normal(size=leaf.shape).astype(np.float32)
        for path, leaf in leaves
    ]
    return model, jax.tree.unflatten(tree, leaves)


@functools.partial(jax.jit, static_argnums=0)
def apply(model, params, x, mask=None):
    return model.apply({'params': params}, toy.cells(x, mask), train=False)


# Smaller than, equal to and not a multiple of patch, window and merge, along each axis.
SHAPES = [
    (1, 1, 1), (2, 2, 2), (3, 5, 4), (4, 6, 6), (5, 7, 13), (8, 12, 12), (9, 2, 14), (7, 13, 1),
]  # fmt: skip


@pytest.mark.parametrize('shape', SHAPES, ids=str)
def test_official_layout_equals_every_pair_written_out(shape):
    x = cells(2, *shape, 3)
    model, params = make(x)
    expected = swin_reference.logits(
        params, x, heads=(1, 2), depths=(2, 2), patch=(2, 2, 2), window=(2, 3, 3),
        merge=(1, 2, 2), legacy=False,
    )  # fmt: skip
    with jax.default_matmul_precision('highest'):
        found = apply(model, params, x)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize('shape', [s for s in SHAPES if min(s) > 1], ids=str)
def test_legacy_layout_equals_every_pair_written_out(shape):
    x = cells(2, *shape, 3)
    options = LEGACY | {'patch_size': (2, 2, 2), 'window_size': (2, 3, 3)}
    model, params = make(x, **options)
    expected = swin_reference.logits(
        params, x, heads=(1, 2), depths=(2, 2), patch=(2, 2, 2), window=(2, 3, 3),
        merge=(2, 2, 2), legacy=True,
    )  # fmt: skip
    with jax.default_matmul_precision('highest'):
        found = apply(model, params, x)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_frames_around_are_attended_to_and_not_judged():
    x = cells(2, 24, 4, 4, 3)
    options = {'depths': (2,), 'num_heads': (1,), 'window_size': (2, 3, 3), 'frame_output': True}
    model, params = make(x, context=8, **options)
    logits, frames = apply(model, params, x)
    assert frames.shape == (2, 8)
    # Windows, then shifted ones, reach two tokens, four frames, across the border.
    near = apply(model, params, x.at[:, 7].add(1.0))
    assert np.abs(near[0] - logits).max() > 1e-4
    far = apply(model, params, x.at[:, :4].add(1.0))
    np.testing.assert_allclose(far[0], logits, atol=1e-6)


def test_the_logits_of_statistics_are_added():
    x, numbers = cells(2, 4, 4, 4, 3), cells(2, 5, seed=1)

    class Sum(nn.Module):
        @nn.compact
        def __call__(self, inputs, *, train):
            return inputs.clip.values.sum(1, keepdims=True)

    alone, params = make(x)
    joined = alone.clone(statistics=Sum())
    inputs = dataclasses.replace(toy.cells(x), clip=Masked(numbers, None))
    found = jax.jit(lambda: joined.apply({'params': params}, inputs, train=False))()
    expected = apply(alone, params, x) + numbers.sum(1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_batch_norm_of_statistics_is_refused():
    # Several devices would each keep averages of their own.
    options = {'model__size': 'mini', 'model__video_swin__statistics': True}
    config = toy.config('video_swin', model__stat_pool__batch_norm=True, **options)
    with pytest.raises(InputError, match=r'model\.stat_pool\.batch_norm: found True'):
        classifier.build_network(config, 2)


@pytest.mark.parametrize(
    ('size', 'channels', 'count'),
    [
        ('tiny', 3, 29_124_943),
        ('tiny', 4, 29_128_015),
        ('small', 3, 50_491_519),
        ('base', 3, 89_637_033),
    ],
)
def test_legacy_networks_have_the_parameters_of_the_earlier_system(size, channels, count):
    model = VideoSwin(1, **SIZES[size], **LEGACY)
    x = jax.ShapeDtypeStruct((1, 4, 6, 6, channels), jnp.float32)
    variables = jax.eval_shape(
        lambda x: model.init(jax.random.key(0), toy.cells(x), train=False), x
    )
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == count


@pytest.mark.parametrize('shape', [(5, 6, 6), (75, 6, 6), (7, 3, 5)], ids=str)
def test_every_cell_of_every_frame_influences_the_output(shape):
    x = cells(1, *shape, 2)
    model, params = make(x)
    grad = jax.jit(jax.grad(lambda x: apply(model, params, x, jnp.ones(x.shape[:4], bool)).sum()))(
        x
    )
    assert np.all(np.asarray(grad) != 0)


@pytest.mark.parametrize(('rows', 'kernel'), [(48, 1), (49, 2), (136, 3)])
def test_a_patch_whose_rows_are_left_open_joins_as_many_as_leave_48_tokens(rows, kernel):
    model = VideoSwin(**TOY | {'patch_size': (2, 0, 1), 'window_size': (2, 24, 1)})
    x = jnp.zeros((1, 2, rows, 1, 3))
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), toy.cells(x), train=False))[
        'params'
    ]
    assert params['patch_embed']['kernel'].shape[0] == 2 * kernel * 3


def test_every_parameter_gets_a_gradient():
    x = cells(2, 8, 12, 12, 3)
    model, params = make(x, frame_output=True)
    weights = cells(2, 8, seed=3)

    def score(params):
        logits, frames = apply(model, params, x)
        return (logits**2).sum() + (weights * frames).sum()

    for path, grad in jax.tree_util.tree_leaves_with_path(jax.jit(jax.grad(score))(params)):
        assert np.any(np.asarray(grad)), path


def test_a_full_mask_without_padding_changes_nothing():
    x = cells(2, 8, 12, 12, 3)
    model, params = make(x)
    full = jnp.ones(x.shape[:4], bool)
    np.testing.assert_allclose(apply(model, params, x, full), apply(model, params, x), atol=1e-5)
    # With padding the two differ: padded tokens attend in the published network alone.
    x = cells(2, 5, 7, 7, 3)
    full = jnp.ones(x.shape[:4], bool)
    assert not np.allclose(apply(model, params, x, full), apply(model, params, x), atol=1e-4)
    published = VideoSwin(**SMALL, mask_padding=False)
    np.testing.assert_array_equal(apply(published, params, x, full), apply(model, params, x))


def test_what_is_masked_does_not_matter_and_missing_tokens_do_not_attend():
    x = cells(2, 8, 6, 6, 3)
    model, params = make(x)
    mask = jnp.ones(x.shape[:4], bool).at[:, 4:].set(False)
    garbage = jnp.where(mask[..., None], x, 1e3)
    np.testing.assert_array_equal(
        apply(model, params, x, mask), apply(model, params, garbage, mask)
    )
    # Frames 4 to 8 are whole windows of their own: without them the clip is a shorter one.
    unshifted = VideoSwin(**(SMALL | {'depths': (1, 1)}))
    np.testing.assert_allclose(
        apply(unshifted, params, x, mask),
        apply(unshifted, params, x[:, :4], mask[:, :4]),
        atol=1e-5,
    )


def test_a_clip_without_any_pose_has_finite_output_and_gradient():
    x = cells(2, 5, 6, 6, 3)
    model, params = make(x)
    mask = jnp.zeros(x.shape[:4], bool).at[1].set(True)
    scored = jax.jit(jax.value_and_grad(lambda p: (apply(model, p, x, mask) ** 2).sum()))
    value, grad = scored(params)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grad))


def test_remat_recomputes_and_gives_the_same():
    x = cells(2, 4, 6, 6, 3)
    plain, params = make(x)

    def program(model):
        def loss(params):
            return (apply(model, params, x) ** 2).sum()

        text = str(jax.make_jaxpr(jax.grad(loss))(params))
        return text.count('remat2[') + text.count('checkpoint['), jax.jit(jax.grad(loss))(params)

    none, expected = program(plain)
    for remat, blocks in ((True, 4), ((False, True), 2)):
        marked, found = program(VideoSwin(**SMALL, remat=remat))
        assert none == 0 and marked >= blocks
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_stochastic_depth_drops_whole_branches_linearly_more_with_depth():
    x = cells(64, 4, 6, 6, 3)
    model, params = make(x, drop_path=0.6)
    plain = VideoSwin(**SMALL)
    np.testing.assert_array_equal(apply(model, params, x), apply(plain, params, x))

    @jax.jit
    def train(seed):
        rngs = {'dropout': jax.random.key(seed)}
        return model.apply({'params': params}, toy.cells(x), train=True, rngs=rngs)

    np.testing.assert_array_equal(train(0), train(0))
    assert not np.allclose(train(0), train(1))
    same = jnp.broadcast_to(x[:1], (256, *x.shape[1:]))
    rate = VideoSwin(**(SMALL | {'depths': (1, 1), 'drop_path': 0.6, 'num_outputs': 2}))
    rngs = {'dropout': jax.random.key(2)}
    out = jax.jit(lambda: rate.apply({'params': params}, toy.cells(same), train=True, rngs=rngs))()
    distinct = {tuple(row) for row in np.round(np.asarray(out), 4).tolist()}
    assert 2 <= len(distinct) <= 4  # the first block never drops, the second one's two branches do


def equations(jaxpr):
    """All equations of a program, of the functions it calls too."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            inner = getattr(value, 'jaxpr', value)
            if hasattr(inner, 'eqns'):
                yield from equations(inner)


def test_bfloat16_computes_in_bfloat16_and_keeps_parameters_and_logits_in_float32():
    x = cells(2, 8, 6, 6, 3)
    plain, params = make(x)
    half = VideoSwin(**SMALL, dtype=jnp.bfloat16)
    fresh = jax.eval_shape(lambda: half.init(jax.random.key(0), toy.cells(x), train=False))[
        'params'
    ]
    assert {leaf.dtype for leaf in jax.tree.leaves(fresh)} == {jnp.dtype('float32')}
    logits = apply(half, params, x)
    assert logits.dtype == jnp.float32
    np.testing.assert_allclose(logits, apply(plain, params, x), rtol=0.1, atol=0.1)
    program = jax.make_jaxpr(lambda x: apply(half, params, x))(x)
    products = [e for e in equations(program.jaxpr) if e.primitive.name == 'dot_general']
    wide = [e for e in products if any(v.aval.dtype != jnp.bfloat16 for v in e.invars)]
    assert len(products) > 10 and len(wide) == 1  # the head alone


def test_frame_output_stands_at_its_frames():
    x = cells(2, 9, 6, 6, 3)
    model, params = make(x, frame_output=True)
    logits, frames = apply(model, params, x)
    assert logits.shape == (2, 2) and frames.shape == (2, 9)
    bump = x.at[:, 8].add(5.0)
    moved = np.abs(apply(model, params, bump)[1] - frames).max(0)
    assert moved[8] > moved[0]


def test_frames_between_tokens_are_interpolated_and_ends_held():
    weights = frame_interpolation(tokens=3, frames=6, stride=2)
    np.testing.assert_allclose(weights.sum(0), 1)
    values = np.array([0.0, 2.0, 4.0]) @ weights  # tokens stand at frames 0.5, 2.5 and 4.5
    np.testing.assert_allclose(values, [0, 0.5, 1.5, 2.5, 3.5, 4])
