"""Recordings of `prepare.landmarks` and the labels of their frames, to be judged."""

from collections import Counter
from collections.abc import Iterator

from ml_collections import ConfigDict

from posevid_jax.data.intervals import frame_labels, in_seconds, outside_label
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.errors import InputError
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.inference import recordings
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.modes import prepare


def read(
    settings: ConfigDict, form: ClipForm, report: Report, *, all_labelled: bool = True
) -> Iterator[LabelledRecording]:
    """Every recording that can be used, in the order of their names.

    Prints how many were resampled because a classifier knows another rate.

    Args:
      settings: `config.prepare`, accepted by `prepare.check_input`.
      form: what the classifier expects of clips; labels are numbered like its classes.
      report: gets a line for each file that is skipped.
      all_labelled: whether, where labels are named, each recording is to have some.

    Raises:
      InputError: a file cannot be used and `prepare.on_error` is `raise`, or the labels have other
        classes than the classifier.
    """
    labels, classes = prepare.read_labels(
        settings, report, negative=True, all_labelled=all_labelled
    )
    if set(classes) <= set(form.class_names):
        classes = form.class_names
    elif len(classes) != len(form.class_names):
        raise InputError(
            f'prepare.classes: found {", ".join(classes)}, expected as many as {form.whose} has '
            f'({", ".join(form.class_names)})'
        )
    rates: Counter[float] = Counter()
    for pair in prepare.with_progress(list(labels)):
        try:
            found = read_recording(pair.landmarks, pair.name, settings)
            recording = recordings.at_rate(found, form, settings)
        except InputError as error:
            prepare.bad_file(str(error), settings, report)
            continue
        if recording.fps not in (found.fps, settings.resample_fps):
            rates[found.fps] += 1
        label = None
        if (known := labels[pair]) is not None:
            outside = outside_label(settings.outside, classes)
            known = in_seconds(known, found.fps)
            label = frame_labels(known, recording.time, classes, outside)
        yield LabelledRecording(recording, label)
    for fps, count in rates.items():
        print(
            f'{count} recordings at {fps:g} frames a second were resampled to the rate that '
            f'{form.whose} was trained on; prepare.resample_fps sets another'
        )
