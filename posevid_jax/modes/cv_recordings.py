"""Mode cv on whole recordings: events by classifiers that never saw the people in them.

The recordings are those of `prepare.landmarks` whose clips are cross-validated. Each is judged by
the fold that held its clips out, and whatever decides about its events is chosen on the recordings
of the other folds.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation import (
    decision,
    recordings_page,
    segmentation,
    segmentation_report,
)
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.evaluation.segmentation_results import ONE_EVENT_EACH, Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.inference import (
    duration_model,
    event_ways,
    events,
    recording_files,
    recordings,
    video_events,
)
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.event_ways import FrameProbabilities
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.models import families
from posevid_jax.modes import prepare, read_recordings
from posevid_jax.runs import cv_files
from posevid_jax.runs.cv_files import ClipLogits
from posevid_jax.runs.files import write_json, write_text
from posevid_jax.training.experiment import Experiment

_SHOWN = 'as configured'  # the way whose events are drawn


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """The recordings that are judged.

    Attributes:
      form: what the classifiers expect of clips.
      recordings: by name, each with labels.
      fold: the fold that judges each, from 0.
    """

    form: ClipForm
    recordings: dict[str, LabelledRecording]
    fold: dict[str, int]

    def judge(
        self, fold: int, logits: Callable[[Clips], np.ndarray], config: ConfigDict
    ) -> dict[str, ClipLogits]:
        """What the classifier of a fold says of the recordings that it never saw.

        Args:
          fold: from 0.
          logits: of clips, `[n, K]` or of several members `[n, M, K]`.
          config: the whole configuration.
        """
        mine = [of for name, of in self.recordings.items() if self.fold[name] == fold]
        judged = recordings.judge(
            mine, lambda clips: mean_logits(logits(clips)), self.form, config, 'recordings'
        )
        return {of.of.recording.name: ClipLogits(of.values, of.start) for of in judged}


def read(config: ConfigDict, first: Experiment, plan: cv_files.Plan) -> HeldOut | None:
    """The recordings of `prepare.landmarks` that the folds can judge; None where it names none.

    Prints a line about those that they cannot.

    Args:
      config: the whole configuration.
      first: the training of a fold.
      plan: clips and folds.

    Raises:
      InputError: a key is wrong, a file cannot be used, or the clips are of no recordings of two
        folds.
    """
    settings = config.prepare
    if not settings.landmarks:
        return None
    events.check(config.predict)
    prepare.check_input(settings)
    if not settings.labels:
        raise InputError('prepare.labels: not given, expected labels of prepare.landmarks')
    spec = families.input_spec(config)
    inputs = first.input_description()
    form = ClipForm.of(
        inputs,
        whose=config.data.train,
        num_frames=config.features.subclip or inputs['num_frames'],
        context=config.features.context,
        reads_features=spec.reads_archive,
    )
    fold_of: dict[str, set[int]] = {}
    for video, fold in zip(plan.clips.video_ids, plan.fold, strict=True):
        fold_of.setdefault(video, set()).add(int(fold))
    found, left_out = {}, []
    for of in read_recordings.read(settings, form, Report()):
        name = of.recording.name
        labelled = of.label is not None and (of.label != UNKNOWN_LABEL).any()
        if labelled and len(fold_of.get(name, ())) == 1:
            found[name] = of
        else:
            left_out.append(name)
    if not found:
        raise InputError(
            f'prepare.landmarks: {settings.landmarks} holds no labelled recording of a video of '
            f'{config.data.train}, expected names such as {next(iter(fold_of))}'
        )
    folds = {name: min(fold_of[name]) for name in found}
    if len(set(folds.values())) < 2:
        raise InputError(
            f'prepare.landmarks: {settings.landmarks} holds recordings of one fold alone, expected '
            'of two or more: what decides about the events of one is chosen on the others'
        )
    if left_out:
        print(
            printable(
                f'{len(left_out)} recordings such as {left_out[0]} are not judged: they have no '
                'labels, or no clips in one fold'
            )
        )
    return HeldOut(form, found, folds)


def frame_probabilities(
    held_out: HeldOut,
    judged: dict[str, ClipLogits],
    plan: cv_files.Plan,
    logits: np.ndarray,
    config: ConfigDict,
) -> dict[str, FrameProbabilities]:
    """Probabilities of all frames, calibrated by the clips of the other folds.

    Args:
      held_out: the recordings.
      judged: what the folds say of them.
      plan: clips and folds.
      logits: `[N, K]` of the clips, out of fold.
      config: `config.eval`.
    """
    decisions = {}
    for k in np.unique(plan.fold):
        others = plan.fold != k
        chosen = decision.choose(logits[others], plan.clips.label[others], config)
        decisions[k] = decision.decide(chosen, config.calibration, chosen_on='the other folds')
    found = {}
    for name, of in held_out.recordings.items():
        by = decisions[held_out.fold[name]]
        probs = events.frame_probabilities(
            by.probabilities(judged[name].logits), judged[name].start, held_out.form.num_frames
        )
        assert of.label is not None
        probs = probs[: len(of.label)]
        found[name] = FrameProbabilities(probs, of.label, of.recording.fps, by.threshold)
    return found


def sum_up(
    workdir: pathlib.Path,
    held_out: HeldOut,
    plan: cv_files.Plan,
    logits: np.ndarray,
    config: ConfigDict,
) -> dict[str, Segmentation]:
    """Judges each way to find events, prints a table and writes `cv/events.json`.

    `durations.json` in the directory holds the duration model chosen on all recordings. With
    `eval.report`, the page `cv/events.html` shows the timelines, found as configured, the worst
    first, and `cv/timelines` holds them.

    Args:
      workdir: the directory of the cross-validation.
      held_out: the recordings.
      plan: clips and folds.
      logits: `[N, K]` of the clips, out of fold.
      config: the whole configuration.

    Returns:
      by the name of the way.
    """
    judged = cv_files.read_recordings(workdir, config.cv.folds)
    probs = frame_probabilities(held_out, judged, plan, logits, config.eval)
    names, fold = list(probs), held_out.fold
    group_of = dict(zip(plan.clips.video_ids, plan.group, strict=True))
    group = [int(group_of[name]) for name in names]
    print(f'choosing how events are found in {len(names)} recordings ...', flush=True)
    compared: dict[str, list[SegmentedRecording]] = {}
    for way, choose in event_ways.WAYS.items():
        found = {}
        for k in sorted(set(fold.values())):
            others = [of for name, of in probs.items() if fold[name] != k]
            chosen = choose(config.predict, others)
            found |= {name: chosen.segment(probs[name]) for name in names if fold[name] == k}
        compared[way] = [_compared(held_out.recordings[name], found[name]) for name in names]
    compared[ONE_EVENT_EACH] = segmentation.one_event_each(compared[_SHOWN])
    results = {
        way: segmentation.evaluate(
            of,
            plan.clips.class_names,
            overlaps=config.predict.overlaps,
            samples=config.eval.bootstrap,
            seed=config.seed,
            group=group if len(set(group)) < len(group) else None,
        )
        for way, of in compared.items()
    }
    everything = list(probs.values())
    chosen = {way: choose(config.predict, everything).by for way, choose in event_ways.WAYS.items()}
    write_json(workdir / duration_model.FILE, chosen['durations'])
    write_json(workdir / 'cv' / 'events.json', {'ways': results, 'chosen': chosen})
    title = f'Events in {len(names)} recordings, by classifiers that never saw them'
    print('\n'.join(segmentation_report.lines(title, results)))
    files = ['cv/events.json', duration_model.FILE]
    if config.eval.report:
        _write_page(workdir / 'cv', title, held_out, probs, results, config)
        files.append('cv/events.html')
    print(f'{workdir}/{", ".join(files)}')
    return results


def _write_page(
    folder: pathlib.Path,
    title: str,
    held_out: HeldOut,
    probs: Mapping[str, FrameProbabilities],
    results: Mapping[str, Segmentation],
    config: ConfigDict,
) -> None:
    """Writes `events.html` and the timelines that it shows; of several processes, the first."""
    if not processes.is_first():
        return
    timelines = {}
    for name, of in probs.items():
        recording = held_out.recordings[name]
        video = video_events.find(recording, of.probs, config.predict, of.threshold, None)
        timelines[name] = recording_files.draw(video, held_out.form.class_names)
    with atomic_folder(folder / 'timelines', replace=True) as unfinished:
        recording_files.write_timelines(unfinished, timelines)
    ways = {way: results[way] for way in (_SHOWN, ONE_EVENT_EACH)}
    text = recordings_page.make(title, 'Events are found as configured.', timelines, ways)
    write_text(folder / 'events.html', text)


def _compared(of: LabelledRecording, found: np.ndarray) -> SegmentedRecording:
    assert of.label is not None  # of those that are judged
    time = of.recording.time
    seconds = np.append(time, time[-1] + 1 / of.recording.fps)
    return SegmentedRecording(of.label.astype(np.int64), found, seconds, of.recording.name)
