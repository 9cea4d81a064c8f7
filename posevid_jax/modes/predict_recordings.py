"""Mode predict on landmark files: a probability per frame, events, and a timeline of each video."""

import pathlib
from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.inference import (
    duration_model,
    events,
    recording_files,
    recordings,
    video_events,
)
from posevid_jax.inference.restore import restore
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.inference.video_events import Video, make_record
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import prepare, read_recordings
from posevid_jax.runs import set_names
from posevid_jax.runs.files import read_json
from posevid_jax.video import extract


def predict_recordings(
    config: ConfigDict, workdir: pathlib.Path, checkpoint: str
) -> dict[str, Any]:
    """Finds events in the recordings behind `prepare.landmarks`, or in `prepare.videos`.

    Writes the folder `workdir/predictions/<set>`: `events.csv`, `events.json` with the record that
    is returned, `frames/<video>.csv`, `timelines/<video>.svg`, with `predict.review` the pages
    `review/<video>.html` and, with `eval.report`, the page `index.html`.

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
    config = extract.with_landmarks(config)
    events.check(config.predict)
    prepare.check_input(config.prepare)
    parallel = Parallel(config.parallel)
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    run = restore(config, workdir, checkpoint)
    read = prepare.Report()
    extract.extract(config.prepare, lambda line: prepare.bad_file(line, config.prepare, read))
    landmarks = set_names.whence(config.prepare.landmarks)
    name = _name(workdir / 'predictions', landmarks)
    videos = list(_videos(run, parallel, read))
    if not videos:
        raise InputError(f'prepare.landmarks: {config.prepare.landmarks} holds no usable video')
    record = {'set': name, 'landmarks': landmarks, 'step': run.step}
    record['skipped'] = read.skipped
    record |= make_record(videos, run)
    folder = workdir / 'predictions' / name
    recording_files.write(
        folder,
        videos,
        record,
        run.inputs['class_names'],
        report=run.config.eval.report,
        review=run.config.predict.review,
    )
    print('\n'.join(recording_files.lines(folder, record)))
    return record


def _name(folder: pathlib.Path, landmarks: str) -> str:
    """A name for the predictions of some landmarks that overwrites those of no others."""

    def source_of(name: str) -> str | None:
        record = folder / name / 'events.json'
        return read_json(record).get('landmarks', '') if record.exists() else None

    plain = pathlib.Path(landmarks).name or 'recordings'
    return set_names.name_for(plain, landmarks, source_of)


def _videos(run: TrainedRun, parallel: Parallel, report: prepare.Report) -> Iterator[Video]:
    """Every video that can be used, in the order of their names."""
    form, config, durations = run.form, run.config, duration_model.of_run(run)
    read = read_recordings.read(config.prepare, form, report)
    for of, logits in recordings.judged(read, run.frame_judge(parallel)):
        probs = run.decision.probabilities(logits)
        yield video_events.find(of, probs, config.predict, run.threshold, durations)
