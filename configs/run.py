"""The configuration of an existing run, from its config.json: `--config=configs/run.py:DIR`.

The command line chooses it when --workdir is given without --config.
"""

import pathlib

from posevid_jax.runs.config import read_config


def get_config(workdir: str):
    return read_config(pathlib.Path(workdir))
