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
    other = dataclasses.replace(model, weight=0.1)
    log_probs = random_log_probs(np.random.default_rng(0), 5, model.num_classes, spread=1.0)
    every = list(itertools.product(range(model.num_classes), repeat=5))
    drawn = posterior.sample(log_probs, [other, model], FPS, 20_000)
    for of, samples in zip([other, model], np.split(drawn, 2), strict=True):
        scores = np.array([log_probability(labels, log_probs, of) for labels in every])
        probable = np.exp(scores - scores.max())
        probable /= probable.sum()
        counts = collections.Counter(map(tuple, samples.tolist()))
        assert sum(counts.values()) == 20_000 and counts.keys() <= set(every)
        np.testing.assert_allclose([counts[key] / 20_000 for key in every], probable, atol=0.012)
    np.testing.assert_array_equal(drawn, posterior.sample(log_probs, [other, model], FPS, 20_000))
    assert (drawn[:20_000] != drawn[20_000:]).any(1).mean() > 0.5  # each has its own draws


def test_a_recording_without_frames_has_empty_samples():
    assert posterior.sample(np.zeros((0, 2)), [TWO, TWO], FPS, 3).shape == (6, 0)
