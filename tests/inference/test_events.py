"""Probabilities per frame and the events in them, against plain definitions."""

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.inference import events
from posevid_jax.inference.events import Event, EventFinder, Rule
from tests import toy


def by_definition(prob, rule):
    """Runs above `low`, joined over short gaps, if long enough and once above `high`."""
    runs = []
    for frame, p in enumerate(prob):
        if p < rule.low:
            continue
        if runs and frame - runs[-1][1] <= rule.gap_frames:
            runs[-1][1] = frame + 1
        else:
            runs.append([frame, frame + 1])
    return [
        Event(a, b, pytest.approx(np.mean(prob[a:b])))
        for a, b in runs
        if b - a >= rule.min_frames and max(prob[a:b]) >= rule.high
    ]


@pytest.mark.parametrize('rule', [Rule(0.8, 0.5, 1, 0), Rule(0.7, 0.6, 4, 3), Rule(1, 0, 1, 2)])
def test_events_are_those_of_the_definition(rule):
    rng = np.random.default_rng(0)
    for _ in range(200):
        prob = rng.random(rng.integers(0, 40)).round(1)
        assert events.find_events(prob, rule) == by_definition(prob, rule)


def test_changes_are_told_as_soon_as_they_are_known():
    finder = EventFinder(Rule(high=0.8, low=0.5, min_frames=3, gap_frames=1))
    told = [finder.push(p) for p in (0.6, 0.9, 0.1, 0.6, 0.2, 0.2, 0.9)]
    mean = (0.6 + 0.9 + 0.1 + 0.6) / 4
    assert told == [
        [], [], [], [('start', Event(0, 4, pytest.approx(mean)))],
        [], [('end', Event(0, 4, pytest.approx(mean)))], [],
    ]  # fmt: skip
    assert finder.finish() == []  # the last one was too short


def test_a_frame_has_the_mean_of_the_clips_that_cover_it_most_of_those_about_it():
    rng = np.random.default_rng(1)
    probs, start = rng.random((4, 3)), np.array([0, 2, 5, 9])
    frames = events.frame_means(probs, start, 5)
    weight = np.sin(np.pi * np.arange(1, 6) / 6) ** 2
    for t, found in enumerate(frames):
        over = np.flatnonzero((start <= t) & (t < start + 5))
        expected = np.average(probs[over], axis=0, weights=weight[t - start[over]])
        np.testing.assert_allclose(found, expected)
    assert len(frames) == 14


@pytest.mark.parametrize('frames', [1, 3, 7])
def test_smoothing_is_the_mean_of_what_is_there(frames):
    prob = np.random.default_rng(2).random((9, 2))
    half = frames // 2
    expected = [prob[max(t - half, 0) : t + half + 1].mean(0) for t in range(9)]
    np.testing.assert_allclose(events.smooth(prob, frames), expected)


def test_the_gesture_is_seen_with_the_mouth_and_a_wrist():
    names = ('nose', 'mouth_left', 'mouth_right', 'left_wrist', 'right_wrist')
    joints = np.ones((5, 5, 4))
    joints[1, 3] = np.nan  # one wrist
    joints[2, 3:, 3] = 0.1  # both
    joints[3, 1, 3] = 0.1  # half of the mouth
    joints[4, 0] = np.nan  # the nose
    np.testing.assert_array_equal(events.visible(joints, names, 0.5), [1, 1, 0, 0, 1])
    coco = ('nose', 'left_wrist', 'right_wrist')
    np.testing.assert_array_equal(events.visible(joints[:, [0, 3, 4]], coco, 0.5), [1, 1, 0, 1, 0])


def test_the_stored_threshold_is_what_an_event_must_reach():
    config = toy.config(predict__low=0.5, predict__merge_gap=0.1).predict
    assert Rule.of(config, 0.6, 30) == Rule(high=0.6, low=0.3, min_frames=9, gap_frames=3)
    assert Rule.of(toy.config(predict__high=0.9).predict, 0.6, 30).high == 0.9


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('high', 1.5),
        ('low', -0.1),
        ('merge_gap', -1.0),
        ('stride', 0),
        ('overlaps', (0.0,)),
        ('overlaps', ()),
        ('look_ahead', -1.0),
        ('decoder', 'best'),
    ],
)
def test_a_key_that_cannot_be_is_named(key, value):
    with pytest.raises(InputError, match=rf'predict\.{key}: found'):
        events.check(toy.config(**{f'predict__{key}': value}).predict)
