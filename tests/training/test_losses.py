import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.config import get_config
from posevid_jax.errors import InputError
from posevid_jax.training import losses


def settings(**changes):
    config = get_config().train
    config.update(changes)
    return config


def test_bce_of_known_probabilities():
    logits = jnp.array([[0.0], [math.log(3.0)], [math.log(3.0)]])  # p = 1/2, 3/4, 3/4
    loss = losses.per_example(logits, jnp.array([1, 1, 0]), settings(loss='bce'))
    np.testing.assert_allclose(loss, -np.log([0.5, 0.75, 0.25]), rtol=1e-6)


def test_focal_of_known_probabilities():
    logits = jnp.array([[math.log(3.0)], [math.log(3.0)]])  # p = 3/4
    config = settings(loss='focal', focal_gamma=2.0, focal_alpha=0.25)
    loss = losses.per_example(logits, jnp.array([1, 0]), config)
    expected = [-0.25 * 0.25**2 * np.log(0.75), -0.75 * 0.75**2 * np.log(0.25)]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_ce_of_known_probabilities():
    logits = jnp.log(jnp.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]))
    loss = losses.per_example(logits, jnp.array([0, 2]), settings(loss='ce'))
    np.testing.assert_allclose(loss, -np.log([0.2, 0.5]), rtol=1e-5)


@pytest.mark.parametrize(
    ('loss', 'outputs', 'classes'), [('bce', 1, 2), ('focal', 1, 2), ('ce', 3, 3)]
)
def test_a_soft_target_has_the_losses_of_its_classes_by_share(loss, outputs, classes):
    rng = np.random.default_rng(0)
    logits = jnp.asarray(rng.normal(size=(5, outputs)))
    share = rng.dirichlet(np.ones(classes), 5)
    config = settings(loss=loss, focal_alpha=0.25)
    each = [losses.per_example(logits, jnp.full(5, k), config) for k in range(classes)]
    expected = sum(share[:, k] * each[k] for k in range(classes))
    found = losses.per_example(logits, jnp.asarray(share), config)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    if loss == 'bce':
        p = 1 / (1 + np.exp(-np.asarray(logits[:, 0], np.float64)))
        plain = -share[:, 1] * np.log(p) - share[:, 0] * np.log(1 - p)
        np.testing.assert_allclose(found, plain, rtol=1e-5)
    hard = losses.per_example(logits, jnp.arange(5) % classes, config)
    one_hot = jnp.eye(classes)[jnp.arange(5) % classes]
    np.testing.assert_allclose(losses.per_example(logits, one_hot, config), hard, rtol=1e-6)


@pytest.mark.parametrize(('loss', 'classes'), [('bce', 2), ('focal', 2), ('ce', 3)])
def test_class_weights_and_smoothing_follow_their_definitions(loss, classes):
    rng = np.random.default_rng(1)
    label = rng.integers(0, classes, 6)
    if loss == 'ce':
        logits = rng.normal(size=(6, classes))
        prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    else:
        logits = rng.normal(size=(6, 1))
        positive = 1 / (1 + np.exp(-logits[:, 0]))
        prob = np.stack([1 - positive, positive], axis=1)
    each = -np.log(prob)  # [B, K]
    if loss == 'focal':
        each *= (1 - prob) ** 2 * np.array([0.75, 0.25])
    weights = np.array([1.0, 3.0, 0.5])[:classes]
    share = 0.9 * np.eye(classes)[label] + 0.1 / classes
    config = settings(
        loss=loss, focal_alpha=0.25, class_weights=tuple(weights.tolist()), label_smoothing=0.1
    )
    found = losses.per_example(jnp.asarray(logits), jnp.asarray(label), config)
    np.testing.assert_allclose(found, (share * weights * each).sum(axis=1), rtol=1e-5)
    mixed = losses.per_example(jnp.asarray(logits), jnp.asarray(np.eye(classes)[label]), config)
    np.testing.assert_allclose(mixed, found, rtol=1e-6)


def test_class_weights_must_be_one_a_class():
    losses.check_classes(settings(class_weights=(1.0, 2.0)), 2)
    with pytest.raises(InputError, match=r'train\.class_weights: found 2 weights, .* 3 classes'):
        losses.check_classes(settings(class_weights=(1.0, 2.0)), 3)


@pytest.mark.parametrize(
    ('changes', 'key'),
    [
        ({'loss': 'hinge'}, 'train.loss'),
        ({'focal_alpha': 1.5}, 'train.focal_alpha'),
        ({'focal_gamma': -1.0}, 'train.focal_gamma'),
        ({'label_smoothing': 1.0}, 'train.label_smoothing'),
        ({'smooth_loss': -1.0}, 'train.smooth_loss'),
        ({'class_weights': (1.0, -1.0)}, 'train.class_weights'),
    ],
)
def test_bad_settings_are_named(changes, key):
    with pytest.raises(InputError, match=key):
        losses.check(settings(**changes))


def test_frame_loss_is_the_mean_over_known_frames():
    logits = jnp.log(jnp.array([[1.0, 3.0, 9.0], [5.0, 5.0, 5.0]]))  # p = 1/2, 3/4, 9/10
    label = jnp.array([[1, 0, -1], [-1, -1, -1]])
    loss = losses.per_example_frames(logits, label)
    np.testing.assert_allclose(loss, [-np.log([0.5, 0.25]).mean(), 0], rtol=1e-5)


@pytest.mark.parametrize('outputs', [1, 3])
def test_jumps_are_cut_off_squares_of_changes_of_log_probabilities(outputs):
    logits = np.random.default_rng(3).normal(scale=4, size=(2, 6, outputs))
    every = logits if outputs > 1 else np.concatenate([0 * logits, logits], axis=2)
    log_probs = every - np.log(np.exp(every).sum(axis=2, keepdims=True))
    changes = np.abs(np.diff(log_probs, axis=1))
    assert (changes > 4).any() and (changes < 4).any()
    expected = (np.minimum(changes, 4) ** 2).mean(axis=(1, 2))
    found = losses.per_example_jumps(jnp.asarray(logits, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_array_equal(losses.per_example_jumps(jnp.ones((2, 1, outputs))), [0, 0])


def test_a_jump_pulls_what_comes_after_it_and_not_what_was_before():
    gradient = jax.grad(lambda logits: losses.per_example_jumps(logits).sum())
    found = np.asarray(gradient(jnp.array([[[0.0], [1.0]]])))[0, :, 0]
    assert found[0] == 0 and found[1] > 0
