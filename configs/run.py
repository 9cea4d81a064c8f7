"""The configuration of an existing run, from its config.json: `--config=configs/run.py:DIR`.

Chosen by the command line when --workdir is given without --config.
"""

import pathlib

from posevid_jax.runs.config import read_config


def get_config(workdir: str):
    return read_config(pathlib.Path(workdir))
