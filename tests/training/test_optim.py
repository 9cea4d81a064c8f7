import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from posevid_jax.config import get_config
from posevid_jax.errors import InputError
from posevid_jax.features.scaling import fit_scaler
from posevid_jax.models import classifier, families, video_swin
from posevid_jax.training import groups, optim
from tests import toy


def settings(**changes):
    config = get_config().train
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


@pytest.mark.parametrize(('schedule', 'end'), [('cosine', 0), ('linear', 0), ('constant', 0.1)])
def test_every_schedule_warms_up_to_the_peak(schedule, end):
    config = settings(learning_rate=0.1, num_epochs=4, warmup_epochs=1.0, schedule=schedule)
    rate = optim.learning_rate(config, steps_per_epoch=10)
    assert rate(0) == pytest.approx(0.1 / 11) and rate(10) == pytest.approx(0.1)
    assert rate(40) == pytest.approx(end)
    if schedule == 'linear':
        assert rate(25) == pytest.approx(0.05)


def params_of(model, **size):
    """The parameters of a toy network."""
    config = toy.config(model, **({'model__size': 'toy'} if model == 'video_swin' else {}), **size)
    run = classifier.build(config, num_classes=2, joint_names=toy.JOINTS)
    example = toy.batch(size=2)
    scaler = fit_scaler(example['features'], example['mask'])
    return jax.jit(lambda: run.init(jax.random.key(0), scaler, example))()['params']


@pytest.fixture
def swin(monkeypatch):
    size = {'embed_dim': 8, 'depths': (1, 2), 'num_heads': (1, 2)}
    monkeypatch.setitem(video_swin.SIZES, 'toy', size)
    return params_of('video_swin')


def make(config, family='video_swin', **options):
    return optim.optimizer(config, lambda step: 0.1, families.FAMILIES[family], **options)


def step_of(config, params, steps=1, **options):
    """Updates after some steps with gradients of one."""
    transform = make(config, **options)

    def run():
        ones = jax.tree.map(jnp.ones_like, params)
        many = jax.lax.scan(
            lambda state, _: transform.update(ones, state, params)[::-1],
            transform.init(params),
            length=steps,
        )[1]
        return jax.tree.map(lambda update: update[-1], many)

    updates = jax.jit(run)()
    return dict(zip(groups.parameter_names(params), jax.tree.leaves(updates), strict=True))


def test_without_groups_it_is_adamw_on_kernels():
    config = settings(grad_clip=0.0, weight_decay=0.5)
    params = params_of('stat_pool')
    adamw = optax.adamw(
        0.1,
        weight_decay=0.5,
        mask=lambda tree: jax.tree_util.tree_map_with_path(
            lambda p, _: p[-1].key == 'kernel', tree
        ),
    )
    ones = jax.tree.map(jnp.ones_like, params)
    expected, _ = adamw.update(ones, adamw.init(params), params)
    found = step_of(config, params)
    for name, wanted in zip(found, jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6, err_msg=name)


def test_every_parameter_of_both_models_is_trained(swin):
    for params in (swin, params_of('stat_pool', model__stat_pool__batch_norm=True)):
        updates = step_of(settings(), params)
        assert len(updates) == len(jax.tree.leaves(params))
        assert all(np.all(np.asarray(update) != 0) for update in updates.values())


def test_groups_scale_rate_and_decay_and_leave_no_parameter_out(swin):
    rules = (('(?!head).*', 0.1, 0.0), ('head/.*', 2.0, 1.0))
    plain = step_of(settings(weight_decay=0.0), swin)
    grouped = step_of(settings(weight_decay=0.5, groups=rules), swin)
    for name in plain:
        factor = 2.0 if name.startswith('head') else 0.1
        decay = -0.1 * factor * 0.5 * swin['head']['kernel'] if name == 'head/kernel' else 0
        np.testing.assert_allclose(
            grouped[name], factor * plain[name] + decay, rtol=1e-4, atol=1e-8, err_msg=name
        )


def test_layer_decay_falls_from_the_head_to_the_embedding(swin):
    plain, decayed = step_of(settings(), swin), step_of(settings(layer_decay=0.5), swin)
    ratios = {name: float((decayed[name] / plain[name]).mean()) for name in plain}
    expected = {
        'head': 1, 'norm': 1, 'stage1_block1': 0.5, 'stage1_block0': 0.25, 'merge0': 0.25,
        'stage0_block0': 0.125, 'patch_embed': 0.0625, 'patch_norm': 0.0625,
    }  # fmt: skip
    assert {name.partition('/')[0] for name in ratios} == set(expected)
    for name, ratio in ratios.items():
        # Of the decayed kernels, the weight decay too.
        assert ratio == pytest.approx(expected[name.partition('/')[0]], rel=1e-5), name


def test_joined_statistics_learn_as_fast_as_the_head():
    layers = ('patch_embed', 'head', 'statistics')
    params = {name: {'Dense_0': {'kernel': jnp.ones((2, 2))}} for name in layers}
    decayed = step_of(settings(layer_decay=0.5), params)
    ratio = decayed['statistics/Dense_0/kernel'] / decayed['head/Dense_0/kernel']
    np.testing.assert_allclose(ratio, 1)


def test_frozen_parameters_stay_for_so_many_epochs(swin):
    config = settings(freeze=('patch_.*', 'stage0.*'), freeze_epochs=1.5)
    for steps, frozen in ((1, True), (6, True), (7, False)):
        updates = step_of(config, swin, steps, steps_per_epoch=4)
        for name, update in updates.items():
            still = frozen and name.startswith(('patch_', 'stage0'))
            assert np.any(update != 0) != still, (steps, name)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'groups': (('head/.*', 1.0, 1.0),)}, r'Dense_0/bias, Dense_0/kernel in no group'),
        ({'groups': (('.*', 1.0, 1.0), ('head/.*', 1.0, 1.0))}, r'head/bias is in several groups'),
        (
            {'groups': (('.*', 1.0, 1.0), ('tail/.*', 1.0, 1.0))},
            r"'tail/\.\*' matches no parameter",
        ),
        ({'freeze': ('stage9.*',)}, r"train\.freeze: 'stage9\.\*' matches no parameter"),
    ],
)
def test_a_parameter_left_out_or_taken_twice_is_an_error(changes, message):
    params = params_of('stat_pool')
    with pytest.raises(InputError, match=message):
        make(settings(**changes), 'stat_pool').init(params)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'groups': (('head', 1.0),)}, r'train\.groups: found'),
        ({'groups': (('(', 1.0, 1.0),)}, r'train\.groups: .* is no pattern'),
        ({'layer_decay': 1.5}, r'train\.layer_decay: found 1\.5'),
        ({'schedule': 'step'}, r'train\.schedule: found'),
        ({'ema_decay': 1.0}, r'train\.ema_decay: found 1\.0'),
        ({'freeze_epochs': -1.0}, r'train\.freeze_epochs: found'),
    ],
)
def test_bad_settings_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        optim.check(settings(**changes))


def test_only_kernels_decay_and_an_unknown_parameter_is_an_error():
    transform = make(settings(grad_clip=0.0, weight_decay=0.5))
    names = ('kernel', 'bias', 'scale', 'bias_table')
    params = {'layer': {name: jnp.ones((2, 2)) for name in names}}
    zeros = {'layer': {name: jnp.zeros((2, 2)) for name in names}}
    updates, _ = transform.update(zeros, transform.init(params), params)
    moved = {name for name in names if updates['layer'][name].any()}
    assert moved == {'kernel'}
    with pytest.raises(ValueError, match='mystery'):
        transform.init({'layer': {'mystery': jnp.ones(2)}})


def test_gradient_is_clipped_to_the_global_norm():
    clipped = make(settings(grad_clip=1.0))
    params = {'kernel': jnp.zeros(4)}
    small, large = {'kernel': jnp.full(4, 0.5)}, {'kernel': jnp.full(4, 500.0)}
    states = [clipped.update(grads, clipped.init(params), params)[1] for grads in (small, large)]
    moments = [np.asarray(state[1][0].mu['kernel']) for state in states]
    np.testing.assert_allclose(moments[0], moments[1], rtol=1e-5)


def test_a_step_that_is_not_taken_leaves_the_whole_state_as_it_is():
    transform = make(settings(freeze=('head/.*',)))
    params = {'head': {'kernel': jnp.ones(3)}, 'body': {'kernel': jnp.ones(3)}}
    good, bad = (jax.tree.map(lambda p, x=x: jnp.full_like(p, x), params) for x in (1.0, jnp.nan))
    _, before = transform.update(good, transform.init(params), params)
    _, after = transform.update(bad, before, params, taken=jnp.array(False))
    jax.tree.map(np.testing.assert_array_equal, before, after)
    _, going_on = transform.update(good, after, params, taken=jnp.array(True))
    _, expected = transform.update(good, before, params)
    jax.tree.map(np.testing.assert_array_equal, expected, going_on)


def test_the_moments_are_updated_in_place():
    """Whatever of the old state a compiled step copies first is temporary memory."""
    transform = make(settings())
    params = {f'layer{i}': {'kernel': jnp.ones((256, 256))} for i in range(8)}

    def step(params, state, grads, taken):
        updates, state = transform.update(grads, state, params, taken=taken)
        after = optax.apply_updates(params, updates)
        return jax.tree.map(lambda new, old: jnp.where(taken, new, old), after, params), state

    grads = jax.tree.map(jnp.zeros_like, params)
    args = (params, transform.init(params), grads, jnp.array(True))
    memory = jax.jit(step, donate_argnums=(0, 1)).lower(*args).compile().memory_analysis()
    assert memory.temp_size_in_bytes < params['layer0']['kernel'].nbytes
