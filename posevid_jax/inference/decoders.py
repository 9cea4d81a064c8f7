"""What makes events of a run's probabilities in place of thresholds: a model in a file."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np

from posevid_jax.errors import InputError
from posevid_jax.inference import decoded_events, duration_model, min_risk
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Event
from posevid_jax.inference.min_risk import MinRiskModel
from posevid_jax.inference.trained_run import TrainedRun

EventModel = DurationModel | MinRiskModel

_READ: dict[str, tuple[str, Callable[[pathlib.Path], EventModel]]] = {
    'durations': (duration_model.FILE, duration_model.read),
    'min_risk': (min_risk.FILE, min_risk.read),
}
"""`predict.decoder` to the name of its file in a run directory, and what reads it."""


def of_run(run: TrainedRun) -> EventModel | None:
    """The model that cuts a run's probabilities into events; None where thresholds do.

    It is the one that `predict.durations` names, or that lies in the run directory.

    Raises:
      InputError: the file is missing, is no such model, or is one of another number of classes.
    """
    config, names = run.config.predict, run.inputs['class_names']
    if config.decoder not in _READ:
        return None
    file, read = _READ[config.decoder]
    path = pathlib.Path(config.durations) if config.durations else run.workdir / file
    if not path.exists():
        raise InputError(
            f'{path}: not found; predict.decoder={config.decoder} expects the model that '
            '--mode=cv fits to labelled recordings there, or where predict.durations says'
        )
    model = read(path)
    if model.num_classes != len(names):
        raise InputError(
            f'{path}: found {model.num_classes} classes, expected the {len(names)} of '
            f'{run.workdir} ({", ".join(names)})'
        )
    if isinstance(model, MinRiskModel) and config.min_confidence:
        return dataclasses.replace(model, price=config.min_confidence)
    return model


def find(probs: np.ndarray, model: EventModel, fps: float) -> list[Event]:
    """The events of a whole recording, in order of time.

    Args:
      probs: [T, K] class probabilities of each frame.
      model: of K classes.
      fps: frames per second.
    """
    if isinstance(model, MinRiskModel):
        return min_risk.find(probs, model, fps)
    return decoded_events.decoded_events(probs, model, fps)
