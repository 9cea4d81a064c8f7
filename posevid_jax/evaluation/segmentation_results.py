"""How well recordings are cut into events, as types."""

import dataclasses

from posevid_jax.evaluation.scores import Interval
from posevid_jax.evaluation.units import Unit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Boundary:
    """Errors of the starts or ends of found events, in seconds; late is above 0.

    Attributes:
      median, median_abs, p90_abs: of the signed and of the absolute errors; None without a match.
    """

    median: float | None
    median_abs: float | None
    p90_abs: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassEvents:
    """One class.

    Attributes:
      name: of the class.
      true_events, found_events: how many.
      matched, precision, recall, f1, false_per_hour: by overlap, in the order of
        `Segmentation.overlaps`; the last is None without a labelled frame.
      frame_f1: of single frames.
    """

    name: str
    true_events: int
    found_events: int
    matched: list[int]
    precision: list[float]
    recall: list[float]
    f1: list[float]
    false_per_hour: list[float | None]
    frame_f1: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordingEvents:
    """One recording.

    Attributes:
      name: of the recording.
      true_events, found_events: how many.
      matched, f1: by overlap, in the order of `Segmentation.overlaps`; F1 is None where there is no
        event to find and none was found.
      edit, frame_accuracy: as in `Segmentation.numbers`.
      group: what the bootstrap draws it with.
      frames, seconds: with a label; 0 in records of older versions, which lack what follows too.
      start, end: errors of its events that overlap a true one by a tenth, in seconds.
    """

    name: str
    true_events: int
    found_events: int
    matched: list[int]
    f1: list[float | None]
    edit: float | None
    frame_accuracy: float | None
    group: int = 0
    frames: int = 0
    seconds: float = 0.0
    start: list[float] = dataclasses.field(default_factory=list)
    end: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Segmentation:
    """How well some recordings are segmented.

    Attributes:
      recordings, hours: how many, and how much of them has a label.
      overlaps: that events are judged at.
      true_events, found_events: of all classes.
      matched: by overlap; events of a wrong class are not.
      numbers: by name: `f1@0.5`, `precision@0.5`, `recall@0.5` and `false_per_hour@0.5` and so on
        for each overlap, of all classes together, `edit` (0 to 100), `frame_accuracy` and
        `frame_macro_f1` (over the classes that there are); None where undefined.
      intervals: 95 % intervals of them, by bootstrap.
      drawn: what the bootstrap draws.
      classes: each of them but class 0.
      start, end: errors of events that overlap a true one by a tenth.
      by_recording: in their order.
    """

    recordings: int
    hours: float
    overlaps: list[float]
    true_events: int
    found_events: int
    matched: list[int]
    numbers: dict[str, float | None]
    intervals: dict[str, Interval | None]
    drawn: Unit
    classes: list[ClassEvents]
    start: Boundary
    end: Boundary
    by_recording: list[RecordingEvents]


ONE_EVENT_EACH = 'one event each'
"""The name of a trivial way in the records below."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PastPrediction:
    """What a run directory keeps of the recordings of a set, `predictions/SET/events.json`.

    Attributes:
      segmentation: by way, the run's own first; None without labels.
    """

    segmentation: dict[str, Segmentation] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PastCrossValidation:
    """What a cross-validation keeps of recordings, `cv/events.json`.

    Attributes:
      ways: to find events, by name, with the trivial one.
    """

    ways: dict[str, Segmentation]
