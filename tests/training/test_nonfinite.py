"""A clip that makes the loss infinite: what each policy does, and which step and clip it names."""

import dataclasses
import json
import re

import jax
import numpy as np
import pytest

from posevid_jax.data import npz, synthetic
from posevid_jax.errors import InputError
from posevid_jax.inference.single import SingleRun
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop, nonfinite
from tests import toy

BAD = 7


@pytest.fixture
def config(tmp_path):
    """Clips of which number `BAD`, unscaled, overflows the statistics over time."""
    made = synthetic.make_clips(num_videos=6, clips_per_video=8, num_frames=8, seed=0)
    features = made.features.copy()
    features[BAD] = np.where(made.mask[BAD], 3e38 * np.sign(features[BAD]), 0)
    npz.write_clips(tmp_path / 'train.npz', dataclasses.replace(made, features=features), 'long')
    npz.write_clips(
        tmp_path / 'val.npz',
        synthetic.make_clips(num_videos=2, clips_per_video=8, num_frames=8, seed=1),
        'long',
    )

    def make(policy, **changes):
        return toy.config(
            data__train=str(tmp_path / 'train.npz'),
            data__val=str(tmp_path / 'val.npz'),
            features__zscore='none',
            features__clip_at=3e38,
            train__on_nonfinite=policy,
            train__num_epochs=3,
            **changes,
        )

    return make


def bad_steps(config):
    """The steps that draw the bad clip, from 1."""
    experiment = experiments.build(config)
    return [step for step, batch in enumerate(experiment.data(), 1) if BAD in batch['row']]


@pytest.mark.parametrize(('kind', 'members'), [('jit', 1), ('pmap', 1), ('jit', 2)])
def test_skip_leaves_the_step_out_and_names_it(tmp_path, capsys, config, kind, members):
    settings = config('skip', parallel=kind, train__num_seeds=members)
    loop.train_and_evaluate(settings, tmp_path / 'run')
    steps = bad_steps(settings)
    assert len(steps) == 3  # once an epoch
    warned = re.findall(r'warning: step (\d+): .*clips (\d+) \(', capsys.readouterr().out)
    assert warned == [(str(step), str(BAD)) for step in steps]
    lines = [json.loads(line) for line in (tmp_path / 'run/metrics.jsonl').open()]
    assert [line['step'] for line in lines if line['loss'] is None] == steps
    assert [line['skipped'] for line in lines] == [
        sum(bad <= line['step'] for bad in steps) for line in lines
    ]
    history = json.loads((tmp_path / 'run/history.json').read_text())
    assert all(np.isfinite(record['train']['loss']) for record in history)


def test_stop_keeps_the_last_good_state_and_skip_goes_on_from_it(tmp_path, config):
    settings, found = config('stop', train__log_every_steps=100), bad_steps(config('stop'))
    with pytest.raises(InputError, match=rf'step {found[0]}: .*clips {BAD} .*on_nonfinite=skip'):
        loop.train_and_evaluate(settings, tmp_path / 'run')
    if found[0] > 1:
        assert (tmp_path / f'run/checkpoints/{found[0] - 1}').is_dir()
    skipping = config('skip', train__log_every_steps=100)
    resumed = loop.train_and_evaluate(skipping, tmp_path / 'run')
    whole = loop.train_and_evaluate(skipping, tmp_path / 'whole')
    assert resumed == whole
    states = [
        SingleRun.restore(skipping, tmp_path / name, 'last').state for name in ('run', 'whole')
    ]
    jax.tree.map(np.testing.assert_array_equal, *jax.device_get(states))


def test_raise_is_no_input_error(tmp_path, config):
    with pytest.raises(FloatingPointError, match=f'clips {BAD} '):
        loop.train_and_evaluate(config('raise'), tmp_path / 'run')


def test_a_diverged_run_is_stopped_and_a_batch_without_a_culprit_is_named_whole(tmp_path):
    config = toy.config(train__learning_rate=1e38, train__warmup_epochs=0.0)
    with pytest.raises(InputError, match=r'step 2: .*the state of step 1 is kept'):
        loop.train_and_evaluate(config, tmp_path)
    clips = experiments.build(config).train
    named = nonfinite.describe(4, np.arange(9), clips, np.zeros(9))
    assert 'no clip alone gives such a loss; the batch holds 0 (' in named
    assert named.endswith('and 4 more')


def test_an_unknown_policy_is_named():
    with pytest.raises(InputError, match=r'train\.on_nonfinite: found .ignore.'):
        experiments.build(toy.config(train__on_nonfinite='ignore'))
