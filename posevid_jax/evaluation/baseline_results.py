"""What baselines say, as types; `json_form` makes files of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated

from posevid_jax.evaluation.json_form import INLINE, LEFT_OUT


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineNumbers:
    """The numbers of a classifier in a table of baselines.

    Attributes:
      accuracy, macro_f1: where the most probable class is decided for.
      roc_auc, average_precision: None for clips of one kind; of several classes, macro averages.
      f1: of the gesture, decided by a threshold that was fitted to other clips; None with several
        classes.
      trivial_f1: of saying yes to every clip; with several classes the macro F1 of always saying
        the most frequent one.
      false_positive_rate: the lowest at a recall; None with several classes.
    """

    accuracy: float
    macro_f1: float
    roc_auc: float | None
    average_precision: float | None
    f1: Annotated[float | None, LEFT_OUT] = None
    trivial_f1: float | None
    false_positive_rate: Annotated[float | None, LEFT_OUT] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineRow:
    """A row of the table; `time` has the seconds of reading, fitting and applying, `all_s`."""

    name: str
    numbers: Annotated[BaselineNumbers, INLINE]
    time: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineTable:
    """Classifiers on the same clips: `clips` of them, of so many `groups`."""

    clips: int
    groups: int
    rows: Sequence[BaselineRow]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baselines:
    """The results in `baseline.json`.

    Attributes:
      recall: at which the false-positive rate is told.
      folds: each clip judged by classifiers that did not see its group.
      test: the clips of `data.test`, judged by classifiers of all training clips.
      left_out: why a baseline is in no table, by its name.
    """

    recall: float
    folds: BaselineTable
    test: Annotated[BaselineTable | None, LEFT_OUT] = None
    left_out: Mapping[str, str]
