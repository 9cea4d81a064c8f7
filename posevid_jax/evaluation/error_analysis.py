"""Where a classifier fails: groups of clips, what declining would help, the surest mistakes."""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.evaluation import decision, metrics, thresholds
from posevid_jax.evaluation.decision import Judged
from posevid_jax.evaluation.groups import groupings, visibility
from posevid_jax.evaluation.metrics import Record

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
MOST_ERRORS = 30


def find(clips: Clips, judged: Judged, fold: np.ndarray, config: ConfigDict) -> Record:
    """All of this about a cross-validation, JSON-ready.

    Args:
      clips: N labelled clips.
      judged: each by classifier, threshold and calibration that saw nothing of its fold.
      fold: `[N]`, from 0.
      config: `config.eval`.

    Returns:
      `rule`, by which the thresholds were chosen; `recall`; `visibility`, what that of `errors` is
      of; `groups` and `not_grouped` of `by_group`; `coverage`; and `errors`, each with its `fold`,
      from 1.
    """
    groups, not_grouped = by_group(clips, judged, config.recall)
    rule, _ = decision.rules(config)[config.threshold]
    return {
        'rule': rule if _two(judged) else 'most probable class',
        'recall': config.recall,
        'visibility': visibility(clips.select([0]))[0],
        'groups': groups,
        'not_grouped': not_grouped,
        'coverage': coverage(clips.label, judged),
        'errors': [
            error | {'fold': int(fold[error['row']]) + 1} for error in errors(clips, judged)
        ],
    }


def judge(label: np.ndarray, logits: np.ndarray, fold: np.ndarray, config: ConfigDict) -> Judged:
    """What is said of each clip by the threshold and the calibration that the other folds choose.

    Args:
      label: `[N]` class numbers.
      logits: `[N, K]` out of fold; or `[folds, N, K]`, of all clips as they are to judge each fold,
        where the classifier is itself fitted to the other folds' predictions.
      fold: `[N]`, from 0.
      config: `config.eval`. Where the other folds reach no threshold of its rule, they choose the
        one of the highest F1.
    """
    rows, parts = [], []
    for k, for_fold in enumerate(np.broadcast_to(logits, (fold.max() + 1, *logits.shape[-2:]))):
        others, mine = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        chosen = decision.choose(for_fold[others], label[others], config)
        by_others = decision.from_records(
            chosen['thresholds'] | {'chosen_on': 'the other folds'},
            chosen['calibration'],
            config.calibration,
            where='the other folds',
        )
        rows.append(mine)
        parts.append(by_others.judge(for_fold[mine]))
    order = np.argsort(np.concatenate(rows))
    return Judged(*(np.concatenate(of)[order] for of in zip(*parts, strict=True)))


def by_group(
    clips: Clips, judged: Judged, recall: float
) -> tuple[dict[str, list[Record]], dict[str, str]]:
    """The numbers of each group of `groups.groupings`, and what that says of the other ways.

    Returns:
      (for each title a record a group: its `name`, `clips`, how many were decided `wrong`,
      `precision`, `recall` and `f1` as decided, `roc_auc` and `average_precision`, None in a group
      of one class. With two classes also `positives`, `mean_probability`, the share
      `decided_positive`, the `false_positive_rate` as decided, and the lowest one
      `false_positive_rate_at_recall`, None in a group of one class;
      for each title without groups why there are none).
    """
    ways, not_grouped = groupings(clips)
    found = {
        way.title: [
            {'name': name} | _numbers(clips.label, judged, np.flatnonzero(way.group == g), recall)
            for g, name in enumerate(way.names)
        ]
        for way in ways
    }
    return found, not_grouped


def coverage(
    label: np.ndarray, judged: Judged, shares: Sequence[float] = COVERAGES
) -> list[Record]:
    """What becomes of the decisions when those about the least certain clips are declined.

    Clips that are equally certain are kept or declined together, so that the order of the clips
    does not matter: a few more than asked may be kept.

    Args:
      label: `[N]` class numbers.
      judged: the clips.
      shares: of the clips to keep, 0 to 1.

    Returns:
      A record for each share: `asked`; `kept`, the share that is kept, its number of `clips`, and
      the `certainty` of the least certain one; `accuracy`, `precision` and `recall` of those kept;
      with two classes also `positives` and `false_positive_rate`.
    """
    falling = np.sort(judged.certainty)[::-1]
    found = []
    for share in shares:
        least = falling[max(round(share * len(label)), 1) - 1]
        kept = np.flatnonzero(judged.certainty >= least)
        sure = Judged(*(of[kept] for of in judged))
        numbers = {
            'accuracy': float((sure.decided == label[kept]).mean()),
            **_decisions(label[kept], sure),
        }
        del numbers['f1']
        more = {'positives': int(label[kept].sum())} if _two(judged) else {}
        found.append(
            {'asked': share, 'kept': len(kept) / len(label), 'clips': len(kept)}
            | more
            | {'certainty': float(least)}
            | numbers
        )
    return found


def errors(clips: Clips, judged: Judged, most: int = MOST_ERRORS) -> list[Record]:
    """The wrong decisions that were made with the greatest certainty, the surest one first.

    Returns:
      A record each: `row` of the clip, `video`, `start_frame` and `start_s`, None where unknown;
      `label` and `decided`, names of classes; `probability` of the gesture, or of what was decided;
      `certainty`; and `visibility`, of `groups.visibility`.
    """
    wrong = np.flatnonzero(judged.decided != clips.label)
    rows = wrong[np.argsort(-judged.certainty[wrong], kind='stable')][:most]
    if not len(rows):
        return []
    chosen = clips.select(rows)
    _, seen = visibility(chosen)
    found = []
    for n, row in enumerate(rows):
        start = int(chosen.start_frame[n])
        known = start != UNKNOWN_FRAME
        decided = int(judged.decided[row])
        found.append({
            'row': int(row),
            'video': chosen.video_ids[n],
            'start_frame': start if known else None,
            'start_s': start / float(chosen.fps[n]) if known else None,
            'label': clips.class_names[chosen.label[n]],
            'decided': clips.class_names[decided],
            'probability': float(judged.probs[row, 1 if _two(judged) else decided]),
            'certainty': float(judged.certainty[row]),
            'visibility': float(seen[n]),
        })  # fmt: skip
    return found


def _two(judged: Judged) -> bool:
    return judged.probs.shape[1] == 2


def _numbers(label: np.ndarray, judged: Judged, rows: np.ndarray, recall: float) -> Record:
    label, judged = label[rows], Judged(*(of[rows] for of in judged))
    counts = {'clips': len(rows), 'wrong': int((judged.decided != label).sum())}
    numbers = counts | _decisions(label, judged)
    if not _two(judged):
        record = metrics.evaluate(label, judged.scores, None)
        return numbers | {key: record[key] for key in ('roc_auc', 'average_precision')}
    score = judged.scores[:, 1]
    return numbers | metrics.ranking(label == 1, score) | {
        'positives': int(label.sum()),
        'mean_probability': float(judged.probs[:, 1].mean()),
        'decided_positive': float(judged.decided.mean()),
        'false_positive_rate_at_recall': thresholds.false_positive_rate_at(label, score, recall),
    }  # fmt: skip


def _decisions(label: np.ndarray, judged: Judged) -> Record:
    """`precision`, `recall` and `f1`, with two classes also `false_positive_rate`."""
    if not _two(judged):
        record, keys = metrics.evaluate(label, judged.probs, None), ('precision', 'recall', 'f1')
    else:
        record = thresholds.operating_point(label, judged.decided, 0.5)
        keys = ('precision', 'recall', 'f1', 'false_positive_rate')
    return {key: record[key] for key in keys}
