"""All that is said of a classifier on a set of clips: metrics, how sure they are, and where."""

from collections.abc import Iterator

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import calibration, error_analysis, intervals, metrics
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.metrics import Record


def assess(
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
    *,
    recall: float,
    samples: int,
    seed: int = 0,
) -> Record:
    """The record of an evaluation.

    Args:
      clips: N labelled clips.
      logits: `[N, K]`, before calibration.
      chosen: calibration and threshold.
      recall: at which to tell the false-positive rate of a group.
      samples: draws of the bootstrap over recordings that belong together, videos as a rule; 0
        leaves intervals out.
      seed: of the draws.

    Returns:
      `metrics.evaluate` of the calibrated probabilities, plus `videos`, their number;
      `fingerprint` of the clips; `class_names`; `intervals`, 95 % [low, high] or None for each
      number, keys joined with dots;
      `calibration` with `kind` and what it does to `log_loss`, `brier` and
      `metrics.reliability`, `before` and `after`; `stored_threshold`, which is of the
      probability before calibration, `threshold_rule` and `chosen_on`, where the
      threshold comes from, with `chosen_on_these`, whether these very clips had a part in it;
      `groups` and `not_grouped` of `error_analysis.by_group`; and its `coverage`.

    Raises:
      InputError: the logits are no numbers.
    """
    judged, label = chosen.judge(logits), clips.label
    probs = judged.probs
    fingerprint = clips.fingerprint()
    record = metrics.evaluate(label, probs, chosen.threshold)
    found = {}
    if samples:
        found = intervals.bootstrap(
            lambda rows: dict(
                _numbers(metrics.evaluate(label[rows], probs[rows], chosen.threshold))
            ),
            clips.group,
            samples=samples,
            seed=seed,
        )
    groups, not_grouped = error_analysis.by_group(clips, judged, recall)
    stages = {'before': Decision(None, '', '').probabilities(logits), 'after': probs}
    return record | {
        'videos': len(clips.videos),
        'fingerprint': fingerprint,
        'class_names': list(clips.class_names),
        'intervals': {key: ends and list(ends) for key, ends in found.items()},
        'calibration': {'kind': chosen.kind}
        | {stage: _calibration(label, given) for stage, given in stages.items()},
        'stored_threshold': chosen.raw_threshold,
        'threshold_rule': chosen.rule,
        'chosen_on': chosen.chosen_on,
        'chosen_on_these': fingerprint in chosen.fingerprints,
        'groups': groups,
        'not_grouped': not_grouped,
        'coverage': error_analysis.coverage(label, judged),
    }


def _numbers(record: Record, prefix: str = '') -> Iterator[tuple[str, float | None]]:
    """The numbers of a record that an interval means something for, by dotted name."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _numbers(value, f'{prefix}{key}.')
        elif key == 'per_class':
            for k, scores in enumerate(value):
                yield from _numbers(scores, f'{prefix}{key}.{k}.')
        elif (value is None or isinstance(value, float)) and key != 'threshold':
            yield prefix + key, value


def _calibration(label: np.ndarray, probs: np.ndarray) -> Record:
    own = np.take_along_axis(probs, label[:, None].astype(np.int64), axis=1)
    return {
        # The floor is what a probability of exactly 0 for what happened would cost.
        'log_loss': float(-np.log(np.maximum(own, 1e-15)).mean()),
        'brier': calibration.brier_score(probs, label),
        **metrics.reliability(label, probs),
    }
