"""Several seeds in one program: each member as if it were alone, and the run of all of them."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from posevid_jax.evaluation import metrics
from posevid_jax.evaluation.members import spread
from posevid_jax.evaluation.results import Spread
from posevid_jax.inference.single import SingleRun
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import video_swin
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop, validation
from tests import toy
from tests.training.test_loop import stop_after

AUGMENTED = {'augment__mirror': 0.5, 'augment__crop': 0.2}
CASES = {
    'stat_pool': ('stat_pool', 'jit', {'train__micro_batches': 2, 'model__dropout': 0.5}),
    'batch_norm_on_two_devices': (
        'stat_pool', 'pmap', {'model__stat_pool__batch_norm': True, **AUGMENTED},
    ),
    'swin': ('video_swin', 'jit', {'model__size': 'toy', 'model__video_swin__drop_path': 0.3}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def toy_size(monkeypatch):
    size = {'embed_dim': 8, 'depths': (1, 1), 'num_heads': (1, 2)}
    monkeypatch.setitem(video_swin.SIZES, 'toy', size)


def alone(experiment, member):
    """The experiment of one member: its seed, the batches of all."""
    config = experiment.config.copy_and_resolve_references()
    config.seed += member
    config.train.num_seeds = 1
    return dataclasses.replace(experiment, config=config)


def after_steps(experiment, parallel, step, seed, num_steps=3):
    """The state and the last metrics; `seed` is of what the members have in common."""
    data, state = experiment.data(), experiment.initial_state()
    for _ in range(num_steps):
        state, numbers = jax.block_until_ready(
            step(state, parallel.split(next(data)), jax.random.key(seed))
        )
    return jax.device_get((state, numbers))


@pytest.mark.parametrize('case', CASES)
def test_each_member_is_the_training_of_its_seed(case):
    model, kind, changes = CASES[case]
    parallel = Parallel(kind)
    experiment = experiments.build(toy.config(model, seed=7, train__num_seeds=2, **changes))
    together, means = after_steps(
        experiment, parallel, parallel.compile_train(experiment.train_step()), 7
    )
    step = parallel.compile_train(alone(experiment, 0).train_step())
    # With augmentation, which all members share, only the first is also a run of its own.
    members = (0,) if 'augment__mirror' in changes else (0, 1)
    losses = []
    for member in members:
        state, numbers = after_steps(alone(experiment, member), parallel, step, 7 + member)
        losses.append(float(numbers['loss']))
        for name in ('params', 'batch_stats', 'opt_state', 'epoch'):
            mine = jax.tree.map(lambda leaf, m=member: leaf[m], getattr(together, name))
            # Adam divides by gradients that are next to nothing, noise and all.
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4),
                mine,
                getattr(state, name),
            )
    if len(losses) > 1:
        assert losses[0] != pytest.approx(losses[1], rel=1e-3)
        assert means['loss'] == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_run_of_several_seeds_is_their_ensemble_and_resumes(tmp_path, monkeypatch, capsys):
    config = toy.config(model__dropout=0.3, train__num_seeds=3, train__batch_size=12)
    whole = loop.train_and_evaluate(config, tmp_path / 'whole')
    with monkeypatch.context() as patch:
        stop_after(patch, 2)  # inside an epoch
        assert loop.train_and_evaluate(config, tmp_path) is None
    trained = loop.train_and_evaluate(config, tmp_path)
    assert trained == whole
    states = [
        SingleRun.restore(config, path, 'last').state for path in (tmp_path, tmp_path / 'whole')
    ]
    jax.tree.map(np.testing.assert_array_equal, *jax.device_get(states))
    assert evaluate_run(config, tmp_path) == trained
    assert 'mean of 3 members' in capsys.readouterr().out

    run, val = SingleRun.restore(config, tmp_path, 'best'), experiments.build(config).val
    logits = validation.make_predictor(run.model, val, config, Parallel('jit'))(run.state)
    assert logits.shape == (len(val), 3, 1)
    single = toy.config()
    for member in range(3):
        state = run.state.replace(
            params=jax.tree.map(lambda leaf, m=member: leaf[m], run.state.params)
        )
        mine = validation.make_predictor(run.model, val, single, Parallel('jit'))(state)
        np.testing.assert_allclose(mine, logits[:, member], atol=1e-5)
        auc = metrics.evaluate(val.label, metrics.probabilities(mine), 0.5).roc_auc
        assert auc == pytest.approx(trained.members['roc_auc'].each[member])
    mean = metrics.probabilities(logits.mean(axis=1))
    assert trained.scores.roc_auc == metrics.evaluate(val.label, mean, 0.5).roc_auc
    history = json.loads((tmp_path / 'history.json').read_text())
    assert history[-1]['val']['members'].keys() == {
        'roc_auc', 'average_precision', 'brier', 'expected_calibration_error', 'loss',
    }  # fmt: skip


def test_spread_by_hand():
    found = spread([{'roc_auc': 0.7, 'loss': None}, {'roc_auc': 0.9, 'loss': 1.0}])
    auc = found['roc_auc']
    assert (auc.mean, auc.std) == (pytest.approx(0.8), pytest.approx(0.02**0.5))
    assert auc.each == [0.7, 0.9]
    assert found['loss'] == Spread(mean=None, std=None, each=[None, 1.0])
