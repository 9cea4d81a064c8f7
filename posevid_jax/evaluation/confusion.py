"""Who is taken for whom, of several classes."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from posevid_jax.evaluation.scores import MulticlassScores, Ranking, Scores

MOST_PAIRS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassErrors(Ranking):
    """How one of several classes is decided and ranked.

    Attributes:
      name: of the class.
      clips: of it.
      precision, recall, f1: as in `Decisions`.
      taken_for: the other class that its clips are most often taken for; None without a mistake.
      taken_for_clips: how many of them.
    """

    name: str
    clips: int
    precision: float
    recall: float
    f1: float
    taken_for: str | None
    taken_for_clips: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusedPair:
    """Clips of one class that are taken for another: how many, and their share of the class."""

    true: str
    predicted: str
    clips: int
    share: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Confusion:
    """Who is taken for whom, of several classes.

    Attributes:
      classes: each of them, in the order of the numbers.
      most_confused: the pairs with the most clips, these first.
    """

    classes: Sequence[ClassErrors]
    most_confused: Sequence[ConfusedPair]


def by_class(scores: Scores | None, names: Sequence[str]) -> Confusion | None:
    """Each class and the pairs most often confused; None of two classes.

    Args:
      scores: of a set of clips.
      names: of the K classes.
    """
    if not isinstance(scores, MulticlassScores):
        return None
    wrong = np.array(scores.confusion)
    np.fill_diagonal(wrong, 0)
    classes = [
        ClassErrors(
            name=name,
            clips=of.support,
            precision=of.precision,
            recall=of.recall,
            f1=of.f1,
            roc_auc=of.roc_auc,
            average_precision=of.average_precision,
            taken_for=names[int(row.argmax())] if row.any() else None,
            taken_for_clips=int(row.max()),
        )
        for name, of, row in zip(names, scores.per_class, wrong, strict=True)
    ]
    return Confusion(classes=classes, most_confused=_pairs(wrong, classes))


def _pairs(wrong: np.ndarray, classes: Sequence[ClassErrors]) -> list[ConfusedPair]:
    """The pairs of most clips, of equals that of the larger share; `wrong` [K, K] off diagonal."""
    found = [
        ConfusedPair(
            true=classes[true].name,
            predicted=classes[predicted].name,
            clips=int(wrong[true, predicted]),
            share=float(wrong[true, predicted] / classes[true].clips),
        )
        for true, predicted in np.argwhere(wrong)
    ]
    return sorted(found, key=lambda pair: (-pair.clips, -pair.share))[:MOST_PAIRS]
