"""Mode cv on whole recordings: events by classifiers that never saw the people in them.

Whatever decides about the events of a recording is chosen on the recordings of the other folds.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.evaluation import decision, recordings_page, segmentation, segmentation_report
from posevid_jax.evaluation.recordings_page import Shown
from posevid_jax.evaluation.segmentation_results import ONE_EVENT_EACH, Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.inference import (
    duration_model,
    event_ways,
    min_risk,
    recording_files,
    video_events,
)
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.event_ways import FrameProbabilities, Segmenter, Settings
from posevid_jax.inference.min_risk import MinRiskModel
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.modes.cv_recordings import HeldOut
from posevid_jax.runs import cv_files
from posevid_jax.runs.files import write_json, write_text

_SHOWN = 'as configured'  # the way whose events are drawn
_LEAST_RISK = 'minimum risk'  # the way whose confidences are judged
_CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9)


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

    `durations.json` and `min_risk.json` in the directory hold the models chosen on all recordings.
    With `eval.report`, the page `cv/events.html` shows the timelines, found as configured, the
    worst first, and `cv/timelines` holds them.

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

    def segmented(by_fold: Mapping[int, Segmenter]) -> list[SegmentedRecording]:
        return [
            _compared(held_out.recordings[name], by_fold[fold[name]](probs[name])) for name in names
        ]

    chosen = {
        way: {
            k: choose(config.predict, [probs[name] for name in names if fold[name] != k])
            for k in sorted(set(fold.values()))
        }
        for way, choose in event_ways.WAYS.items()
    }
    compared = {
        way: segmented({k: of.segment for k, of in by_fold.items()})
        for way, by_fold in chosen.items()
    }
    compared[ONE_EVENT_EACH] = segmentation.one_event_each(compared[_SHOWN])
    judge = functools.partial(
        segmentation.evaluate,
        class_names=plan.clips.class_names,
        overlaps=config.predict.overlaps,
        samples=config.eval.bootstrap,
        seed=config.seed,
        group=group if len(set(group)) < len(group) else None,
    )
    results = {way: judge(of) for way, of in compared.items()}
    by_confidence = {}
    for least in _CONFIDENCES:
        models = {k: _as_sure(of.by, least) for k, of in chosen[_LEAST_RISK].items()}
        found = segmented({k: event_ways.by_least_risk(m).segment for k, m in models.items()})
        by_confidence[f'{least:g}'] = judge(found, samples=0)
    everything = list(probs.values())
    kept = {way: choose(config.predict, everything).by for way, choose in event_ways.WAYS.items()}
    files = {duration_model.FILE: 'durations', min_risk.FILE: _LEAST_RISK}
    for file, way in files.items():
        write_json(workdir / file, kept[way])
    record = {'ways': results, 'chosen': kept, 'by_confidence': by_confidence}
    write_json(workdir / 'cv' / 'events.json', record)
    title = f'Events in {len(names)} recordings, by classifiers that never saw them'
    print('\n'.join(segmentation_report.lines(title, results)))
    fewer = 'Events of minimum risk, by predict.min_confidence'
    print('\n'.join(segmentation_report.table(fewer, by_confidence).lines()))
    written = ['cv/events.json', *files]
    if config.eval.report:
        _write_page(workdir / 'cv', title, held_out, probs, results, config)
        written.append('cv/events.html')
    return written


def _as_sure(by: Settings | DurationModel | MinRiskModel, least: float) -> MinRiskModel:
    """What was chosen, but for the confidence that an event must have."""
    assert isinstance(by, MinRiskModel)
    return dataclasses.replace(by, price=least)


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
