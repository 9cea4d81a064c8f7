"""Run directories as a training leaves them, without the training."""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.evaluation import decision
from posevid_jax.evaluation.decision import Origin
from posevid_jax.runs.config import as_json
from posevid_jax.runs.directory import write_decision
from posevid_jax.runs.files import write_json
from posevid_jax.training.checkpoint import Checkpoints, Keep
from posevid_jax.training.experiment import build


def write_run(run: pathlib.Path, config: ConfigDict) -> None:
    """Writes what predictions need of a run: its fresh parameters are random, head and all."""
    experiment = build(config)
    with Checkpoints(run, Keep()) as checkpoints:
        state = experiment.initial_state()
        checkpoints.save(state.replace(step=state.step + len(run.name)), experiment.data(), 0.5)
    write_json(run / 'scaler.json', experiment.input_description())
    write_json(run / 'config.json', as_json(config))
    # Some threshold, of logits from 0 to 5/3 whose labels take turns.
    chosen = decision.choose(np.arange(6)[:, None] / 3, np.arange(6) % 2, config.eval)
    origin = Origin(chosen_on='val', clips=6)
    write_decision(run, chosen.threshold, chosen.rules, chosen.calibrations, origin)
