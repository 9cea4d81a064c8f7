"""The events of a recording that overlap most true ones, for the false events among them.

The most probable segmentation is not the one with the highest F1: where an event may begin in many
places, each way to tell it is improbable, and the best single one may tell none. Here every
stretch that may be an event has a confidence, the probability that a true event overlaps it enough.
The events told are those that do not overlap each other and whose confidences, less a price for
each, have the largest sum: minimum Bayes risk decoding (Goel and Byrne 2000, "Minimum Bayes-risk
automatic speech recognition"). F1 is 2 matched / (found + true), so the price is about half of it.

Probabilities are shares of samples of the posterior of a hidden Markov model, and the stretches are
those that were drawn. How much the frames weigh against the model is not known: as many samples
are drawn with each of a few weights.
"""

import dataclasses
import itertools
import pathlib

import numpy as np

from posevid_jax.errors import InputError
from posevid_jax.evaluation.event_metrics import enough
from posevid_jax.evaluation.segments import stretches
from posevid_jax.inference import duration_model, posterior
from posevid_jax.inference.decoded_events import log_probs
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Event
from posevid_jax.runs.files import read_record

FILE = 'min_risk.json'  # in a run directory

OVERLAPS = (0.25, 0.5, 0.75)  # intersections over union; the mean over them counts

_SAMPLES = 50  # with each of the weights
_WEIGHTS = tuple(itertools.product((0.2, 0.1), (1.0, 0.5)))  # `weight`, `prior_weight`
_AT_ONCE = 4096  # stretches compared with all samples, so that memory stays bounded


@dataclasses.dataclass(frozen=True)
class MinRiskModel:
    """What events are told by.

    Attributes:
      durations: how long classes last and what follows; its shortest durations and weights are not
        used.
      price: confidence that an event must have to be told.
    """

    durations: DurationModel
    price: float = 0.4

    @property
    def num_classes(self) -> int:
        return self.durations.num_classes


def read(path: pathlib.Path) -> MinRiskModel:
    """The model in a JSON file.

    Raises:
      InputError: the file cannot be read, or is no such model.
    """
    model = read_record(MinRiskModel, path)
    duration_model.check(model.durations, f'{path}: durations')
    if not 0 <= model.price <= 1:
        raise InputError(f'{path}: price: found {model.price:g}, expected 0 to 1')
    return model


def find(probs: np.ndarray, model: MinRiskModel, fps: float) -> list[Event]:
    """The events of a whole recording, in order of time, at least a frame apart.

    Args:
      probs: [T, K] class probabilities of each frame.
      model: of K classes.
      fps: frames per second.

    Returns:
      events whose confidence is the probability that a true event of their class overlaps them, the
      mean over `OVERLAPS`.
    """
    return choose(candidates(probs, model.durations, fps), model.price)


def candidates(probs: np.ndarray, durations: DurationModel, fps: float) -> list[Event]:
    """Every stretch that was drawn, with its confidence, in order of their ends.

    Args:
      probs, fps: as for `find`.
      durations: of K classes.
    """
    models = [dataclasses.replace(durations, weight=w, prior_weight=v) for w, v in _WEIGHTS]
    drawn = posterior.sample(log_probs(probs), models, fps, _SAMPLES)
    drawn = np.pad(drawn, ((0, 0), (0, 1)))  # so that samples can stand one after the other
    found = []
    for k in range(1, durations.num_classes):
        events = stretches(drawn.ravel() == k).astype(np.int32)
        spans = np.unique(events % drawn.shape[1], axis=0)
        parts = range(0, len(spans), _AT_ONCE)
        each = [_confidence(spans[i : i + _AT_ONCE], events, drawn.shape) for i in parts]
        found += [
            Event(start, end, confidence, k)
            for (start, end), confidence in zip(spans.tolist(), itertools.chain(*each), strict=True)
        ]
    return sorted(found, key=lambda event: event.end)


def choose(found: list[Event], price: float) -> list[Event]:
    """Those at least a frame apart with the largest sum of confidences less the price of each.

    By dynamic programming over events in order of their ends (weighted interval scheduling).

    Args:
      found: in order of their ends.
      price: of an event.
    """
    kept = [event for event in found if event.confidence > price]
    ends = [event.end for event in kept]
    before = np.searchsorted(ends, [event.start for event in kept])  # those that end before it
    best = [0.0]  # sums over the first events
    for i, event in enumerate(kept):
        best.append(max(best[i], best[before[i]] + event.confidence - price))
    chosen, i = [], len(kept)
    while i:
        if best[i] > best[i - 1]:
            chosen.append(kept[i - 1])
            i = before[i - 1]
        else:
            i -= 1
    return chosen[::-1]


def _confidence(spans: np.ndarray, events: np.ndarray, drawn: tuple[int, int]) -> list[float]:
    """Of each span [S, 2], the share of samples with an event that overlaps it, the mean over
    `OVERLAPS`; so many samples of frames stand one after the other, with their events [E, 2]."""
    samples, frames = drawn
    starts = frames * np.arange(samples, dtype=np.int32)
    placed = (starts[:, None, None] + spans).reshape(-1, 2)
    best = _best_overlap(placed, events).reshape(samples, -1)
    return np.mean([enough(best, least) for least in OVERLAPS], axis=(0, 1)).tolist()


def _best_overlap(spans: np.ndarray, events: np.ndarray) -> np.ndarray:
    """The largest intersection over union of each span [S, 2] with one of some events [E, 2], in
    order of time and apart: [S], 0 where none overlaps."""
    first = np.searchsorted(events[:, 1], spans[:, 0], 'right')
    after = np.searchsorted(events[:, 0], spans[:, 1], 'left')
    best, of = np.zeros(len(spans), np.float32), np.flatnonzero(first < after)
    while len(of):
        (a, b), (start, end) = spans[of].T, events[first[of]].T
        common = np.minimum(b, end) - np.maximum(a, start)
        shared = common.astype(np.float32) / (b - a + end - start - common)
        best[of] = np.maximum(best[of], shared)
        first[of] += 1
        of = of[first[of] < after[of]]
    return best
