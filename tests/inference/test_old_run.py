"""A run directory that an earlier version wrote (tests/data/old_run) still gives its numbers.

`eval/old_clips.json` in it is the evaluation of that version, on `tests/data/old_clips.npz`.
"""

import json
import pathlib
import shutil

import numpy as np
import pytest

import posevid_jax
from configs import run as run_config
from posevid_jax.modes import eval

DATA = pathlib.Path(__file__).parent.parent / 'data'


@pytest.fixture
def old_run(tmp_path):
    return shutil.copytree(DATA / 'old_run', tmp_path / 'old_run')


def test_its_evaluation_gives_the_same_numbers(old_run):
    before = json.loads((old_run / 'eval/old_clips.json').read_text())
    config = run_config.get_config(str(old_run))
    config.data.test = str(DATA / 'old_clips.npz')
    config.eval.report = False
    record = eval.evaluate_run(config, old_run)
    flat, expected = flatten(record), flatten(before)
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
