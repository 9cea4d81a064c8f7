"""Mode predict on landmark files: a probability per frame, events, and a timeline of each video."""

import pathlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.concatenate import concatenate
from posevid_jax.data.intervals import frame_labels, in_seconds, outside_label
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError
from posevid_jax.inference import duration_model, events, recording_files, recordings
from posevid_jax.inference.decoded_events import decoded_events
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Rule
from posevid_jax.inference.restore import restore
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.inference.video_events import Video, make_record
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import prepare
from posevid_jax.runs import set_names
from posevid_jax.runs.files import read_json

_CLIPS_AT_ONCE = 2048  # of short videos together, so that batches are full

# A recording, its clips, and the labels of its frames, where it has some.
_Waiting = tuple[Recording, Clips, np.ndarray | None]


def predict_recordings(
    config: ConfigDict, workdir: pathlib.Path, checkpoint: str
) -> dict[str, Any]:
    """Finds events in the recordings behind `prepare.landmarks`.

    Writes the folder `workdir/predictions/<set>`: `events.csv`, `events.json` with the record that
    is returned, and `frames/<video>.csv` and `timelines/<video>.svg`.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Returns:
      the record: `set`, `step`, `skipped` (one line per file) and what `video_events.make_record`
      has.

    Raises:
      InputError: run, checkpoint or files are missing or do not fit each other; nothing is written
        then.
    """
    events.check(config.predict)
    prepare.check_input(config.prepare)
    parallel = Parallel(config.parallel)
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    run = restore(config, workdir, checkpoint)
    report = prepare.Report()
    landmarks = set_names.whence(config.prepare.landmarks)
    name = _name(workdir / 'predictions', landmarks)
    videos = list(_videos(run, parallel, name, report))
    if not videos:
        raise InputError(f'prepare.landmarks: {config.prepare.landmarks} holds no usable video')
    record = {'set': name, 'landmarks': landmarks, 'step': run.step}
    record['skipped'] = report.skipped
    record |= make_record(videos, run)
    folder = workdir / 'predictions' / name
    recording_files.write(folder, videos, record, run.inputs['class_names'])
    print('\n'.join(recording_files.lines(folder, record)))
    return record


def _name(folder: pathlib.Path, landmarks: str) -> str:
    """A name for the predictions of some landmarks that overwrites those of no others."""

    def source_of(name: str) -> str | None:
        record = folder / name / 'events.json'
        return read_json(record).get('landmarks', '') if record.exists() else None

    plain = pathlib.Path(landmarks).name or 'recordings'
    return set_names.name_for(plain, landmarks, source_of)


def _videos(
    run: TrainedRun, parallel: Parallel, name: str, report: prepare.Report
) -> Iterator[Video]:
    """Every video that can be used, in the order of their names."""
    settings, run_classes = run.config.prepare, tuple(run.inputs['class_names'])
    labels, classes = prepare.read_labels(settings, report, negative=True)
    if set(classes) <= set(run_classes):
        classes = run_classes
    elif len(classes) != len(run_classes):
        raise InputError(
            f'prepare.classes: found {", ".join(classes)}, expected as many as {run.workdir} has '
            f'({", ".join(run_classes)})'
        )
    durations = duration_model.of_run(run)
    predict = run.predictor(parallel)
    waiting: list[_Waiting] = []
    rates: Counter[float] = Counter()
    for pair in prepare.with_progress(list(labels)):
        try:
            read = read_recording(pair.landmarks, pair.name, settings)
            recording, clips = recordings.cut(read, run.form, run.config, name)
        except InputError as error:
            prepare.bad_file(str(error), settings, report)
            continue
        if recording.fps not in (read.fps, settings.resample_fps):
            rates[read.fps] += 1
        label = None
        if (known := labels[pair]) is not None:
            outside = outside_label(settings.outside, classes)
            known = in_seconds(known, read.fps)
            label = frame_labels(known, recording.time, classes, outside)
        waiting.append((recording, clips, label))
        if sum(len(clips) for _, clips, _ in waiting) >= _CLIPS_AT_ONCE:
            yield from _finished(waiting, predict, run, durations)
            waiting = []
    yield from _finished(waiting, predict, run, durations)
    for fps, count in rates.items():
        print(
            f'{count} recordings at {fps:g} frames a second were resampled to the rate that '
            f'{run.workdir} was trained on; prepare.resample_fps sets another'
        )


def _finished(
    waiting: list[_Waiting],
    predict: Callable[[Clips], np.ndarray],
    run: TrainedRun,
    durations: DurationModel | None,
) -> Iterator[Video]:
    if not waiting:
        return
    probs = predict(concatenate([clips for _, clips, _ in waiting]))
    settings = run.config.predict
    for recording, clips, label in waiting:
        own, probs = probs[: len(clips)], probs[len(clips) :]
        frames = events.frame_probabilities(own, clips.start_frame, clips.features.shape[1])
        frames = frames[: len(recording.time)]
        if durations is None:
            frames = events.smooth(frames, 2 * round(settings.smooth * recording.fps / 2) + 1)
            rule = Rule.of(settings, run.threshold, recording.fps)
            found = events.find_events(1 - frames[:, 0], rule)
        else:
            rule, found = durations, decoded_events(frames, durations, recording.fps)
        seen = events.visible(recording.joints, recording.joint_names, settings.min_visibility)
        yield Video(
            recording=recording,
            probs=frames,
            uncertain=~seen,
            rule=rule,
            events=found,
            label=label,
        )
