"""The scores of a classifier on a set of clips, as types.

Numbers are as `metrics.evaluate` defines them. What came after the first version has a default:
files without it are read with that.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

from posevid_jax.evaluation.json_form import LEFT_OUT, Key

_UNKNOWN = math.nan


class Interval(NamedTuple):
    """Where a number lies with the wanted confidence: [low, high]."""

    low: float
    high: float


Intervals: TypeAlias = Mapping[str, Interval | None]
"""By the name of a number; names of numbers in a part begin with that part, `at_threshold.f1`."""


def intervals_of(part: str, intervals: Intervals) -> Intervals:
    """The intervals of a part's numbers, by their names in it."""
    start = f'{part}.'
    return {
        name.removeprefix(start): ends for name, ends in intervals.items() if name.startswith(start)
    }


# What reports call the numbers of `Quality`, of `Decisions`, of a class and of all classes, and
# their attributes: rows and columns of tables, in this order.
QUALITY_TITLES = (
    ('ROC-AUC', 'roc_auc'), ('average precision', 'average_precision'), ('Brier score', 'brier'),
    ('calibration error', 'expected_calibration_error'),
)  # fmt: skip
DECISION_TITLES = (
    ('precision', 'precision'), ('recall', 'recall'), ('specificity', 'specificity'),
    ('balanced accuracy', 'balanced_accuracy'), ('F1', 'f1'),
)  # fmt: skip
CLASS_TITLES = (
    ('clips', 'clips'), ('precision', 'precision'), ('recall', 'recall'), ('F1', 'f1'),
    ('ROC-AUC', 'roc_auc'), ('AP', 'average_precision'),
)  # fmt: skip
MACRO_TITLES = (
    ('accuracy', 'accuracy'), ('top-3 accuracy', 'top_3_accuracy'),
    ('top-5 accuracy', 'top_5_accuracy'), ('macro F1', 'f1'), ('macro precision', 'precision'),
    ('macro recall', 'recall'), ('macro specificity', 'specificity'), ('macro ROC-AUC', 'roc_auc'),
    ('macro average precision', 'average_precision'), ('Brier score', 'brier'),
    ('calibration error', 'expected_calibration_error'),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ranking:
    """How well one class is ranked above the rest; None where all clips are of one kind."""

    roc_auc: float | None
    average_precision: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quality(Ranking):
    """Numbers of probabilities that depend on no threshold."""

    brier: float = _UNKNOWN
    expected_calibration_error: float = _UNKNOWN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decisions:
    """How clips were decided: as found, or not; each number is 0 where it is 0 / 0.

    Attributes:
      balanced_accuracy: the mean recall of the kinds of clips that are there.
      confusion: [[tn, fp], [fn, tp]].
    """

    precision: float
    recall: float
    f1: float
    specificity: float = _UNKNOWN
    balanced_accuracy: float = _UNKNOWN
    false_positive_rate: float = _UNKNOWN
    confusion: list[list[int]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _At:
    threshold: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint(Decisions, _At):
    """What a threshold does to a set of clips: found is what is at least as probable."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConstantScores(OperatingPoint, Quality):
    """The scores of a classifier that gives all clips one probability, decided at 0.5."""

    roc_auc: float | None = None
    average_precision: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Headline:
    """The numbers by which classifiers are compared, however many classes they tell apart.

    Attributes:
      roc_auc, average_precision, brier, expected_calibration_error: those of the scores.
      f1, balanced_accuracy: of what was decided, by the stored threshold where there is one.
      trivial_f1: of saying yes to every clip, or always the most frequent of several classes.
    """

    roc_auc: float | None
    average_precision: float | None
    f1: float
    trivial_f1: float
    balanced_accuracy: float
    brier: float
    expected_calibration_error: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Clips:
    clips: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class _BinaryClips(_Clips):
    positives: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryScores(Quality, _BinaryClips):
    """The scores of two classes.

    Attributes:
      clips, positives: how many there are, and how many of the gesture.
      at_threshold: decided by the stored threshold.
      at_half: decided at a probability of 0.5.
      always_positive: of being sure of the gesture in every clip.
      prior: of giving each clip the set's own share of positives: no constant does better.
      AVERAGE: what stands before the names of its numbers.
    """

    at_threshold: OperatingPoint
    at_half: Annotated[OperatingPoint, Key('at_0.5')]
    always_positive: ConstantScores
    prior: ConstantScores = ConstantScores(
        threshold=0.5, precision=_UNKNOWN, recall=_UNKNOWN, f1=_UNKNOWN, confusion=[]
    )

    AVERAGE: ClassVar[str] = ''

    @property
    def confusions(self) -> dict[str, list[list[int]]]:
        """Who is taken for whom, [K, K], a row per true class, by how it is decided, in words."""
        return {
            f'stored threshold, {self.at_threshold.threshold:.3f}': self.at_threshold.confusion,
            'at 0.5': self.at_half.confusion,
        }

    @property
    def headline(self) -> Headline:
        """The numbers to compare it by."""
        return _headline(self, self.at_threshold, self.always_positive)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassScores:
    """One of several classes against the rest, where the most probable class is decided for.

    Attributes:
      support: clips of the class.
      roc_auc, average_precision: as in `Ranking`.
      precision, recall, specificity, f1: as in `Decisions`.
    """

    support: int
    roc_auc: float | None
    average_precision: float | None
    precision: float
    recall: float
    specificity: float
    f1: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class MacroScores:
    """Averages over the classes that a set holds; from accuracy on, of all clips together.

    Attributes:
      roc_auc, average_precision, precision, recall, specificity, f1: means of `ClassScores`; of
        ranking, over the classes that have it, None where none has.
      balanced_accuracy: the macro recall.
      accuracy: share of the clips whose class is the most probable one.
      brier, expected_calibration_error: as in `Quality`.
      top_3_accuracy, top_5_accuracy: share of the clips whose class is among so many most probable
        ones; None where there are no more classes than that.
    """

    roc_auc: float | None
    average_precision: float | None
    precision: float
    recall: float
    specificity: float
    f1: float
    balanced_accuracy: float
    accuracy: float
    brier: float
    expected_calibration_error: float
    top_3_accuracy: Annotated[float | None, LEFT_OUT] = None
    top_5_accuracy: Annotated[float | None, LEFT_OUT] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OneClass:
    class_number: Annotated[int, Key('class')]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MajorityScores(MacroScores, _OneClass):
    """The scores of being sure of the set's most frequent class in every clip."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MulticlassScores(MacroScores, _Clips):
    """The scores of more than two classes.

    Attributes:
      clips: how many there are.
      per_class: in the order of the classes.
      confusion: [K, K], a row per true class, a column per predicted one.
      majority_class: of being sure of the most frequent class.
      prior: of giving each class its share of the set.
      AVERAGE: what stands before the names of its numbers.
    """

    per_class: list[ClassScores]
    confusion: list[list[int]]
    majority_class: MajorityScores
    prior: MacroScores

    AVERAGE: ClassVar[str] = 'macro '

    @property
    def confusions(self) -> dict[str, list[list[int]]]:
        """As of two classes; there is one way to decide."""
        return {'most probable class': self.confusion}

    @property
    def headline(self) -> Headline:
        """The numbers to compare it by."""
        return _headline(self, self, self.majority_class)


Scores: TypeAlias = BinaryScores | MulticlassScores


def _headline(
    quality: Quality | MacroScores,
    decided: OperatingPoint | MacroScores,
    trivial: ConstantScores | MacroScores,
) -> Headline:
    return Headline(
        roc_auc=quality.roc_auc,
        average_precision=quality.average_precision,
        f1=decided.f1,
        trivial_f1=trivial.f1,
        balanced_accuracy=decided.balanced_accuracy,
        brier=quality.brier,
        expected_calibration_error=quality.expected_calibration_error,
    )
