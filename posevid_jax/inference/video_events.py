"""What was found in recordings, as records, beside what was labelled."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation import event_metrics, metrics, segmentation
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.evaluation.segmentation_results import ONE_EVENT_EACH, Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording, stretches
from posevid_jax.inference import decoders, events
from posevid_jax.inference.decoders import EventModel
from posevid_jax.inference.events import Event, Rule
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.inference.trained_run import TrainedRun


@dataclasses.dataclass(frozen=True, eq=False)
class Video:
    """What was found in one recording of T frames.

    Attributes:
      recording: at the clips' frame rate.
      probs: [T, K] class probabilities of the frames, smoothed where thresholds make events.
      uncertain: [T] bool, where the gesture could not be seen.
      rule: that made the events: thresholds, or a model.
      events: in order of time.
      label: [T] class numbers, UNKNOWN_LABEL where there is none; None without a label file.
    """

    recording: Recording
    probs: np.ndarray
    uncertain: np.ndarray
    rule: Rule | EventModel
    events: list[Event]
    label: np.ndarray | None

    @property
    def prob(self) -> np.ndarray:
        """[T] probability of the gesture."""
        return 1 - self.probs[:, 0]

    @property
    def found_label(self) -> np.ndarray:
        """[T] class of the event that each frame is in, 0 where it is in none."""
        label = np.zeros(len(self.probs), np.int64)
        for event in self.events:
            label[event.start : event.end] = self.label_of(event)
        return label

    def label_of(self, event: Event) -> int:
        """The class of an event; where events are of any, the most probable one in it."""
        if event.label is not None:
            return event.label
        return 1 + int(self.probs[event.start : event.end, 1:].mean(0).argmax())

    @property
    def doubt(self) -> float:
        """Seconds that are expected to be wrong, if the probabilities are right."""
        right = np.take_along_axis(self.probs, self.found_label[:, None], 1)[:, 0]
        return float(((1 - right) * np.diff(self.seconds)).sum())

    @property
    def seconds(self) -> np.ndarray:
        """[T + 1] where each frame begins, and the end of the last one."""
        time = self.recording.time
        return np.append(time, time[-1] + 1 / self.recording.fps)

    def spans(self, frames: np.ndarray | Sequence[int] | Sequence[Sequence[int]]) -> np.ndarray:
        """Stretches [E, 2] of frames in seconds."""
        return self.seconds[np.asarray(frames, np.int64).reshape(-1, 2)]


def find(
    of: LabelledRecording,
    probs: np.ndarray,
    config: ConfigDict,
    threshold: float | None,
    model: EventModel | None,
) -> Video:
    """The events of a recording.

    Args:
      of: the recording.
      probs: [T, K] class probabilities of its frames, not smoothed.
      config: `config.predict`.
      threshold: of the classifier; None with several classes.
      model: what makes events in place of thresholds, or None.
    """
    recording = of.recording
    if model is None:
        probs = events.smooth(probs, 2 * round(config.smooth * recording.fps / 2) + 1)
        rule = Rule.of(config, threshold, recording.fps)
        found = events.find_events(1 - probs[:, 0], rule)
    else:
        rule, found = model, decoders.find(probs, model, recording.fps)
    seen = events.visible(recording.joints, recording.joint_names, config.min_visibility)
    return Video(
        recording=recording,
        probs=probs,
        uncertain=~seen,
        rule=rule,
        events=found,
        label=of.label,
    )


def make_record(videos: list[Video], run: TrainedRun) -> dict[str, Any]:
    """What was found in some videos, for `write_json`.

    Returns:
      `videos`, a record each with its `events`; with labels also `metrics`, the `EventScores` of
      each overlap, `whole_video`, the same for one event over each video, `frames`, the metrics
      of the probabilities per frame (None where no frame has a label), and `segmentation`, the
      `Segmentation` of what was `found`, and of the trivial `one event each` and `no event`.
    """
    record: dict[str, Any] = {'videos': [_video_record(video, run) for video in videos]}
    labelled = [(video, video.label) for video in videos if video.label is not None]
    if not labelled:
        return record
    overlaps = tuple(run.config.predict.overlaps)
    whole_video = [(video, label, [Event(0, len(video.prob), 1.0)]) for video, label in labelled]
    return record | {
        'metrics': event_metrics.evaluate_events(
            [_compared(video, label, video.events) for video, label in labelled], overlaps
        ),
        'whole_video': event_metrics.evaluate_events(
            [_compared(*whole) for whole in whole_video], overlaps
        ),
        'frames': _frame_metrics(labelled, run.threshold),
        'segmentation': _segmentation(labelled, run),
    }


def _segmentation(
    labelled: list[tuple[Video, np.ndarray]], run: TrainedRun
) -> dict[str, Segmentation]:
    found = [
        SegmentedRecording(
            label.astype(np.int64), video.found_label, video.seconds, video.recording.name
        )
        for video, label in labelled
    ]
    judge = functools.partial(
        segmentation.evaluate,
        class_names=run.inputs['class_names'],
        overlaps=run.config.predict.overlaps,
        samples=run.config.eval.bootstrap,
        seed=run.config.seed,
    )
    return {
        'found': judge(found),
        ONE_EVENT_EACH: judge(segmentation.one_event_each(found)),
        'no event': judge(segmentation.no_event(found), samples=0),
    }


def _compared(video: Video, label: np.ndarray, found: list[Event]) -> event_metrics.VideoEvents:
    """Events that lie mostly where there is no label are neither right nor wrong."""
    known = label != UNKNOWN_LABEL
    frames = np.array([[e.start, e.end] for e in found if known[e.start : e.end].mean() >= 0.5])
    return event_metrics.VideoEvents(
        found=video.spans(frames),
        true=video.spans(stretches(label > 0)),
        seconds=float(np.diff(video.seconds)[known].sum()),
    )


def _frame_metrics(
    labelled: list[tuple[Video, np.ndarray]], threshold: float | None
) -> dict[str, Any] | None:
    label = np.concatenate([label for _, label in labelled])
    known = label != UNKNOWN_LABEL
    if not known.any():
        return None
    probs = np.concatenate([video.probs for video, _ in labelled])[known]
    record = to_json(metrics.evaluate(label[known].astype(np.int64), probs, threshold))
    return {'frames': record.pop('clips')} | record


def _video_record(video: Video, run: TrainedRun) -> dict[str, Any]:
    names = run.inputs['class_names']
    fps, rule = video.recording.fps, dataclasses.asdict(video.rule)
    return {
        'video': video.recording.name,
        'frames': len(video.prob),
        'fps': fps,
        'seconds': float(video.seconds[-1]),
        'uncertain': float(video.uncertain.mean()),
        'rule': rule,
        'events': [_event_record(video, event, names) for event in video.events],
    }


def _event_record(video: Video, event: Event, names: list[str]) -> dict[str, Any]:
    frames = slice(event.start, event.end)
    start, end = video.spans([event.start, event.end])[0]
    return {
        'label': names[video.label_of(event)],
        'start_frame': event.start,
        'end_frame': event.end - 1,
        'start_seconds': float(start),
        'end_seconds': float(end),
        'confidence': event.confidence,
        'uncertain': bool(video.uncertain[frames].mean() > 0.5),
    }
