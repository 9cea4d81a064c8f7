"""What somebody must not overlook in an evaluation, in sentences."""

import numpy as np

from posevid_jax.evaluation.metrics import Record

FEW_VIDEOS = 30  # below, an interval over videos is itself uncertain


def findings(record: Record) -> list[tuple[str, str]]:
    """Sentences about a record of `assessment.assess`: (`alarm` or `care`, sentence)."""
    decisions = (('at_threshold', ''), ('at_0.5', 'AT 0.5, ')) if _two(record) else ((None, ''),)
    found = []
    for key, where in decisions:
        name = _the_only_prediction(record, key)
        if name is not None:
            found.append((
                'alarm',
                f'{where}THE MODEL TAKES EVERY CLIP FOR {name!r}: whatever precision, recall and '
                'F1 say, it decides nothing',
            ))  # fmt: skip
    if record.get('trained_on'):
        found.append((
            'alarm',
            f'{record["trained_on"]} OF THESE {record["clips"]} CLIPS WERE TRAINED ON: whatever '
            'the numbers say, they say it about memory; evaluate on other clips',
        ))  # fmt: skip
    found += _against_trivial(record)
    chosen = [
        *(['threshold'] if _two(record) else []),
        *(['calibration'] if record['calibration']['kind'] != 'none' else []),
    ]
    if record['chosen_on_these'] and chosen:
        what = ' and '.join(chosen)
        found.append(('care', f'{what} chosen on these very clips: with other clips, expect less'))
    if record['videos'] < FEW_VIDEOS and record['intervals']:
        found.append(
            ('care', f'only {record["videos"]} videos: the intervals are rough themselves')
        )
    return found


def _two(record: Record) -> bool:
    return 'per_class' not in record


def _the_only_prediction(record: Record, key: str | None) -> str | None:
    """The class that all clips of several classes are taken for, if there is one.

    Args:
      record: the whole one.
      key: of the decisions in question; None where the record has only one kind.
    """
    confusion = (record[key] if key else record)['confusion']
    predicted, there = np.sum(confusion, axis=0), np.sum(confusion, axis=1)
    if (predicted > 0).sum() > 1 or (there > 0).sum() < 2:
        return None
    return record['class_names'][int(predicted.argmax())]


def _against_trivial(record: Record) -> list[tuple[str, str]]:
    if _two(record):
        model, trivial = record['at_threshold']['f1'], record['always_positive']['f1']
        f1, other = 'F1 at the stored threshold', 'saying yes to every clip'
    else:
        model, trivial = record['f1'], record['majority_class']['f1']
        name = record['class_names'][record['majority_class']['class']]
        f1, other = 'macro F1', f'taking every clip for {name!r}'
    found = []
    if model <= trivial:
        found.append(('alarm', f'{f1}, {model:.4f}, is no better than {other}, {trivial:.4f}'))
    ends = record['intervals'].get('roc_auc')
    if ends and ends[0] <= 0.5 <= ends[1]:
        found.append(
            (
                'alarm',
                f'the interval of ROC-AUC, {ends[0]:.4f} to {ends[1]:.4f}, holds 0.5: '
                'the order of the clips may be chance',
            )
        )
    return found
