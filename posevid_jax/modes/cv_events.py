"""Mode cv on whole recordings: events by classifiers that never saw the people in them.

Whatever decides about the events of a recording is chosen on the recordings of the other folds.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.evaluation import decision, recordings_page, segmentation, segmentation_report
from posevid_jax.evaluation.recordings_page import Shown
from posevid_jax.evaluation.segmentation_results import ONE_EVENT_EACH, Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.inference import duration_model, event_ways, recording_files, video_events
from posevid_jax.inference.event_ways import FrameProbabilities
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.modes.cv_recordings import HeldOut
from posevid_jax.runs import cv_files
from posevid_jax.runs.files import write_json, write_text

_SHOWN = 'as configured'  # the way whose events are drawn


@dataclasses.dataclass(frozen=True, eq=False)
class OutOfFold:
    """What is said of clips and recordings by classifiers that never saw them.

    Attributes:
      logits: [N, K] of the clips.
      frames: [T, K] logits of the frames of recordings, by name.
    """

    logits: np.ndarray
    frames: Mapping[str, np.ndarray]


def frame_probabilities(
    held_out: HeldOut,
    plan: cv_files.Plan,
    for_fold: Callable[[int], OutOfFold],
    config: ConfigDict,
) -> dict[str, FrameProbabilities]:
    """Probabilities of all frames, calibrated by the clips of the other folds.

    Args:
      held_out: the recordings.
      plan: clips and folds.
      for_fold: as for `sum_up`.
      config: `config.eval`.
    """
    found = {}
    for k in sorted(set(held_out.fold.values())):
        others, said = plan.fold != k, for_fold(k)
        chosen = decision.choose(said.logits[others], plan.clips.label[others], config)
        by = decision.decide(chosen, config.calibration, chosen_on='the other folds')
        for name, of in held_out.recordings.items():
            if held_out.fold[name] == k:
                probs = by.probabilities(said.frames[name])
                assert of.label is not None
                found[name] = FrameProbabilities(probs, of.label, of.recording.fps, by.threshold)
    return {name: found[name] for name in held_out.recordings}


def sum_up(
    workdir: pathlib.Path,
    held_out: HeldOut,
    plan: cv_files.Plan,
    for_fold: Callable[[int], OutOfFold],
    config: ConfigDict,
) -> list[str]:
    """Judges each way to find events, prints a table and writes `cv/events.json`.

    `durations.json` in the directory holds the duration model chosen on all recordings. With
    `eval.report`, the page `cv/events.html` shows the timelines, found as configured, the worst
    first, and `cv/timelines` holds them.

    Args:
      workdir: the directory of the cross-validation.
      held_out: the recordings.
      plan: clips and folds.
      for_fold: from a fold to what is said of all clips and recordings by what may judge that fold.
      config: the whole configuration.

    Returns:
      names of the files written.
    """
    probs = frame_probabilities(held_out, plan, for_fold, config.eval)
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
    return files


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
    shown = {}
    for name, of in probs.items():
        recording = held_out.recordings[name]
        video = video_events.find(recording, of.probs, config.predict, of.threshold, None)
        picture = recording_files.draw(video, held_out.form.class_names)
        shown[name] = Shown(picture, video.doubt)
    with atomic_folder(folder / 'timelines', replace=True) as unfinished:
        recording_files.write_timelines(
            unfinished, {name: of.timeline for name, of in shown.items()}
        )
    ways = {way: results[way] for way in (_SHOWN, ONE_EVENT_EACH)}
    text = recordings_page.make(title, 'Events are found as configured.', shown, ways)
    write_text(folder / 'events.html', text)


def _compared(of: LabelledRecording, found: np.ndarray) -> SegmentedRecording:
    assert of.label is not None  # of those that are judged
    time = of.recording.time
    seconds = np.append(time, time[-1] + 1 / of.recording.fps)
    return SegmentedRecording(of.label.astype(np.int64), found, seconds, of.recording.name)
