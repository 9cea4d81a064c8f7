"""From a run directory to what predicts: the one door, whatever the directory holds."""

import importlib.util
import os
import pathlib

from ml_collections import ConfigDict

from posevid_jax.inference.finished import Finished
from posevid_jax.inference.joined import JOINED, Joined
from posevid_jax.inference.run import Run
from posevid_jax.training.saved_config import saved_config

_DEFAULTS = pathlib.Path(__file__).parents[2] / 'configs' / 'default.py'


def restore(config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> Finished:
    """A run, or several that were joined.

    Args:
      config: of the directory, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Raises:
      InputError: not a run directory, no such checkpoint, or one that does not fit the
        configuration.
    """
    if not (workdir / JOINED).exists():
        return Run.restore(config, workdir, checkpoint)
    return Joined.restore(config, workdir, checkpoint, own_config)


def restore_directory(run_dir: str | os.PathLike, checkpoint: str) -> Finished:
    """`restore` of a directory, with its own configuration."""
    workdir = pathlib.Path(run_dir)
    return restore(own_config(workdir), workdir, checkpoint)


def own_config(workdir: pathlib.Path) -> ConfigDict:
    """The configuration of a run directory, wherever the program that asks was started.

    Raises:
      InputError: not a run directory.
    """
    spec = importlib.util.spec_from_file_location('posevid_jax_defaults', _DEFAULTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return saved_config(workdir, module.get_config())
