"""Events of minimum risk, against all choices of a few."""

import dataclasses
import itertools

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.evaluation import event_metrics
from posevid_jax.inference import min_risk, posterior
from posevid_jax.inference.decoded_events import log_probs
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Event
from posevid_jax.inference.min_risk import OVERLAPS, MinRiskModel
from posevid_jax.runs.files import write_json
from tests.inference.test_viterbi import FPS, THREE, TWO, random_log_probs

WEIGHTS = ((0.5, 1.0), (2.0, 0.0))
LONG = DurationModel(
    min_seconds=[0.0, 0.0], leave_per_second=[0.2, 0.5], transition=[[0, 1], [1, 0]],
    prior=[0.7, 0.3], weight=0.3, prior_weight=0.5,
)  # fmt: skip


@pytest.mark.parametrize('at_once', [4, 4096])
def test_a_confidence_is_the_share_of_samples_with_an_event_that_overlaps(at_once, monkeypatch):
    for name, value in (('_AT_ONCE', at_once), ('_SAMPLES', 20), ('_WEIGHTS', WEIGHTS)):
        monkeypatch.setattr(min_risk, name, value)
    probs = np.exp(random_log_probs(np.random.default_rng(1), 12, 3))
    models = [dataclasses.replace(THREE, weight=w, prior_weight=v) for w, v in WEIGHTS]
    drawn = posterior.sample(log_probs(probs), models, FPS, 20)
    found = min_risk.candidates(probs, THREE, FPS)
    assert {event.label for event in found} == {1, 2}
    assert [event.end for event in found] == sorted(event.end for event in found)
    for event in found:
        best = []
        for labels in drawn:
            edges = np.flatnonzero(np.diff(labels == event.label, prepend=False, append=False))
            events, span = edges.reshape(-1, 2), np.array([[event.start, event.end]])
            best.append(event_metrics.overlaps(span, events).max(initial=0))
        expected = np.mean([[of >= least for least in OVERLAPS] for of in best])
        assert event.confidence == pytest.approx(expected)
        assert event.confidence >= 1 / 40  # it was drawn itself


def test_no_choice_of_events_apart_has_a_larger_sum():
    rng = np.random.default_rng(2)
    for _ in range(30):
        starts = rng.integers(0, 20, 7)
        found = sorted(
            (Event(int(a), int(a + rng.integers(1, 8)), float(rng.random()), 1) for a in starts),
            key=lambda event: event.end,
        )
        best = 0.0
        for size in range(1, 5):
            for of in itertools.combinations(sorted(found, key=lambda e: e.start), size):
                if all(a.end < b.start for a, b in itertools.pairwise(of)):
                    best = max(best, sum(event.confidence - 0.3 for event in of))
        chosen = min_risk.choose(found, 0.3)
        assert all(a.end < b.start for a, b in itertools.pairwise(chosen))
        assert sum(event.confidence - 0.3 for event in chosen) == pytest.approx(best)
    assert min_risk.choose(found, 1.0) == min_risk.choose([], 0.3) == []


def test_an_event_is_told_where_it_is_probable_and_sure_enough():
    probs = np.full((60, 2), [0.9, 0.1])
    probs[20:40] = [0.3, 0.7]
    (event,) = min_risk.find(probs, MinRiskModel(LONG, 0.4), FPS)
    assert abs(event.start - 20) <= 3 and abs(event.end - 40) <= 3 and event.label == 1
    assert min_risk.find(probs, MinRiskModel(LONG, 0.999), FPS) == []
    assert min_risk.find(probs[:0], MinRiskModel(LONG, 0.4), FPS) == []


def test_a_model_is_read_as_it_was_written_and_checked(tmp_path):
    path = tmp_path / 'min_risk.json'
    write_json(path, MinRiskModel(TWO, 0.4))
    assert min_risk.read(path) == MinRiskModel(TWO, 0.4)
    write_json(path, MinRiskModel(TWO, 1.5))
    with pytest.raises(InputError, match=r'min_risk\.json: price: found 1\.5, expected 0 to 1'):
        min_risk.read(path)
    write_json(path, {'durations': {**vars(TWO), 'prior': [1.0]}, 'price': 0.4})
    with pytest.raises(InputError, match=r'min_risk\.json: durations: prior: found 1 classes'):
        min_risk.read(path)
