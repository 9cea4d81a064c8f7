"""Mode predict on landmark files: a probability per frame, events, and a timeline of each video."""

import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.inference import (
    decoders,
    events,
    overlay_files,
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
from posevid_jax.video import extract


class Found(NamedTuple):
    """What a run finds in recordings.

    Attributes:
      run: the run.
      landmarks: where the recordings come from, in full.
      videos: one or more, in the order of their names.
      skipped: a line for each file that could not be used.
    """

    run: TrainedRun
    landmarks: str
    videos: list[Video]
    skipped: list[str]


def predict_recordings(
    config: ConfigDict, workdir: pathlib.Path, checkpoint: str
) -> dict[str, Any]:
    """Finds events in the recordings behind `prepare.landmarks`, or in `prepare.videos`.

    Writes the folder `workdir/predictions/<set>`: `events.csv`, `events.json` with the record that
    is returned, `frames/<video>.csv`, `timelines/<video>.svg`, with `predict.review` the pages
    `review/<video>.html` and, with `eval.report`, the page `index.html`; then, with
    `predict.overlay`, one by one the films `overlays/<video>.mp4`.

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
    films = overlay_files.plan(config)
    run, landmarks, videos, skipped = find(config, workdir, checkpoint)
    folder = recording_files.folder_of(workdir / 'predictions', 'events.json', landmarks)
    record = {'set': folder.name, 'landmarks': landmarks, 'step': run.step, 'skipped': skipped}
    record |= make_record(videos, run)
    recording_files.write(
        folder,
        videos,
        record,
        run.inputs['class_names'],
        report=run.config.eval.report,
        review=run.config.predict.review,
    )
    print('\n'.join(recording_files.lines(folder, record)))
    if films:
        overlay_files.write(folder / 'overlays', videos, run.inputs['class_names'], films)
    return record


def find(
    config: ConfigDict, workdir: pathlib.Path, checkpoint: str, *, all_labelled: bool = True
) -> Found:
    """Judges every recording that can be used; extracts landmarks of videos first.

    Args:
      config, workdir, checkpoint: as for `predict_recordings`.
      all_labelled: whether, where labels are named, each recording is to have some.

    Raises:
      InputError: as for `predict_recordings`.
    """
    config = extract.with_landmarks(config)
    events.check(config.predict)
    prepare.check_input(config.prepare)
    parallel = Parallel(config.parallel)
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    run = restore(config, workdir, checkpoint)
    read = prepare.Report()
    extract.extract(config.prepare, lambda line: prepare.bad_file(line, config.prepare, read))
    videos = list(_videos(run, parallel, read, all_labelled))
    if not videos:
        raise InputError(f'prepare.landmarks: {config.prepare.landmarks} holds no usable video')
    return Found(run, set_names.whence(config.prepare.landmarks), videos, read.skipped)


def _videos(
    run: TrainedRun, parallel: Parallel, report: prepare.Report, all_labelled: bool
) -> Iterator[Video]:
    """Every video that can be used, in the order of their names."""
    form, config, model = run.form, run.config, decoders.of_run(run)
    read = read_recordings.read(config.prepare, form, report, all_labelled=all_labelled)
    for of, logits in recordings.judged(read, run.frame_judge(parallel)):
        probs = run.decision.probabilities(logits)
        yield video_events.find(of, probs, config.predict, run.threshold, model)
