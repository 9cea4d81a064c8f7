"""The configuration of a run directory: how it is read, and what may differ when a run goes on."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from posevid_jax import config as defaults
from posevid_jax.config import TRAINING_KEYS_THAT_MAY_CHANGE, TRAINING_SECTIONS
from posevid_jax.errors import InputError
from posevid_jax.runs.files import read_json

# What keys of older runs are called today.
_RENAMED = {
    'features.window': 'features.subclip',
    'features.window_stride': 'features.subclip_stride',
}


def read_config(workdir: pathlib.Path) -> ConfigDict:
    """The configuration of a run as this version of the program reads it.

    Keys that came after the run have their defaults, renamed ones their new names. Features of the
    body that came after it are left out. A key that it was given and that nothing reads, which is
    refused today, has its default.

    Args:
      workdir: the run directory.

    Raises:
      InputError: not a run directory.
    """
    path = workdir / 'config.json'
    if not path.exists():
        raise InputError(f'{path}: not found; --workdir without --config needs a run directory')
    config = defaults.get_config()
    config.update_from_flattened_dict(
        {_RENAMED.get(key, key): _tuple(value) for key, value in flatten(read_json(path)).items()}
    )
    features, description = config.features, workdir / 'scaler.json'
    if (features.source != 'archive' or features.layout == 'skeleton') and description.exists():
        _leave_out_what_is_not_read(config, read_json(description))
    return config


def check_config(
    workdir: pathlib.Path,
    config: ConfigDict,
    sections: Sequence[str] = TRAINING_SECTIONS,
    may_change: Sequence[str] = TRAINING_KEYS_THAT_MAY_CHANGE,
) -> None:
    """Checks that what is found in `workdir` was made with this configuration.

    Args:
      workdir: where `config.json` is, if anything was made there.
      config: the whole configuration of now.
      sections: the parts of the configuration that are compared.
      may_change: dotted keys in them that may differ all the same.

    Raises:
      InputError: another key of the sections differs.
    """
    path = workdir / 'config.json'
    if not path.exists():
        return
    changed = [
        f'{key} was {before!r}, now {now!r}'
        for key, (before, now) in differences(workdir, config, sections).items()
        if key not in may_change and not _another_validation_file(key, before, now)
    ]
    if changed:
        raise InputError(
            f'{path}: this run was made with another configuration: {"; ".join(changed)}; '
            'use another --workdir'
        )


def differences(
    workdir: pathlib.Path, config: ConfigDict, sections: Sequence[str] = TRAINING_SECTIONS
) -> dict[str, tuple[Any, Any]]:
    """Keys that differ between a run directory and a configuration: (there, here) of each.

    Args:
      workdir: a run directory.
      config: the whole configuration of now.
      sections: the parts of the configuration that are compared.

    Raises:
      InputError: not a run directory.
    """
    before, now = flatten(as_json(read_config(workdir))), flatten(as_json(config))
    return {
        key: (before.get(key), now.get(key))
        for key in sorted(before.keys() | now.keys())
        if key.partition('.')[0] in sections and before.get(key) != now.get(key)
    }


def as_json(config: ConfigDict) -> dict[str, Any]:
    """A configuration in JSON's types: tuples become lists."""
    return json.loads(config.to_json())


def flatten(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Nested dictionaries as one, keys joined with dots."""
    found = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flatten(value, f'{prefix}{key}.')
        else:
            found[prefix + key] = value
    return found


def _leave_out_what_is_not_read(config: ConfigDict, known: dict[str, Any]) -> None:
    # With JAX and Flax, which a mistyped flag need not wait for.
    from posevid_jax.features import check, sources
    from posevid_jax.models import families

    spec = families.input_spec(config)
    for key in check.ignored(spec):
        config.features[key] = defaults.get_config().features[key]
    if spec.computes:
        left_out = tuple(config.features.leave_out)
        source = sources.COMPUTED[config.features.source]
        found = source.names(tuple(known['joint_names']), config.features)
        newer = (name for name in found if name not in known['scaled_names'])
        config.features.leave_out = (*left_out, *newer)


def _another_validation_file(key: str, before: Any, now: Any) -> bool:
    # It changes no step; going between a file and a split of train does.
    return key == 'data.val' and bool(before) and bool(now)


def _tuple(value: Any) -> Any:
    # ml_collections refuses to override lists, and JSON knows no tuples.
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
