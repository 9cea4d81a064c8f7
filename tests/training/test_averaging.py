"""The moving average of the parameters, and when training ends before its last epoch."""

import json

import jax
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.runs import records
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop
from tests import toy


def test_the_average_follows_the_parameters_and_is_what_is_evaluated():
    experiment = experiments.build(toy.config(train__ema_decay=0.5, train__learning_rate=0.1))
    parallel = Parallel('pmap')
    step, state = parallel.compile_train(experiment.train_step()), experiment.initial_state()
    average = jax.device_get(state.params)
    for index, batch in zip(range(3), experiment.data(), strict=False):
        state, _ = step(state, parallel.split(batch), jax.random.key(0))
        keep = min(0.5, (1 + index) / (10 + index))
        average = jax.tree.map(
            lambda old, new, keep=keep: keep * old + (1 - keep) * np.asarray(new),
            average,
            state.params,
        )
    for found, wanted in zip(jax.tree.leaves(state.ema), jax.tree.leaves(average), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
    assert state.variables['params'] is state.ema


def test_a_run_with_an_average_is_evaluated_with_it_from_disk_too(tmp_path):
    config = toy.config(train__ema_decay=0.9)
    trained = loop.train_and_evaluate(config, tmp_path / 'run')
    assert evaluate_run(config, tmp_path / 'run') == trained
    plain = loop.train_and_evaluate(toy.config(), tmp_path / 'plain')
    assert plain.loss != pytest.approx(trained.loss, rel=1e-6)


@pytest.mark.parametrize(
    ('scores', 'smoothing', 'since'),
    [
        ([], 0.0, 0),
        ([None, None], 0.0, 2),
        ([0.5, 0.6, 0.6, 0.4], 0.0, 2),
        ([0.5, None, 0.7], 0.0, 0),
        # A single lucky epoch counts little: 0.5, 0.65, 0.575, 0.6125, ...
        ([0.5, 0.8, 0.5, 0.65, 0.7], 0.5, 0),
        ([0.5, 0.8, 0.5, 0.65, 0.7], 0.0, 3),
    ],
)
def test_progress_is_that_of_the_smoothed_score(scores, smoothing, since):
    assert records.epochs_without_progress(scores, smoothing) == since


def test_training_ends_when_patience_runs_out_and_a_restart_changes_nothing(tmp_path, capsys):
    # Nothing is learnt, so the first epoch stays the best.
    config = toy.config(train__learning_rate=0.0, train__num_epochs=9, train__patience=2)
    trained = loop.train_and_evaluate(config, tmp_path)
    assert 'roc_auc is no better for 2 epochs: done' in capsys.readouterr().out
    history = json.loads((tmp_path / 'history.json').read_text())
    assert [record['epoch'] for record in history] == [1, 2, 3]
    assert loop.train_and_evaluate(config, tmp_path) == trained
    assert json.loads((tmp_path / 'history.json').read_text()) == history
    more = toy.config(train__learning_rate=0.0, train__num_epochs=9, train__patience=4)
    loop.train_and_evaluate(more, tmp_path)
    assert len(json.loads((tmp_path / 'history.json').read_text())) == 5


@pytest.mark.parametrize(('key', 'value'), [('patience', -1), ('patience_smoothing', 1.0)])
def test_bad_settings_are_named(key, value):
    with pytest.raises(InputError, match=rf'train\.{key}: found {value}'):
        experiments.build(toy.config(**{f'train__{key}': value}))
