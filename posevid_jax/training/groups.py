"""What the optimiser does to each parameter, by its name: every one is covered, and once."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.models.families import Family


class Rule(NamedTuple):
    """What happens to one parameter.

    Attributes:
      rate: factor of the learning rate.
      decay: factor of the weight decay; 0 for biases, norms and tables.
      frozen: whether it stays as it is for the first `train.freeze_epochs`.
    """

    rate: float
    decay: float
    frozen: bool


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.train` about groups is malformed."""
    for group in config.groups:
        if not (
            isinstance(group, tuple | list)
            and len(group) == 3
            and isinstance(group[0], str)
            and all(isinstance(factor, int | float) and factor >= 0 for factor in group[1:])
        ):
            raise InputError(
                f'train.groups: found {group!r}, expected (pattern, factor of the learning rate, '
                'factor of the weight decay)'
            )
    check_patterns('train.groups', [group[0] for group in config.groups])
    check_patterns('train.freeze', config.freeze)
    if not 0 < config.layer_decay <= 1:
        raise InputError(f'train.layer_decay: found {config.layer_decay}, expected 0 to 1')


def check_patterns(key: str, patterns: Iterable[str]) -> None:
    """Raises InputError when one that `key` holds is no regular expression."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise InputError(f'{key}: {pattern!r} is no pattern ({error})') from None


def rules(params: Any, config: ConfigDict, family: Family) -> dict[str, Rule]:
    """The rule of every parameter, by name such as `stage0_block1/attn/qkv/kernel`.

    Args:
      params: the tree; only names matter.
      config: `config.train`.
      family: the model's, which knows its layers and what decays.

    Raises:
      InputError: a parameter is in no group or in several, or a pattern matches none.
    """
    names = parameter_names(params)
    rates, decays = _groups(names, config.groups)
    layers = _layers(names, family) if config.layer_decay < 1 else dict.fromkeys(names, 0)
    top = max(layers.values())
    for pattern in config.freeze:
        if not any(re.fullmatch(pattern, name) for name in names):
            raise InputError(
                f'train.freeze: {pattern!r} matches no parameter; they are {_some(names)}'
            )
    found = {}
    for name in names:
        kind = name.rpartition('/')[2]
        if kind not in family.decays:  # a new kind of parameter is a decision, not an accident
            raise ValueError(f'no weight-decay rule for parameter {name}')
        found[name] = Rule(
            rate=rates[name] * config.layer_decay ** (top - layers[name]),
            decay=decays[name] * family.decays[kind],
            frozen=any(re.fullmatch(pattern, name) for pattern in config.freeze),
        )
    return found


def parameter_names(params: Any) -> list[str]:
    """Names of the leaves, in the order of the tree."""
    return [
        '/'.join(key.key for key in path) for path, _ in jax.tree_util.tree_leaves_with_path(params)
    ]


def _groups(
    names: list[str], groups: Iterable[tuple[str, float, float]]
) -> tuple[dict[str, float], dict[str, float]]:
    rates, decays = {}, {}
    for pattern, rate, decay in groups:
        matched = [name for name in names if re.fullmatch(pattern, name)]
        if not matched:
            raise InputError(
                f'train.groups: {pattern!r} matches no parameter; they are {_some(names)}'
            )
        for name in matched:
            if name in rates:
                raise InputError(f'train.groups: {name} is in several groups, one is {pattern!r}')
            rates[name], decays[name] = rate, decay
    left = [name for name in names if name not in rates]
    if left:
        raise InputError(f'train.groups: {_some(left)} in no group')
    return rates, decays


def _layers(names: list[str], family: Family) -> dict[str, int]:
    """How far each parameter is from the input: 0 for the first layer, most for the head."""
    places = {name: family.place(name.partition('/')[0]) for name in names}
    layers = sorted({place for place in places.values() if place is not None})
    return {
        name: len(layers) if place is None else layers.index(place)
        for name, place in places.items()
    }


def _some(names: list[str]) -> str:
    shown = ', '.join(names[:4])
    return f'{shown}, ... ({len(names)})' if len(names) > 4 else shown
