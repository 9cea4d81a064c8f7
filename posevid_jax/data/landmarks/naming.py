"""Which joint is which: the user's names first, then the file's own, then those of the format."""

import re
from collections.abc import Sequence

from ml_collections import ConfigDict

from posevid_jax.data.joints import JOINT_MAPS, joint_map
from posevid_jax.errors import InputError

_SIDES = {'l': 'left', 'r': 'right'}


def names_of(
    where: str,
    config: ConfigDict,
    count: int,
    own: Sequence[str] | None = None,
    default: str = '',
) -> tuple[tuple[str, ...], str]:
    """The names of J joints, and where they come from.

    Args:
      where: file and format, for messages.
      config: `config.prepare`; its `joint_map` or `joint_names` win.
      count: J.
      own: names in the file, if it has any.
      default: key of `JOINT_MAPS` of the format; '' for none.

    Raises:
      InputError: no names, another number of them, or a name twice.
    """
    given = joint_map(config.joint_map, config.joint_names)
    if given is not None:
        names, source = given, 'prepare.joint_map' if config.joint_map else 'prepare.joint_names'
    elif own is not None:
        names, source = tuple(map(standard, own)), 'file'
    else:
        if default and len(JOINT_MAPS[default]) != count:
            fitting = [name for name, joints in JOINT_MAPS.items() if len(joints) == count]
            default = fitting[0] if len(fitting) == 1 else default
        names, source = JOINT_MAPS.get(default, ()), default
    if not names:
        raise InputError(
            f'{where}: joint names: not in the file, expected a map in prepare.joint_map '
            f'({", ".join(JOINT_MAPS)}) or names in prepare.joint_names'
        )
    if len(names) != count:
        raise InputError(
            f'{where}: found {count} joint{"s" * (count != 1)}, expected the {len(names)} of '
            f'{source}; prepare.joint_map and prepare.joint_names say which they are'
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f'{where}: joint names: found {twice} twice, expected unique names')
    return names, source


def map_of(config: ConfigDict, default: str) -> tuple[str, ...]:
    """The map behind joint numbers: the user's, else that of the format."""
    return joint_map(config.joint_map, config.joint_names) or JOINT_MAPS[default]


def standard(name: str) -> str:
    """A joint's name as it is spelt here: `LEFT_WRIST`, `leftWrist`, `LWrist`, `L Wrist` are
    `left_wrist`."""
    name = re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name.strip())
    parts = [part for part in re.split(r'[^0-9A-Za-z]+', name.lower()) if part]
    if len(parts) > 1 and parts[0] in _SIDES:
        parts[0] = _SIDES[parts[0]]
    return '_'.join(parts) or name
