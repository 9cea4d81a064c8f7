"""Restores the trained run in a directory, whether a single one or an ensemble."""

import os
import pathlib

from ml_collections import ConfigDict

from posevid_jax.inference.ensemble import ENSEMBLE, EnsembleRun
from posevid_jax.inference.single import SingleRun
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.runs.config import read_config


def restore(config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> TrainedRun:
    """Restores a single run, or several that were joined.

    Args:
      config: of the directory, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Raises:
      InputError: not a run directory, no such checkpoint, or one that does not fit the
        configuration.
    """
    kind = EnsembleRun if (workdir / ENSEMBLE).exists() else SingleRun
    return kind.restore(config, workdir, checkpoint)


def restore_directory(run_dir: str | os.PathLike[str], checkpoint: str) -> TrainedRun:
    """`restore` of a directory, with its own configuration."""
    workdir = pathlib.Path(run_dir)
    return restore(read_config(workdir), workdir, checkpoint)
