"""Duration models as files."""

import dataclasses
import json

import pytest

from posevid_jax.errors import InputError
from posevid_jax.inference import duration_model
from posevid_jax.inference.duration_model import DurationModel

MODEL = DurationModel(
    min_seconds=[2.0, 0.5],
    leave_per_second=[0.1, 1.5],
    transition=[[0.0, 1.0], [1.0, 0.0]],
    prior=[0.9, 0.1],
    weight=0.3,
    prior_weight=0.5,
)


@pytest.mark.parametrize(
    ('changed', 'told'),
    [
        ({'prior': [1.0]}, 'prior: found 1 classes, expected at least 2'),
        ({'prior': [0.5, 0.6]}, r'prior: found \[0.5, 0.6\], expected shares'),
        ({'prior': [1.0, 0.0]}, 'prior: found 0, expected'),
        ({'min_seconds': [1.0]}, 'min_seconds: found 1 numbers, expected 2'),
        ({'min_seconds': [1.0, -0.5]}, 'min_seconds: found -0.5, expected 0 to 3600'),
        ({'min_seconds': [1e6, 0.5]}, 'min_seconds: found 1e\\+06, expected 0 to 3600'),
        ({'leave_per_second': [0.1, 0.0]}, 'leave_per_second: found 0, expected'),
        ({'leave_per_second': [0.1, float('nan')]}, 'leave_per_second: found nan, expected'),
        ({'transition': [[0.0, 1.0]]}, 'transition: found 1 numbers, expected 2'),
        ({'transition': [[0.0, 1.0], [1.0]]}, 'transition.1: found 1 numbers, expected 2'),
        ({'transition': [[0.0, 1.0], [0.5, 0.5]]}, 'transition.1: found 0.5 for class 1 itself'),
        ({'transition': [[0.0, 1.0], [2.0, -1.0]]}, 'transition.1: found .* expected shares'),
        ({'weight': 0.0}, 'weight: found 0, expected'),
        ({'prior_weight': -1.0}, 'prior_weight: found -1, expected'),
        ({'prior_weight': 'much'}, 'prior_weight: found str, expected float'),
    ],
)
def test_numbers_that_are_no_model_are_named(changed, told, tmp_path):
    path = tmp_path / 'durations.json'
    path.write_text(json.dumps(dataclasses.asdict(MODEL) | changed))
    with pytest.raises(InputError, match=rf'durations\.json: {told}'):
        duration_model.read(path)
