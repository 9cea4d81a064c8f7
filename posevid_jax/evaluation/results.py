"""What is said of a classifier on a set of clips, as types; `json_form` makes files of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated

from posevid_jax.evaluation.confusion import Confusion
from posevid_jax.evaluation.json_form import INLINE, LEFT_OUT
from posevid_jax.evaluation.scores import BinaryScores, Intervals, Scores, intervals_of
from posevid_jax.evaluation.units import Unit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bin:
    """Clips that were given a probability from `low` to `high`.

    Attributes:
      clips: how many.
      predicted: their mean probability.
      observed: the share of them for which it came true.
    """

    low: float
    high: float
    clips: int
    predicted: float
    observed: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reliability:
    """How often something happened, by the probability with which it was predicted.

    Attributes:
      bins: those that are not empty.
      expected_calibration_error: mean distance of predicted and observed over the clips.
    """

    bins: list[Bin]
    expected_calibration_error: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Truthfulness:
    """How far probabilities are from what happened; `log_loss` in nats."""

    log_loss: float
    brier: float
    expected_calibration_error: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinnedTruthfulness(Truthfulness):
    """The same, with the `bins` of `Reliability`."""

    bins: list[Bin]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationEffect:
    """What a calibration does; its `kind` is none, temperature or platt."""

    kind: str
    before: BinnedTruthfulness
    after: BinnedTruthfulness


@dataclasses.dataclass(frozen=True, kw_only=True)
class Group:
    """The clips that something has in common, as decided and as ranked.

    Attributes:
      name: what it is, such as a video.
      clips: how many.
      wrong: of them, decided wrongly.
      precision, recall, f1: as in `Decisions`; of several classes, macro averages.
      roc_auc, average_precision: None in a group of one class.
    """

    name: str
    clips: int
    wrong: int
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    average_precision: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassGroup(Group):
    """A group of clips of several classes, and the share that is decided rightly."""

    accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryGroup(Group):
    """A group of clips of two classes.

    Attributes:
      positives: clips of the gesture.
      mean_probability: of the gesture.
      decided_positive: share of the clips decided for it.
      false_positive_rate: as decided.
      false_positive_rate_at_recall: the lowest one that reaches a recall, by a threshold of the
        group's own; None in a group of one class.
    """

    positives: int
    mean_probability: float
    decided_positive: float
    false_positive_rate: float
    false_positive_rate_at_recall: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coverage:
    """What becomes of the decisions when those about the least certain clips are declined.

    Attributes:
      asked: share of the clips to keep.
      kept: share that is kept, a little more where clips are equally certain.
      clips: how many these are.
      certainty: of the least certain one.
      accuracy, precision, recall: of those kept.
    """

    asked: float
    kept: float
    clips: int
    certainty: float
    accuracy: float
    precision: float
    recall: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryCoverage(Coverage):
    """The same of clips of two classes; `positives` and rate are of those kept."""

    positives: int
    false_positive_rate: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread:
    """How far the numbers of several members lie apart.

    Attributes:
      mean, std: None where a member has no such number; std, of a sample, also of one member.
      each: in the order of the members.
    """

    mean: float | None
    std: float | None
    each: list[float | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assessment:
    """All that is said of a classifier on a set of clips.

    Attributes:
      scores: of the calibrated probabilities.
      videos: how many there are.
      fingerprint: of the clips.
      class_names: in the order of the numbers.
      intervals: 95 %, of each number of the scores; empty without draws.
      calibration: what it does to the probabilities.
      stored_threshold: of the probability before calibration; None with several classes.
      threshold_rule, chosen_on: by which rule and on which clips it was chosen, in words.
      chosen_on_these: whether these very clips had a part in that.
      groups: by what they have in common.
      not_grouped: for each way that finds only one group, the name of that one.
      coverage: for falling shares.
      by_class: of several classes.
      unit: what takes the place of videos where every clip is one (`units.of`).
    """

    scores: Annotated[Scores, INLINE]
    videos: int
    fingerprint: str
    class_names: list[str]
    intervals: Intervals
    calibration: CalibrationEffect
    stored_threshold: float | None
    threshold_rule: str
    chosen_on: str
    chosen_on_these: bool
    groups: Mapping[str, Sequence[Group]]
    not_grouped: Mapping[str, str]
    coverage: Sequence[Coverage]
    by_class: Annotated[Confusion | None, LEFT_OUT] = None
    unit: Annotated[Unit | None, LEFT_OUT] = None

    @property
    def drawn(self) -> Unit:
        """What the bootstrap draws."""
        return self.unit or Unit(name='video', count=self.videos)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """An evaluation of a run, `eval/<set>.json`.

    Attributes:
      set: name of the set of clips.
      source: where the set lies, or what it was split off from.
      step: of the checkpoint.
      assessment: what is said of it.
      loss: weighted mean of the configured loss.
      members: how the numbers of each member alone spread, before calibration; None without.
      trained_on: how many of the clips it was trained on.
    """

    set: str
    source: str
    step: int
    assessment: Annotated[Assessment, INLINE]
    loss: float
    members: Annotated[Mapping[str, Spread] | None, LEFT_OUT]
    trained_on: int

    @property
    def scores(self) -> Scores:
        """Those of the assessment."""
        return self.assessment.scores


@dataclasses.dataclass(frozen=True, kw_only=True)
class PastEvaluation:
    """What is read of an evaluation, of this version or an older one.

    Attributes:
      fingerprint: of the clips; None where an older run does not say it.
      step, scores, intervals, chosen_on_these, unit: as in `Evaluation` and `Assessment`.
    """

    step: int
    scores: Annotated[Scores, INLINE]
    fingerprint: str | None = None
    intervals: Intervals = dataclasses.field(default_factory=dict)
    chosen_on_these: bool = False
    unit: Unit | None = None

    @property
    def headline_intervals(self) -> Intervals:
        """Those of the numbers of `Scores.headline`, by their names in it."""
        return {**self.intervals, **intervals_of('at_threshold', self.intervals)}

    @property
    def threshold(self) -> float | None:
        """Of the calibrated probability; None with several classes."""
        scores = self.scores
        return scores.at_threshold.threshold if isinstance(scores, BinaryScores) else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpochScores:
    """The validation clips at the end of an epoch, before calibration; as in `Evaluation`."""

    scores: Annotated[Scores, INLINE]
    loss: float
    members: Annotated[Mapping[str, Spread] | None, LEFT_OUT] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Epoch:
    """An entry of `history.json`.

    Attributes:
      epoch: from 1.
      step: at its end.
      train: means over its steps.
      val: the validation clips at its end.
      time: what took how long, `*_s` in seconds.
    """

    epoch: int
    step: int
    train: Mapping[str, float]
    val: EpochScores
    time: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Best:
    """`best.json`: the epoch that a run goes by, and the `value` of the `metric` that chose it."""

    step: int
    epoch: int
    metric: str
    value: float | None
