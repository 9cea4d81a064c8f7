"""The configuration of an existing run, as this version of the program reads it."""

import pathlib
from typing import Any

from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.features import body, inputs
from posevid_jax.training.artifacts import read_json


def saved_config(workdir: pathlib.Path, defaults: ConfigDict) -> ConfigDict:
    """The configuration of a run, with the defaults of keys that came after it.

    Features of the body that came after it are left out.

    Args:
      workdir: the run directory.
      defaults: every key that exists; changed.

    Raises:
      InputError: not a run directory.
    """
    path = workdir / 'config.json'
    if not path.exists():
        raise InputError(f'{path}: not found; --workdir without --config needs a run directory')
    defaults.update(_tuples(read_json(path)))
    if (workdir / 'scaler.json').exists() and inputs.reads_body(defaults):
        known = read_json(workdir / 'scaler.json')
        left_out = tuple(defaults.features.leave_out)
        found = body.names(tuple(known['joint_names']), left_out)
        newer = (name for name in found if name not in known['scaled_names'])
        defaults.features.leave_out = (*left_out, *newer)
    return defaults


def _tuples(value: Any) -> Any:
    # ml_collections refuses to override lists, and JSON knows no tuples.
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value
