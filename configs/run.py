"""The configuration of an existing run, from its config.json: `--config=configs/run.py:DIR`.

Chosen by the command line when --workdir is given without --config.
"""

import json
import pathlib

from configs import default
from posevid_jax.errors import InputError


def get_config(workdir: str):
    path = pathlib.Path(workdir) / 'config.json'
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(
            f'{path}: not found; --workdir without --config needs a run directory'
        ) from None
    except ValueError as error:
        raise InputError(f'{path}: not JSON ({error})') from None
    config = default.get_config()
    config.update(_tuples(saved))
    return config


def _tuples(value):
    # ml_collections refuses to override lists, and JSON knows no tuples.
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value
