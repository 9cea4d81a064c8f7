"""Mode cv on whole recordings: each judged by the fold that held its clips out.

The recordings are those of `prepare.landmarks` whose clips are cross-validated.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.data.pairing import is_labelled
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.features import subclips
from posevid_jax.inference import events, recordings
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.models import families
from posevid_jax.modes import prepare, read_recordings
from posevid_jax.runs import cv_files
from posevid_jax.training.experiment import Experiment


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
    ) -> dict[str, np.ndarray]:
        """What the classifier of a fold says of the recordings that it never saw.

        Args:
          fold: from 0.
          logits: of the W stretches of clips that it judges, `[n, W, K]`.
          config: the whole configuration.

        Returns:
          by name the logits of the frames, `[T, K]`.
        """
        mine = [of for name, of in self.recordings.items() if self.fold[name] == fold]
        judge = recordings.frame_judge(logits, self.form, config)
        return {of.recording.name: found for of, found in recordings.judged(mine, judge)}


def form_of(experiment: Experiment) -> ClipForm:
    """What the classifiers of folds expect of clips, by the training of one of them."""
    config, inputs = experiment.config, experiment.input_description()
    return ClipForm.of(
        inputs,
        whose=config.data.train,
        num_frames=inputs['num_frames'],
        subclip=subclips.length_and_stride(config.features),
        context=config.features.context,
        reads_features=families.input_spec(config).reads_archive,
    )


def read(config: ConfigDict, form: ClipForm, plan: cv_files.Plan) -> HeldOut | None:
    """The recordings of `prepare.landmarks` that the folds can judge; None where it names none.

    Prints a line about those that they cannot.

    Args:
      config: the whole configuration.
      form: what the classifiers expect of clips.
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
    if not is_labelled(settings):
        raise InputError('prepare.labels: not given, expected labels of prepare.landmarks')
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
