"""A run directory that an earlier version wrote (tests/data/old_run) still gives its numbers.

`eval/old_clips.json` in it is the evaluation of that version, on `tests/data/old_clips.npz`.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest

import posevid_jax
from posevid_jax import config
from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.inference.restore import restore
from posevid_jax.modes import cv, eval
from posevid_jax.runs.config import read_config
from posevid_jax.training import loop

DATA = pathlib.Path(__file__).parent.parent / 'data'


@pytest.fixture
def old_run(tmp_path):
    return shutil.copytree(DATA / 'old_run', tmp_path / 'old_run')


def test_its_evaluation_gives_the_same_numbers(old_run):
    before = json.loads((old_run / 'eval/old_clips.json').read_text())
    settings = read_config(old_run)
    settings.data.test = str(DATA / 'old_clips.npz')
    settings.eval.report = False
    record = eval.evaluate_run(settings, old_run)
    flat, expected = flatten(to_json(record)), flatten(before)
    del expected['.always_positive.threshold']  # the answer of no model, now written as 0.5
    assert {key: flat[key] for key in expected} == {
        key: pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
        for key, value in expected.items()
    }


def test_it_loads(old_run):
    before = json.loads((old_run / 'eval/old_clips.json').read_text())
    run = posevid_jax.load(old_run)
    probs = run.predict_proba(DATA / 'old_clips.npz')
    label = np.load(DATA / 'old_clips.npz')['long_label']
    loss = -np.log(probs[np.arange(len(label)), label]).mean()
    assert loss == pytest.approx(before['loss'], rel=1e-5)


def flatten(value, name=''):
    """{'a.0.b': number} of nested lists and objects."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, item in items for k, v in flatten(item, f'{name}.{key}').items()}
    return {name: value}


def test_it_goes_on_and_cross_validates_whatever_keys_have_come_since(old_run, monkeypatch):
    for section in ('train', 'probe'):  # one that shapes the training, one that does not

        def with_a_key(defaults=config.get_config, section=section):
            changed = defaults()
            changed[section].a_key_of_tomorrow = 1
            return changed

        monkeypatch.setattr(config, 'get_config', with_a_key)
    settings = read_config(old_run)
    assert settings.train.a_key_of_tomorrow == settings.probe.a_key_of_tomorrow == 1
    settings.train.num_epochs, settings.eval.report = 3, False
    settings.cv.folds, settings.cv.seeds = 2, 1
    before = json.loads((old_run / 'history.json').read_text())
    loop.train_and_evaluate(settings, old_run)
    after = json.loads((old_run / 'history.json').read_text())
    assert after[:2] == before[:2] and len(after) == 3  # from the checkpoint of its second epoch
    assert cv.cross_validate(settings, old_run) is not None and (old_run / 'cv.json').exists()
    settings.train.a_key_of_tomorrow = 2
    with pytest.raises(InputError, match=r'train\.a_key_of_tomorrow was 1, now 2'):
        loop.train_and_evaluate(settings, old_run)


def test_another_network_than_its_own_is_told_by_the_key_of_the_command_line(old_run):
    settings = read_config(old_run)
    settings.model.stat_pool.hidden_sizes = (9,)
    with pytest.raises(InputError) as raised:
        restore(settings, old_run, 'best')
    message = str(raised.value)
    assert message.startswith(
        '--config.model.stat_pool.hidden_sizes: found [9], the run was trained with [8]'
    )
    assert 'params/Dense_0/bias: found shape (8,), expected shape (9,)' in message
