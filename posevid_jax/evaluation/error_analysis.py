"""Where a classifier fails: groups of clips, what declining would help, the surest mistakes."""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.evaluation import confusion, decision, metrics, thresholds
from posevid_jax.evaluation.cv_results import ErrorAnalysis, Mistake
from posevid_jax.evaluation.decision import Judged
from posevid_jax.evaluation.groups import groupings, visibility
from posevid_jax.evaluation.results import (
    BinaryCoverage,
    BinaryGroup,
    ClassGroup,
    Coverage,
    Group,
)
from posevid_jax.evaluation.scores import Decisions, MulticlassScores

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
MOST_ERRORS = 30


def find(clips: Clips, judged: Judged, fold: np.ndarray, config: ConfigDict) -> ErrorAnalysis:
    """All of this about a cross-validation.

    Args:
      clips: N labelled clips.
      judged: each by classifier, threshold and calibration that saw nothing of its fold.
      fold: `[N]`, from 0.
      config: `config.eval`.
    """
    groups, not_grouped = by_group(clips, judged, config.recall)
    rule, _ = decision.rules(config)[config.threshold]
    scores = None if judged.two_classes else metrics.multiclass_scores(clips.label, judged.probs)
    return ErrorAnalysis(
        rule=rule if judged.two_classes else 'most probable class',
        recall=config.recall,
        visibility=visibility(clips.select([0]))[0],
        groups=groups,
        not_grouped=not_grouped,
        coverage=coverage(clips.label, judged),
        errors=errors(clips, judged, fold),
        by_class=confusion.by_class(scores, clips.class_names),
        confusion=scores and scores.confusion,
    )


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
        by_others = decision.decide(chosen, config.calibration, chosen_on='the other folds')
        rows.append(mine)
        parts.append(by_others.judge(for_fold[mine]))
    order = np.argsort(np.concatenate(rows))
    return Judged(*(np.concatenate(of)[order] for of in zip(*parts, strict=True)))


def by_group(
    clips: Clips, judged: Judged, recall: float
) -> tuple[dict[str, list[Group]], dict[str, str]]:
    """The numbers of each group of `groups.groupings`, and what that says of the other ways.

    Returns:
      (for each title its groups, `BinaryGroup` with two classes, else `ClassGroup`; for each title
      without groups why there are none).
    """
    ways, not_grouped = groupings(clips)
    found = {
        way.title: [
            _group(name, clips.label, judged, np.flatnonzero(way.group == g), recall)
            for g, name in enumerate(way.names)
        ]
        for way in ways
    }
    return found, not_grouped


def coverage(
    label: np.ndarray, judged: Judged, shares: Sequence[float] | np.ndarray = COVERAGES
) -> list[Coverage]:
    """What becomes of the decisions when those about the least certain clips are declined.

    Clips that are equally certain are kept or declined together, so that the order of the clips
    does not matter: a few more than asked may be kept.

    Args:
      label: `[N]` class numbers.
      judged: the clips.
      shares: of the clips to keep, 0 to 1.

    Returns:
      one for each share, `BinaryCoverage` with two classes.
    """
    falling = np.sort(judged.certainty)[::-1]
    least = [falling[max(round(share * len(label)), 1) - 1] for share in shares]
    return [
        _kept(float(share), label, judged, float(certainty))
        for share, certainty in zip(shares, least, strict=True)
    ]


def _kept(asked: float, label: np.ndarray, judged: Judged, certainty: float) -> Coverage:
    """The decisions that are at least so certain."""
    rows = np.flatnonzero(judged.certainty >= certainty)
    true, sure = label[rows], Judged(*(of[rows] for of in judged))
    decided = _decided(true, sure)
    found = Coverage(
        asked=asked,
        kept=len(rows) / len(label),
        clips=len(rows),
        certainty=certainty,
        accuracy=float((sure.decided == true).mean()),
        precision=decided.precision,
        recall=decided.recall,
    )
    if isinstance(decided, MulticlassScores):
        return found
    return BinaryCoverage(
        **vars(found),
        positives=int(true.sum()),
        false_positive_rate=decided.false_positive_rate,
    )


def errors(
    clips: Clips, judged: Judged, fold: np.ndarray, most: int = MOST_ERRORS
) -> list[Mistake]:
    """The wrong decisions that were made with the greatest certainty, the surest one first."""
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
        found.append(
            Mistake(
                row=int(row),
                video=chosen.video_ids[n],
                start_frame=start if known else None,
                start_s=start / float(chosen.fps[n]) if known else None,
                label=clips.class_names[chosen.label[n]],
                decided=clips.class_names[decided],
                probability=float(judged.probs[row, 1 if judged.two_classes else decided]),
                certainty=float(judged.certainty[row]),
                visibility=float(seen[n]),
                fold=int(fold[row]) + 1,
            )
        )
    return found


def _group(name: str, label: np.ndarray, judged: Judged, rows: np.ndarray, recall: float) -> Group:
    label, judged = label[rows], Judged(*(of[rows] for of in judged))
    decided = _decided(label, judged)
    several = isinstance(decided, MulticlassScores)
    score = judged.scores[:, 1]
    ranked = (
        metrics.multiclass_scores(label, judged.scores) if several
        else metrics.ranking(label == 1, score)
    )  # fmt: skip
    found = Group(
        name=name,
        clips=len(rows),
        wrong=int((judged.decided != label).sum()),
        precision=decided.precision,
        recall=decided.recall,
        f1=decided.f1,
        roc_auc=ranked.roc_auc,
        average_precision=ranked.average_precision,
    )
    if several:
        return ClassGroup(**vars(found), accuracy=decided.accuracy)
    return BinaryGroup(
        **vars(found),
        positives=int(label.sum()),
        mean_probability=float(judged.probs[:, 1].mean()),
        decided_positive=float(judged.decided.mean()),
        false_positive_rate=decided.false_positive_rate,
        false_positive_rate_at_recall=thresholds.false_positive_rate_at(label, score, recall),
    )


def _decided(label: np.ndarray, judged: Judged) -> Decisions | MulticlassScores:
    """The numbers of what was decided."""
    if judged.two_classes:
        return thresholds.decisions(label, judged.decided)
    return metrics.multiclass_scores(label, judged.probs)
