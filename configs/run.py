"""The configuration of an existing run, from its config.json: `--config=configs/run.py:DIR`.

Chosen by the command line when --workdir is given without --config.
"""

import pathlib

from configs import default
from posevid_jax.training.saved_config import saved_config


def get_config(workdir: str):
    return saved_config(pathlib.Path(workdir), default.get_config())
