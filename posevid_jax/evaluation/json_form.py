"""Records as JSON and back: what a dataclass is in a file of a run directory.

A field is a key, unless its annotation says otherwise: `Annotated[X, INLINE]`. Keys come in the
order of the fields, those of the last base class first.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from posevid_jax.errors import InputError

_T = TypeVar('_T')


@dataclasses.dataclass(frozen=True)
class Key:
    """In an annotation: the field has this key, which is no name in Python."""

    name: str


INLINE = 'inline'
"""In an annotation: the keys of the field's dataclass stand beside those of the other fields."""

LEFT_OUT = 'left out'
"""In an annotation: where the field is None, there is no key."""

_LEAVES = {float: (float, int), int: (int,), str: (str,), bool: (bool,)}


def to_json(value: Any) -> Any:
    """Dataclasses, mappings and sequences, nested in any way, in the types that JSON knows."""
    if dataclasses.is_dataclass(value):
        record: dict[str, Any] = {}
        for field in _fields(type(value)):
            part = getattr(value, field.name)
            if field.inline:
                record |= to_json(part)
            elif part is not None or not field.left_out:
                record[field.key] = to_json(part)
        return record
    if isinstance(value, Mapping):
        return {name: to_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    return value


def from_json(kind: type[_T], value: Any, where: str) -> _T:
    """A dataclass from what `to_json` made of it.

    A missing key, as in a file of an older version, has the default of its field. Keys that belong
    to no field are passed over, so that a dataclass may read a part of a record. Where a field can
    be of several dataclasses, it is of the first one that finds all its keys.

    Args:
      kind: a dataclass.
      value: of JSON.
      where: the file, for the message.

    Raises:
      InputError: a key without a default is missing, or a value is of another type.
    """
    try:
        return _read(kind, value, '')
    except _Unlike as error:
        raise InputError(f'{where}: {error}') from None


class _Unlike(Exception):
    """Where a value is not what its annotation says."""


@dataclasses.dataclass(frozen=True)
class _Field:
    name: str
    kind: Any
    key: str
    inline: bool
    left_out: bool
    required: bool


@functools.cache
def _fields(kind: type) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        of, *marks = _parts(hints[field.name])
        defaults = (field.default, field.default_factory)
        found.append(
            _Field(
                name=field.name,
                kind=of,
                key=next((mark.name for mark in marks if isinstance(mark, Key)), field.name),
                inline=INLINE in marks,
                left_out=LEFT_OUT in marks,
                required=all(default is dataclasses.MISSING for default in defaults),
            )
        )
    return tuple(found)


def _parts(hint: Any) -> tuple[Any, ...]:
    """A type, and what an annotation adds to it."""
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)


@functools.cache
def _required(kind: type) -> frozenset[str]:
    """Keys that a dataclass cannot be read without."""
    keys: set[str] = set()
    for field in _fields(kind):
        if field.inline:
            kinds = typing.get_args(field.kind) or (field.kind,)
            keys |= frozenset.intersection(*map(_required, kinds))
        elif field.required:
            keys.add(field.key)
    return frozenset(keys)


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_one_of(arguments, value, place)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, place)
    if origin in (list, Sequence):
        _check(value, (list,), 'a list', place)
        return [_read(arguments[0], part, f'{place}.{n}') for n, part in enumerate(value)]
    if origin in (dict, Mapping):
        _check(value, (dict,), 'an object', place)
        return {name: _read(arguments[1], part, f'{place}.{name}') for name, part in value.items()}
    if issubclass(kind, tuple):  # a NamedTuple
        _check(value, (list,), 'a list', place)
        return kind(*value)
    _check(value, _LEAVES[kind], kind.__name__, place)
    return value


def _read_one_of(kinds: Sequence[Any], value: Any, place: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    *others, last = (kind for kind in kinds if kind is not types.NoneType)
    for kind in others:
        if isinstance(value, dict) and _required(kind) <= value.keys():
            return _read(kind, value, place)
    return _read(last, value, place)


def _read_dataclass(kind: Any, value: Any, place: str) -> Any:
    _check(value, (dict,), 'an object', place)
    found = {}
    for field in _fields(kind):
        if field.inline:
            found[field.name] = _read(field.kind, value, place)
        elif field.key in value:
            found[field.name] = _read(field.kind, value[field.key], f'{place}.{field.key}')
        elif field.required:
            raise _Unlike(f'{place}.{field.key}: not found'.lstrip('.'))
    return kind(**found)


def _check(value: Any, kinds: tuple[type, ...], expected: str, place: str) -> None:
    # In Python, True is an int; in JSON, it is no number.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        found = f'found {type(value).__name__}, expected {expected}'
        raise _Unlike(f'{place.lstrip(".")}: {found}' if place else found)
