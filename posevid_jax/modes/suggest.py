"""Mode suggest: which stretches of recordings to label next, and the pages to label them on."""

import pathlib
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.inference import labelling, recording_files
from posevid_jax.inference.labelling import Stretch
from posevid_jax.inference.video_events import Video
from posevid_jax.modes import predict_recordings


class Suggestion(NamedTuple):
    """A row of suggestions.csv, in the order in which to label."""

    video: str
    start: float  # seconds
    end: float
    doubt: float  # share of its frames that are expected to be wrong, by the probabilities


def suggest(config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> list[Suggestion]:
    """Says what to label next in the recordings of `prepare.landmarks` or `prepare.videos`.

    Writes the folder `workdir/suggestions/<set>`: `suggestions.csv`, `suggestions.json`, the page
    `review/<video>.html` of each recording of which something is suggested, and `index.html`. What
    `prepare.labels` or `prepare.corrections` label is not suggested.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Returns:
      what is suggested, the first to label first.

    Raises:
      InputError: run, checkpoint or files are missing or do not fit each other, or all is labelled;
        nothing is written then.
    """
    for key in ('minutes', 'stretch'):
        if not 0 < config.suggest[key] < np.inf:
            raise InputError(f'suggest.{key}: found {config.suggest[key]}, expected above 0')
    found = predict_recordings.find(config, workdir, checkpoint, all_labelled=False)
    cuts = [
        labelling.cut(video, number, config.suggest.stretch)
        for number, video in enumerate(found.videos)
    ]
    chosen = labelling.choose(cuts, 60 * config.suggest.minutes)
    if not chosen:
        raise InputError(
            f'prepare.labels: all of the recordings in {found.landmarks} are labelled, or '
            f'suggest.minutes={config.suggest.minutes} is less than half a stretch'
        )
    rows = [_suggestion(found.videos[one.recording], one) for one in chosen]
    asked = {
        video.recording.name: (video, labelling.joined(own))
        for number, video in enumerate(found.videos)
        if (own := [one for one in chosen if one.recording == number])
    }
    folder = recording_files.folder_of(workdir / 'suggestions', 'suggestions.json', found.landmarks)
    record = {'set': folder.name, 'landmarks': found.landmarks, 'step': found.run.step}
    record |= {'skipped': found.skipped, 'suggestions': [row._asdict() for row in rows]}
    opening = _opening(found.videos, chosen, len(asked))
    names = found.run.inputs['class_names']
    recording_files.write_suggestions(folder, asked, record, names, f'{opening}.')
    print(f'{folder}/index.html: {opening}')
    return rows


def _suggestion(video: Video, one: Stretch) -> Suggestion:
    start, end = video.spans([one.start, one.end])[0]
    return Suggestion(video.recording.name, float(start), float(end), one.doubt / one.seconds)


def _opening(videos: list[Video], chosen: list[Stretch], recordings: int) -> str:
    seconds = sum(one.seconds for one in chosen)
    doubt = sum(one.doubt for one in chosen) / seconds
    everywhere = sum(video.seconds[-1] - video.seconds[0] for video in videos)
    return (
        f'{len(chosen)} stretches, {seconds / 60:.1f} of {everywhere / 60:.1f} minutes, in '
        f'{recordings} of {len(videos)} recordings; by the probabilities, {doubt:.0%} of their '
        'frames are expected to be judged wrong'
    )
