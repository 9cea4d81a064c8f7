"""What somebody must not overlook in an evaluation, in sentences."""

import numpy as np

from posevid_jax.evaluation.results import Assessment, Evaluation
from posevid_jax.evaluation.scores import BinaryScores

FEW = 30  # videos or subjects; below, an interval over them is itself uncertain


def findings(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Sentences about an evaluation: (`alarm` or `care`, sentence)."""
    record = evaluation.assessment
    found = []
    for number, (decided, confusion) in enumerate(record.scores.confusions.items()):
        name = _the_only_prediction(confusion, record.class_names)
        if name is not None:
            where = f'{decided.upper()}, ' if number else ''
            found.append((
                'alarm',
                f'{where}THE MODEL TAKES EVERY CLIP FOR {name!r}: whatever precision, recall and '
                'F1 say, it decides nothing',
            ))  # fmt: skip
    if evaluation.trained_on:
        found.append((
            'alarm',
            f'{evaluation.trained_on} OF THESE {record.scores.clips} CLIPS WERE TRAINED ON: '
            'whatever the numbers say, they say it about memory; evaluate on other clips',
        ))  # fmt: skip
    found += _against_trivial(record)
    chosen = [
        *(['threshold'] if record.stored_threshold is not None else []),
        *(['calibration'] if record.calibration.kind != 'none' else []),
    ]
    if record.chosen_on_these and chosen:
        what = ' and '.join(chosen)
        found.append(('care', f'{what} chosen on these very clips: with other clips, expect less'))
    unit = record.drawn
    if unit.count < FEW and record.intervals:
        few = f'only {unit.count} {unit.name}s: the intervals are rough themselves'
        found.append(('care', few))
    return found


def _the_only_prediction(confusion: list[list[int]], class_names: list[str]) -> str | None:
    """The class that all clips of several classes are taken for, if there is one."""
    predicted, there = np.sum(confusion, axis=0), np.sum(confusion, axis=1)
    if (predicted > 0).sum() > 1 or (there > 0).sum() < 2:
        return None
    return class_names[int(predicted.argmax())]


def _against_trivial(record: Assessment) -> list[tuple[str, str]]:
    scores = record.scores
    if isinstance(scores, BinaryScores):
        f1, other = 'F1 at the stored threshold', 'saying yes to every clip'
    else:
        name = record.class_names[scores.majority_class.class_number]
        f1, other = 'macro F1', f'taking every clip for {name!r}'
    model, trivial = scores.headline.f1, scores.headline.trivial_f1
    found = []
    if model <= trivial:
        found.append(('alarm', f'{f1}, {model:.4f}, is no better than {other}, {trivial:.4f}'))
    ends = record.intervals.get('roc_auc')
    if ends and ends.low <= 0.5 <= ends.high:
        found.append(
            (
                'alarm',
                f'the interval of ROC-AUC, {ends.low:.4f} to {ends.high:.4f}, holds 0.5: '
                'the order of the clips may be chance',
            )
        )
    return found
