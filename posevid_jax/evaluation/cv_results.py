"""What a cross-validation says, as types; `json_form` makes files of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated

from posevid_jax.evaluation.confusion import Confusion
from posevid_jax.evaluation.json_form import INLINE, LEFT_OUT
from posevid_jax.evaluation.results import Coverage, Group, Spread, Truthfulness
from posevid_jax.evaluation.scores import Decisions, Intervals


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """What is told of every fold, of all of them together, and of every member.

    Attributes:
      roc_auc, average_precision: None for clips of one kind; of several classes, macro averages.
      f1: decided by the threshold of highest F1 in the other folds, or for the most probable one of
        several classes.
      trivial_f1: of saying yes to every clip, or always the most frequent of several classes.
    """

    roc_auc: float | None
    average_precision: float | None
    f1: float | None
    trivial_f1: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryNumbers(Numbers):
    """The same of two classes, with the lowest false-positive rate that reaches a recall."""

    false_positive_rate: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassNumbers(Numbers):
    """The same of several classes, with the share of clips whose most probable one is theirs, what
    that would be if all were taken for the most frequent one, and those of `MacroScores`."""

    accuracy: float
    trivial_accuracy: float
    top_3_accuracy: Annotated[float | None, LEFT_OUT]
    top_5_accuracy: Annotated[float | None, LEFT_OUT]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fold:
    """A fold by its number, from 1, and how many clips and groups it held out."""

    fold: int
    clips: int
    groups: int
    numbers: Annotated[Numbers, INLINE]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """The results in `cv.json`.

    Attributes:
      clips, groups: how many there are, of all folds.
      recall: at which the false-positive rate is told.
      folds: each of them.
      mean, std: of the numbers over the folds.
      pooled: the numbers of all clips together.
      members: how the pooled numbers of each member alone spread.
      intervals: 95 %, around the pooled numbers.
      calibration: `before`, and after each kind, each fold calibrated by the others.
      names, weights: of the members, where they are runs that form an ensemble.
      unit: name of what the groups are where every clip is a video of its own (`units.of`).
    """

    clips: int
    groups: int
    recall: float
    folds: Sequence[Fold]
    mean: Numbers
    std: Numbers
    pooled: Numbers
    members: Mapping[str, Spread]
    intervals: Intervals
    calibration: Mapping[str, Truthfulness]
    names: Annotated[Sequence[str] | None, LEFT_OUT] = None
    weights: Annotated[Sequence[float] | None, LEFT_OUT] = None
    unit: Annotated[str | None, LEFT_OUT] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutOfFoldThreshold:
    """A threshold by some rule.

    Attributes:
      rule: in words.
      threshold: fitted to all clips; None where none does what the rule asks for.
      expected: what becomes of the clips when each fold is decided by the threshold of the others;
        None where one of these does not exist.
    """

    rule: str
    threshold: float | None
    expected: Decisions | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong decision.

    Attributes:
      row: of the clip.
      video: that the clip is of.
      start_frame, start_s: where it begins, None where that is unknown.
      label, decided: names of classes.
      probability: of the gesture, or of what was decided for.
      certainty: see `decision.Judged`.
      visibility: see `groups.visibility`.
      fold: that held the clip out, from 1.
    """

    row: int
    video: str
    start_frame: int | None
    start_s: float | None
    label: str
    decided: str
    probability: float
    certainty: float
    visibility: float
    fold: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorAnalysis:
    """Where a classifier fails on videos that it never saw.

    Attributes:
      rule: by which the thresholds were chosen.
      recall: at which the false-positive rate of a group is told.
      visibility: what that of the mistakes is of.
      groups, not_grouped, coverage, by_class: as in `results.Assessment`.
      confusion: of several classes, [K, K], a row per true class, a column per predicted one.
      errors: the surest ones, these first.
    """

    rule: str
    recall: float
    visibility: str
    groups: Mapping[str, Sequence[Group]]
    not_grouped: Mapping[str, str]
    coverage: Sequence[Coverage]
    errors: Sequence[Mistake]
    by_class: Annotated[Confusion | None, LEFT_OUT] = None
    confusion: Annotated[Sequence[Sequence[int]] | None, LEFT_OUT] = None
