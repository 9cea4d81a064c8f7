"""Samples of the posterior, against the probabilities of all sequences of a few frames."""

import collections
import dataclasses
import itertools

import numpy as np
import pytest

from posevid_jax.inference import posterior
from tests.inference.test_viterbi import FPS, THREE, TWO, log_probability, random_log_probs


@pytest.mark.parametrize('model', [TWO, THREE])
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_each_sequence_is_drawn_as_often_as_it_is_probable(model):
    model = dataclasses.replace(model, min_seconds=[0.0] * model.num_classes)
    log_probs = random_log_probs(np.random.default_rng(0), 5, model.num_classes, spread=1.0)
    every = list(itertools.product(range(model.num_classes), repeat=5))
    scores = np.array([log_probability(labels, log_probs, model) for labels in every])
    probable = np.exp(scores - scores.max())
    probable /= probable.sum()
    drawn = posterior.sample(log_probs, model, FPS, 20_000)
    counts = collections.Counter(map(tuple, drawn.tolist()))
    assert sum(counts.values()) == 20_000 and counts.keys() <= set(every)
    np.testing.assert_allclose([counts[of] / 20_000 for of in every], probable, atol=0.012)
    np.testing.assert_array_equal(drawn, posterior.sample(log_probs, model, FPS, 20_000))


def test_a_recording_without_frames_has_empty_samples():
    assert posterior.sample(np.zeros((0, 2)), TWO, FPS, 3).shape == (3, 0)
