"""Ways from probabilities per frame to classes per frame, and what labelled recordings choose.

Each way is a row of a table. What it decides by (thresholds, smoothing, durations) is chosen on
some recordings and then used on others.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.evaluation import event_metrics, segments
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.inference import duration_fit, events, min_risk
from posevid_jax.inference.decoded_events import log_probs
from posevid_jax.inference.duration_fit import Labelled
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Rule
from posevid_jax.inference.min_risk import OVERLAPS, MinRiskModel
from posevid_jax.inference.viterbi import decode

Settings = Mapping[str, float]
"""Keys of `config.predict` that make a `Rule`, and `smooth`."""

# Tried one key after the other, twice: in each, the value with the highest F1 is kept.
_TRIED = {
    'high': (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    'low': (0.5, 0.7, 0.8, 0.9, 1.0),
    'smooth': (0.1, 0.25, 0.5, 1.0, 1.5),
    'min_length': (0.1, 0.3, 0.6, 1.0, 1.5),
    'merge_gap': (0.0, 0.3, 0.6, 1.0, 1.5),
}
_SWEEPS = 2


@dataclasses.dataclass(frozen=True, eq=False)
class FrameProbabilities:
    """What a classifier says of the T frames of a recording that it never saw.

    Attributes:
      probs: [T, K], calibrated, not smoothed.
      label: [T] class numbers, UNKNOWN_LABEL where unknown.
      fps: frames per second.
      threshold: of the classifier; None with more than two classes.
    """

    probs: np.ndarray
    label: np.ndarray
    fps: float
    threshold: float | None


Segmenter = Callable[[FrameProbabilities], np.ndarray]
"""From a recording to the class of each frame, [T]; its labels are not read."""


@dataclasses.dataclass(frozen=True, eq=False)
class Chosen:
    """A way with what it decides by.

    Attributes:
      segment: what it does.
      by: what it decides by, to be written down.
    """

    segment: Segmenter
    by: Settings | DurationModel | MinRiskModel


def configured(config: ConfigDict, recordings: Sequence[FrameProbabilities]) -> Chosen:
    """Two thresholds as `config.predict` has them; nothing is chosen."""
    return _by_thresholds({key: config[key] for key in _TRIED})


def thresholds(config: ConfigDict, recordings: Sequence[FrameProbabilities]) -> Chosen:
    """Two thresholds, smoothing and lengths with the highest F1 over the recordings."""
    best = {key: config[key] for key in _TRIED}
    highest = f1([_by_thresholds(best).segment(r) for r in recordings], recordings)
    for _ in range(_SWEEPS):
        for key, values in _TRIED.items():
            for value in values:
                tried = best | {key: value}
                found = f1([_by_thresholds(tried).segment(r) for r in recordings], recordings)
                if found > highest:
                    best, highest = tried, found
    return _by_thresholds(best)


def durations(config: ConfigDict, recordings: Sequence[FrameProbabilities]) -> Chosen:
    """The most probable segmentation under a duration model fitted to the recordings."""
    labelled = [Labelled(log_probs(r.probs), r.label, r.fps) for r in recordings]
    model = duration_fit.choose(labelled, lambda found: f1(found, recordings))
    return Chosen(lambda r: decode(log_probs(r.probs), model, r.fps), model)


def least_risk(config: ConfigDict, recordings: Sequence[FrameProbabilities]) -> Chosen:
    """The events that overlap most true ones, under durations fitted to the recordings."""
    labels, fps = [r.label for r in recordings], [r.fps for r in recordings]
    num_classes = recordings[0].probs.shape[1]
    return by_least_risk(MinRiskModel(duration_fit.fit(labels, fps, num_classes, scale=0.0)))


def by_least_risk(model: MinRiskModel) -> Chosen:
    """What a model tells, whatever it was fitted to."""

    def segment(of: FrameProbabilities) -> np.ndarray:
        labels = np.zeros(len(of.label), np.int64)
        for event in min_risk.find(of.probs, model, of.fps):
            assert event.label is not None  # as is told of these
            labels[event.start : event.end] = event.label
        return labels

    return Chosen(segment, model)


WAYS: Mapping[str, Callable[[ConfigDict, Sequence[FrameProbabilities]], Chosen]] = {
    'as configured': configured,
    'thresholds': thresholds,
    'durations': durations,
    'minimum risk': least_risk,
}
"""(`config.predict`, recordings to choose by) to a way that is ready for others."""


def f1(found: Sequence[np.ndarray], recordings: Sequence[FrameProbabilities]) -> float:
    """Mean F1 of events at some overlaps: steadier than at one, where choices lie close together.

    Args:
      found: class of each frame, [T] of each recording.
      recordings: with the labels.
    """
    matched = total = 0
    for labels, of in zip(found, recordings, strict=True):
        one = SegmentedRecording(of.label, labels, np.arange(len(labels) + 1) / of.fps)
        for k in range(1, of.probs.shape[1]):
            pair = segments.events_of(one, k)
            shared = event_metrics.overlaps(*pair)
            matched += np.mean([event_metrics.matches(shared, least) for least in OVERLAPS])
            total += len(pair[0]) + len(pair[1])
    return float(2 * matched / max(total, 1))


def _by_thresholds(settings: Settings) -> Chosen:
    config = ConfigDict(dict(settings))

    def segment(of: FrameProbabilities) -> np.ndarray:
        probs = events.smooth(of.probs, 2 * round(config.smooth * of.fps / 2) + 1)
        labels = np.zeros(len(probs), np.int64)
        for event in events.find_events(1 - probs[:, 0], Rule.of(config, of.threshold, of.fps)):
            frames = slice(event.start, event.end)
            labels[frames] = 1 + probs[frames, 1:].mean(0).argmax()
        return labels

    return Chosen(segment, settings)
