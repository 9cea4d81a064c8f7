"""The model of a run that makes its events."""

import dataclasses
import types

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.inference import decoded_events, decoders, min_risk
from posevid_jax.inference.min_risk import MinRiskModel
from posevid_jax.runs.files import write_json
from tests import toy
from tests.inference.test_duration_model import MODEL

LEAST_RISK = MinRiskModel(MODEL, 0.4)


def run(folder, **predict):
    return types.SimpleNamespace(
        config=toy.config(**{f'predict__{key}': value for key, value in predict.items()}),
        workdir=folder,
        inputs={'class_names': ['no_smoke', 'smoke']},
    )


@pytest.mark.parametrize(('decoder', 'model'), [('durations', MODEL), ('min_risk', LEAST_RISK)])
def test_a_model_lies_in_the_run_or_where_it_is_named(decoder, model, tmp_path):
    write_json(tmp_path / f'{decoder}.json', model)
    assert decoders.of_run(run(tmp_path, decoder=decoder)) == model
    assert decoders.of_run(run(tmp_path)) is None  # thresholds
    (tmp_path / f'{decoder}.json').rename(tmp_path / 'other.json')
    named = run(tmp_path / 'elsewhere', decoder=decoder, durations=str(tmp_path / 'other.json'))
    assert decoders.of_run(named) == model


@pytest.mark.parametrize(('decoder', 'model'), [('durations', MODEL), ('min_risk', LEAST_RISK)])
def test_a_file_that_is_missing_or_has_other_classes_is_one_line(decoder, model, tmp_path):
    of = run(tmp_path, decoder=decoder)
    with pytest.raises(InputError, match=rf'{decoder}\.json: not found; predict\.decoder='):
        decoders.of_run(of)
    write_json(tmp_path / f'{decoder}.json', model)
    of.inputs['class_names'] = ['no', 'a', 'b']
    with pytest.raises(InputError, match=rf'{decoder}\.json: found 2 classes, expected the 3 of'):
        decoders.of_run(of)


def test_the_configuration_has_the_last_word_about_confidence(tmp_path):
    write_json(tmp_path / 'min_risk.json', LEAST_RISK)
    of = run(tmp_path, decoder='min_risk', min_confidence=0.7)
    assert decoders.of_run(of) == dataclasses.replace(LEAST_RISK, price=0.7)


def test_each_model_finds_its_own_events():
    probs = np.random.default_rng(0).dirichlet([1, 1], 100)
    assert decoders.find(probs, MODEL, 10.0) == decoded_events.decoded_events(probs, MODEL, 10.0)
    assert decoders.find(probs, LEAST_RISK, 10.0) == min_risk.find(probs, LEAST_RISK, 10.0)
