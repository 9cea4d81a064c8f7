"""The most probable segmentation, against all segmentations of a few frames."""

import dataclasses
import itertools

import numpy as np
import pytest

from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.viterbi import OnlineDecoder, decode, decode_with_look_ahead

FPS = 10.0
TWO = DurationModel(
    min_seconds=[0.3, 0.2],
    leave_per_second=[3.0, 2.0],
    transition=[[0, 1], [1, 0]],
    prior=[0.7, 0.3],
    weight=0.7,
    prior_weight=0.4,
)
THREE = DurationModel(
    min_seconds=[0.0, 0.3, 0.2],
    leave_per_second=[3.0, 5.0, 1.0],
    transition=[[0, 0.6, 0.4], [1, 0, 0], [0.3, 0.7, 0]],
    prior=[0.5, 0.2, 0.3],
)


def random_log_probs(rng, frames, classes, spread=2.0):
    logits = spread * rng.normal(size=(frames, classes))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def log_probability(labels, log_probs, model):
    """Of a segmentation: frames, durations and transitions, stretch by stretch."""
    prior = np.log(model.prior)
    total = (model.weight * (log_probs - model.prior_weight * prior))[
        np.arange(len(labels)), labels
    ].sum()
    stretches = [(k, len(list(group))) for k, group in itertools.groupby(labels)]
    for i, (k, frames) in enumerate(stretches):
        first, last = i == 0, i == len(stretches) - 1
        least = 1 if first else max(round(model.min_seconds[k] * FPS), 1)
        if frames < least and not last:
            return -np.inf
        total += prior[k] if first else np.log(model.transition[stretches[i - 1][0]][k])
        total -= model.leave_per_second[k] / FPS * max(frames - least, 0)
        total += 0 if last else np.log(1 - np.exp(-model.leave_per_second[k] / FPS))
    return total


@pytest.mark.parametrize('model', [TWO, THREE])
@pytest.mark.parametrize('frames', [1, 2, 7])
@pytest.mark.filterwarnings('ignore:divide by zero')
def test_no_segmentation_is_more_probable(model, frames):
    rng = np.random.default_rng(frames)
    every = list(itertools.product(range(model.num_classes), repeat=frames))
    for _ in range(8):
        log_probs = random_log_probs(rng, frames, model.num_classes)
        best = max(every, key=lambda labels: log_probability(labels, log_probs, model))
        assert tuple(decode(log_probs, model, FPS)) == best


def stretches(labels):
    return [(int(k), len(list(group))) for k, group in itertools.groupby(labels)]


def test_only_the_first_and_the_last_stretch_are_shorter_than_the_minimum():
    log_probs = random_log_probs(np.random.default_rng(0), 500, 3, spread=6)
    log_probs[:3] = log_probs[-2:] = np.log([0.01, 0.98, 0.01])  # 1, of at least 6 frames
    log_probs[3:9] = log_probs[-8:-2] = np.log([0.01, 0.01, 0.98])
    found = stretches(decode(log_probs, THREE, 2 * FPS))
    assert found[0] == (1, 3) and found[-1] == (1, 2)
    least = {0: 1, 1: 6, 2: 4}
    assert len(found) > 20 and all(frames >= least[k] for k, frames in found[1:-1])
    assert any(frames == least[k] for k, frames in found[1:-1] if k)


def test_recordings_that_are_padded_are_decoded_to_their_last_frame():
    rng = np.random.default_rng(1)
    for frames in (255, 256, 257, 300):
        log_probs = random_log_probs(rng, frames, 2)
        log_probs[-4:] = np.log([0.001, 0.999])
        found = decode(log_probs, TWO, FPS)
        assert found.shape == (frames,) and found[-4:].tolist() == [1] * 4
    assert decode(np.zeros((0, 2)), TWO, FPS).shape == (0,)


def test_a_class_that_is_impossible_in_one_frame_is_not_forbidden():
    log_probs = np.log(np.full((20, 2), [0.01, 0.99]))
    log_probs[10] = [0, -np.inf]
    assert decode(log_probs, TWO, 5 * FPS).tolist() == [1] * 20


@pytest.mark.parametrize('model', [TWO, THREE])
@pytest.mark.parametrize('look_ahead', [0, 1, 5, 39, 40, 60])
def test_frames_as_they_come_get_what_they_get_at_once(model, look_ahead):
    rng = np.random.default_rng(2)
    differ = 0
    for _ in range(5):
        log_probs = random_log_probs(rng, 40, model.num_classes, spread=1)
        decoder = OnlineDecoder(model, FPS, look_ahead)
        told = [decoder.push(frame) for frame in log_probs]
        assert all(label is None for label in told[:look_ahead])
        labels = [*told[look_ahead:], *decoder.finish()]
        at_once = decode_with_look_ahead(log_probs, model, FPS, look_ahead)
        np.testing.assert_array_equal(labels, at_once)
        differ += (at_once != decode(log_probs, model, FPS)).sum()
    assert (differ == 0) == (look_ahead >= 39)  # a path of 40 frames goes back 39 steps


def test_without_frames_nothing_is_told():
    assert OnlineDecoder(TWO, FPS, 3).finish() == []


def test_half_the_weight_is_the_square_root_of_the_likelihood():
    log_probs = random_log_probs(np.random.default_rng(3), 60, 2)
    plain = dataclasses.replace(TWO, weight=1.0, prior_weight=0.0)
    half = dataclasses.replace(plain, weight=0.5)
    np.testing.assert_array_equal(decode(log_probs, half, FPS), decode(0.5 * log_probs, plain, FPS))
