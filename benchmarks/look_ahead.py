"""What a stream gains by looking ahead, and how late it then says that an event has begun.

    python -m benchmarks.look_ahead --workdir=runs/mine --durations=runs/mine/durations.json \\
        --landmarks=$CLIPS/landmarks/val --labels=$CLIPS/intervals/val

Labelled recordings go through a stream (`posevid_jax.inference.stream`), frame after frame. A row
is a way to make events of its probabilities: two thresholds, or a duration model with a look-ahead
(`predict.look_ahead`). Matched are events that overlap by a tenth at least (`segments.pairs`), and
their delay is the time from the labelled start to the frame at which the stream tells a start. What
a frame takes is the mean over all, of features, network and events, in CPU time.
"""

import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import app, flags, logging

from posevid_jax.evaluation import event_metrics, segmentation, segments
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.evaluation.table import Table
from posevid_jax.inference import duration_model
from posevid_jax.inference.decoded_events import DecodedEventFinder
from posevid_jax.inference.events import Event, EventFinder, Rule
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.inference.restore import restore_directory
from posevid_jax.inference.stream import Stream
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.machine import compilation_cache
from posevid_jax.modes import read_recordings
from posevid_jax.modes.command_line import with_one_line_errors

SECONDS = (0.0, 0.5, 1.0, 2.0)
OVERLAPS = (0.1, 0.5, 0.75)
_WARM_UP = 20  # frames of a recording whose time is not counted

Changes = list[tuple[str, Event]]


class Finder(NamedTuple):
    """From the probabilities [K] of a frame to changes of events, and the last changes."""

    push: Callable[[np.ndarray], Changes]
    finish: Callable[[], Changes]


class Streamed(NamedTuple):
    """A recording after a stream.

    Attributes:
      of: the recording, with labels.
      probs: [T, K] what the stream said after each frame.
      seconds: that it took for a frame, the mean.
    """

    of: LabelledRecording
    probs: np.ndarray
    seconds: float


class Found(NamedTuple):
    """What a way made of the T frames of a recording.

    Attributes:
      label: [T] class of the event that each frame is in, 0 without.
      told: by the first frame of an event, the frame at which its start was told.
      seconds: that the way took for a frame, the mean.
    """

    label: np.ndarray
    told: dict[int, int]
    seconds: float


def main(argv: list[str]) -> None:
    logging.set_verbosity(logging.WARNING)  # the libraries narrate every file that they read
    with tempfile.TemporaryDirectory() as folder:
        compilation_cache.enable(folder)  # a stream compiles anew for each recording
        _compare()


def _compare() -> None:
    run = restore_directory(flags.FLAGS.workdir, 'best')
    model = duration_model.read(pathlib.Path(flags.FLAGS.durations))
    streamed = list(stream(run))
    ways = {'thresholds': lambda fps: thresholds(run, fps)} | {
        f'durations, {seconds:g} s ahead': lambda fps, seconds=seconds: durations(
            DecodedEventFinder(model, fps, round(seconds * fps))
        )
        for seconds in SECONDS
    }
    title = f'{flags.FLAGS.workdir} on {len(streamed)} recordings of {flags.FLAGS.landmarks}'
    rows = [(name, *row(way, streamed, run.inputs['class_names'])) for name, way in ways.items()]
    header = (
        '', *(f'F1@{overlap:g}' for overlap in OVERLAPS), 'false/hour@0.5', 'matched',
        'start told after (s)', '90 %', 'CPU ms a frame',
    )  # fmt: skip
    print('\n'.join(Table(title, header, rows).lines()))


def stream(run: TrainedRun) -> Iterator[Streamed]:
    """The labelled recordings, each through a stream of its own."""
    settings = run.config.prepare.copy_and_resolve_references()
    settings.landmarks, settings.labels = flags.FLAGS.landmarks, flags.FLAGS.labels
    for of in read_recordings.read(settings, run.form, Report()):
        recording, probs, seconds = of.recording, [], []
        names = recording.joint_names
        through = Stream(run, fps=recording.fps, aspect=recording.aspect, joint_names=names)
        for joints in recording.joints:
            started = time.process_time()
            probs.append(through.push(joints).probs)
            seconds.append(time.process_time() - started)
        yield Streamed(of, np.array(probs), float(np.mean(seconds[_WARM_UP:])))


def thresholds(run: TrainedRun, fps: float) -> Finder:
    """As a stream finds events without a duration model; an event is of its most probable class."""
    finder = EventFinder(Rule.of(run.config.predict, run.threshold, fps))
    return Finder(lambda probs: finder.push(float(1 - probs[0])), finder.finish)


def durations(finder: DecodedEventFinder) -> Finder:
    return Finder(finder.push, finder.finish)


def find(way: Finder, probs: np.ndarray) -> Found:
    """What a way makes of the probabilities [T, K] of frames that come one after the other."""
    label, told = np.zeros(len(probs), np.int64), {}
    started = time.process_time()
    changes = [way.push(of) for of in probs]
    seconds = (time.process_time() - started) / len(probs)
    changes[-1] = changes[-1] + way.finish()
    for frame, of_frame in enumerate(changes):
        for kind, event in of_frame:
            if kind == 'start':
                told[event.start] = frame
                continue
            inside = slice(event.start, event.end)
            of = event.label
            label[inside] = 1 + probs[inside, 1:].mean(0).argmax() if of is None else of
    return Found(label, told, seconds)


def delays(of: SegmentedRecording, told: Mapping[int, int], classes: int) -> list[float]:
    """Seconds from the start of each labelled event that was found to the frame that told it."""
    found = []
    for k in range(1, classes):
        events, true = segments.events_of(of, k)
        for one, other in zip(*segments.pairs(event_metrics.overlaps(events, true)), strict=True):
            first = int(np.searchsorted(of.seconds, events[one, 0]))
            found.append(float(of.seconds[told[first]] - true[other, 0]))
    return found


def row(
    way: Callable[[float], Finder], streamed: Sequence[Streamed], class_names: Sequence[str]
) -> tuple[str, ...]:
    """The cells of a way."""
    judged, late, seconds, frames = [], [], 0.0, 0
    for one in streamed:
        recording, label = one.of.recording, one.of.label
        found = find(way(recording.fps), one.probs)
        ends = np.append(recording.time, recording.time[-1] + 1 / recording.fps)
        assert label is not None  # of recordings with labels
        judged.append(SegmentedRecording(label.astype(np.int64), found.label, ends, recording.name))
        late += delays(judged[-1], found.told, len(class_names))
        seconds += len(label) * (one.seconds + found.seconds)
        frames += len(label)
    numbers = segmentation.evaluate(judged, class_names, overlaps=OVERLAPS).numbers
    middle, most = np.quantile(late, (0.5, 0.9)) if late else (np.nan, np.nan)
    return (
        *(f'{numbers[f"f1@{overlap:g}"]:.3f}' for overlap in OVERLAPS),
        f'{numbers["false_per_hour@0.5"]:.0f}',
        str(len(late)),
        f'{middle:.2f}',
        f'{most:.2f}',
        f'{1e3 * seconds / frames:.2f}',
    )


def _define_flags() -> None:
    """Not on import: other programs have flags of these names too."""
    for name, what in (
        ('workdir', 'A run directory.'),
        ('durations', 'A duration model, as predict.durations.'),
        ('landmarks', 'As prepare.landmarks.'),
        ('labels', 'As prepare.labels.'),
    ):
        flags.DEFINE_string(name, None, what, required=True)


if __name__ == '__main__':
    _define_flags()
    app.run(with_one_line_errors(main))
