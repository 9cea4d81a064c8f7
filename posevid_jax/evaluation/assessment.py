"""All that is said of a classifier on a set of clips: metrics, how sure they are, and where."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import (
    calibration,
    confusion,
    error_analysis,
    intervals,
    metrics,
    units,
)
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.evaluation.results import Assessment, BinnedTruthfulness, CalibrationEffect
from posevid_jax.evaluation.scores import Intervals, Scores


def assess(
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
    *,
    recall: float,
    samples: int,
    seed: int = 0,
) -> Assessment:
    """Assesses a classifier.

    Args:
      clips: N labelled clips.
      logits: `[N, K]`, before calibration.
      chosen: calibration and threshold.
      recall: at which to tell the false-positive rate of a group.
      samples: draws of the bootstrap over recordings that belong together, videos as a rule; 0
        leaves intervals out.
      seed: of the draws.

    Raises:
      InputError: a logit is NaN.
    """
    judged, label = chosen.judge(logits), clips.label
    before = Decision(None, '', '').probabilities(logits)
    fingerprint = clips.fingerprint()
    groups, not_grouped = error_analysis.by_group(clips, judged, recall)
    scores = metrics.evaluate(label, judged.probs, chosen.threshold)
    return Assessment(
        scores=scores,
        videos=len(clips.videos),
        fingerprint=fingerprint,
        class_names=list(clips.class_names),
        intervals=_intervals(clips, judged.probs, chosen.threshold, samples, seed),
        calibration=CalibrationEffect(
            kind=chosen.kind,
            before=_truthfulness(label, before),
            after=_truthfulness(label, judged.probs),
        ),
        stored_threshold=chosen.raw_threshold,
        threshold_rule=chosen.rule,
        chosen_on=chosen.chosen_on,
        chosen_on_these=fingerprint in chosen.fingerprints,
        groups=groups,
        not_grouped=not_grouped,
        coverage=error_analysis.coverage(label, judged),
        by_class=confusion.by_class(scores, clips.class_names),
        unit=units.of(clips),
    )


def _intervals(
    clips: Clips, probs: np.ndarray, threshold: float | None, samples: int, seed: int
) -> Intervals:
    def numbers(rows: np.ndarray) -> dict[str, float | None]:
        return numbers_of(metrics.evaluate(clips.label[rows], probs[rows], threshold))

    if not samples:
        return {}
    return intervals.bootstrap(numbers, clips.group, samples=samples, seed=seed)


def numbers_of(scores: Scores) -> dict[str, float | None]:
    """The numbers for which an interval makes sense; one in a part is called `part.number`."""
    return dict(_numbers(to_json(scores), ''))


def _numbers(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float | None]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _numbers(value, f'{prefix}{key}.')
        elif key == 'per_class':
            for k, scores in enumerate(value):
                yield from _numbers(scores, f'{prefix}{key}.{k}.')
        elif (value is None or isinstance(value, float)) and key != 'threshold':
            yield prefix + key, value


def _truthfulness(label: np.ndarray, probs: np.ndarray) -> BinnedTruthfulness:
    from sklearn.metrics import log_loss  # a second, which a start need not wait for

    return BinnedTruthfulness(
        log_loss=float(log_loss(label, probs, labels=range(probs.shape[1]))),
        brier=calibration.brier_score(probs, label),
        **vars(metrics.reliability(label, probs)),
    )
