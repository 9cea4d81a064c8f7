"""Dataclasses as JSON, and back."""

import dataclasses
import json
from typing import Annotated

import pytest

from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import INLINE, LEFT_OUT, Key, from_json, to_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disc:
    radius: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Square:
    side: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawing:
    shape: Annotated[Disc | Square, INLINE]
    line: Annotated[int, Key('line.width')] = 1
    notes: Annotated[list[str] | None, LEFT_OUT] = None
    scale: float | None = None


def through_a_file(value):
    return from_json(type(value), json.loads(json.dumps(to_json(value))), 'a file')


def test_annotations_say_what_is_written_and_all_of_it_is_read_again():
    disc = Drawing(shape=Disc(radius=1.5), line=2, notes=['a'])
    assert to_json(disc) == {'radius': 1.5, 'line.width': 2, 'notes': ['a'], 'scale': None}
    square = Drawing(shape=Square(side=1.0))
    assert to_json(square) == {'side': 1.0, 'line.width': 1, 'scale': None}
    assert through_a_file(disc) == disc and through_a_file(square) == square


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ({'line.width': 1}, 'f.json: side: not found'),
        ({'side': 'long'}, 'f.json: side: found str, expected float'),
        ({'side': True}, 'f.json: side: found bool, expected float'),
        ({'side': 1.0, 'notes': [1]}, 'f.json: notes.0: found int, expected str'),
        ({'side': 1.0, 'notes': {}}, 'f.json: notes: found dict, expected a list'),
        ([], 'f.json: found list, expected an object'),
    ],
)
def test_what_does_not_fit_is_named(value, message):
    with pytest.raises(InputError) as error:
        from_json(Drawing, value, 'f.json')
    assert str(error.value) == message
