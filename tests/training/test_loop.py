"""Whole runs at toy size: what they write, and that stopping changes nothing."""

import json
import os
import re
import signal

import jax
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.inference.single import SingleRun
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.training import loop
from tests import toy


def parameters(config, workdir, checkpoint='last'):
    return jax.device_get(SingleRun.restore(config, workdir, checkpoint).state)


def without_time(record):
    return {key: value for key, value in record.items() if key != 'time'}


def read(path):
    return json.loads(path.read_text())


def stop_after(monkeypatch, steps):
    """Sends this process SIGINT, as Ctrl-C would, when the given step has been dispatched."""
    update = loop.Progress.update

    def update_and_signal(self, step):
        update(self, step)
        if step == steps:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(loop.Progress, 'update', update_and_signal)


@pytest.mark.parametrize(
    ('kind', 'programs'), [('jit', ['train_step', 'eval_step']), ('pmap', ['_fun'] * 2)]
)
def test_each_step_is_compiled_once(tmp_path, caplog, kind, programs):
    with jax.log_compiles():
        loop.train_and_evaluate(toy.config(parallel=kind), tmp_path)
    names = r'Finished XLA compilation of jit\((train_step|eval_step|_fun)\)'
    # pmap gives all its programs one name.
    assert re.findall(names, caplog.text) == programs


def test_a_run_writes_its_directory_and_learns(tmp_path):
    config = toy.config(train__num_epochs=8, data__synthetic__num_videos=12)
    result = loop.train_and_evaluate(config, tmp_path)
    assert result.scores.roc_auc > 0.6
    history = read(tmp_path / 'history.json')
    assert [record['epoch'] for record in history] == list(range(1, 9))
    assert history[-1]['train']['loss'] < history[0]['train']['loss']
    assert all(0 <= record['time']['data_wait_share'] <= 1 for record in history)
    best = read(tmp_path / 'best.json')
    assert best['value'] == max(record['val']['roc_auc'] for record in history)
    assert result.step == best['step'] and result.scores.roc_auc == best['value']
    steps = [json.loads(line) for line in (tmp_path / 'metrics.jsonl').open()]
    assert [step['step'] for step in steps] == list(range(1, history[-1]['step'] + 1))
    of_epoch = np.array([step['loss'] for step in steps]).reshape(8, -1).mean(axis=1)
    np.testing.assert_allclose([e['train']['loss'] for e in history], of_epoch, rtol=1e-5)
    reproduce = read(tmp_path / 'reproduce.json')
    assert reproduce['config'] == read(tmp_path / 'config.json')
    assert reproduce['results'] == read(tmp_path / 'eval' / 'val.json') == to_json(result)
    chosen, calibration = (read(tmp_path / f'{n}.json') for n in ('thresholds', 'calibration'))
    for file in (chosen, calibration):
        assert (file['step'], file['val']) == (best['step'], result.assessment.fingerprint)
    assert chosen['threshold'] == result.assessment.stored_threshold
    assert result.assessment.chosen_on_these
    assert {'temperature', 'platt'} <= calibration.keys()
    with np.load(tmp_path / 'eval' / 'val.npz') as arrays:
        taken = arrays['prob'][:, 1] >= result.scores.at_threshold.threshold
        (_, fp), (_, tp) = result.scores.at_threshold.confusion
        assert (np.sum(taken & (arrays['label'] == 0)), np.sum(taken & arrays['label'])) == (fp, tp)
    kept = {int(path.name) for path in (tmp_path / 'checkpoints').iterdir() if path.name.isdigit()}
    assert kept == {best['step'], history[-2]['step'], history[-1]['step']}
    assert not list(tmp_path.glob('.*'))


@pytest.mark.parametrize('kind', ['jit', 'pmap'])
def test_a_run_stopped_and_resumed_again_and_again_is_bit_for_bit_the_whole_one(
    tmp_path, monkeypatch, capsys, kind
):
    config = toy.config(
        model__dropout=0.3, parallel=kind, train__num_epochs=3, train__batch_size=12
    )
    whole = loop.train_and_evaluate(config, tmp_path / 'whole')
    assert read(tmp_path / 'whole' / 'history.json')[0]['step'] == 3

    for step in (2, 3, 5):  # inside an epoch, at the end of it, inside a later one
        with monkeypatch.context() as patch:
            stop_after(patch, step)
            assert loop.train_and_evaluate(config, tmp_path / 'parts') is None
        assert f'stopped and saved at step {step} of 9' in capsys.readouterr().out
    resumed = loop.train_and_evaluate(config, tmp_path / 'parts')

    assert resumed == whole
    jax.tree.map(
        np.testing.assert_array_equal,
        *(parameters(config, tmp_path / name) for name in ('whole', 'parts')),
    )
    for name in ('best.json', 'thresholds.json', 'scaler.json', 'metrics.jsonl'):
        files = [(tmp_path / run / name).read_text() for run in ('whole', 'parts')]
        assert files[0] == files[1], name
    histories = [read(tmp_path / run / 'history.json') for run in ('whole', 'parts')]
    assert list(map(without_time, histories[0])) == list(map(without_time, histories[1]))


# Every augmentation that features of an archive can follow.
AUGMENTED = {
    'augment__mirror': 0.5,
    'augment__hand_swap': 0.5,
    'augment__warp': 0.4,
    'augment__shift': 0.2,
    'augment__crop': 0.2,
    'augment__frame_drop': 0.1,
    'augment__mixup': 0.4,
}


def test_evaluation_never_sees_augmentation(tmp_path):
    still = {'train__learning_rate': 0.0, 'train__num_epochs': 1}
    plain = loop.train_and_evaluate(toy.config(**still), tmp_path / 'plain')
    augmented = loop.train_and_evaluate(toy.config(**still, **AUGMENTED), tmp_path / 'augmented')
    assert augmented == plain
    losses = [
        read(tmp_path / name / 'history.json')[0]['train']['loss']
        for name in ('plain', 'augmented')
    ]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_a_complete_run_started_again_changes_nothing(tmp_path):
    settings = {'every_steps': 2, 'keep_last': 4, 'keep_every_epochs': 1}
    config = toy.config(
        train__num_epochs=3,
        train__batch_size=12,
        train__best_metric='last',
        **{f'checkpoint__{key}': value for key, value in settings.items()},
    )
    first = loop.train_and_evaluate(config, tmp_path)
    # Written at 2, 3, 4, 6, 8 and 9: the last four of them, and the ends of epochs.
    steps = {int(path.name) for path in (tmp_path / 'checkpoints').iterdir()}
    assert steps == {3, 4, 6, 8, 9}
    before = (tmp_path / 'history.json').read_text()
    assert loop.train_and_evaluate(config, tmp_path) == first
    assert (tmp_path / 'history.json').read_text() == before


def test_more_epochs_go_on_but_another_learning_rate_is_another_run(tmp_path):
    loop.train_and_evaluate(toy.config(), tmp_path)
    before = (tmp_path / 'config.json').read_text()
    with pytest.raises(InputError, match=r'train\.learning_rate was 0\.001, now 0\.5'):
        loop.train_and_evaluate(toy.config(train__learning_rate=0.5), tmp_path)
    assert (tmp_path / 'config.json').read_text() == before
    with pytest.raises(InputError, match=r'train\.num_epochs: found 1'):
        loop.train_and_evaluate(toy.config(train__num_epochs=1), tmp_path)
    loop.train_and_evaluate(toy.config(train__num_epochs=3), tmp_path)
    assert [record['epoch'] for record in read(tmp_path / 'history.json')] == [1, 2, 3]


def test_evaluation_of_a_run_gives_the_numbers_that_training_printed(tmp_path, capsys):
    # So large a rate makes the loss grow: the best epoch is not the last.
    config = toy.config(train__num_epochs=3, train__learning_rate=0.3, train__best_metric='loss')
    trained = loop.train_and_evaluate(config, tmp_path)
    assert evaluate_run(config, tmp_path) == trained
    last = evaluate_run(config, tmp_path, 'last')
    history = read(tmp_path / 'history.json')
    best = min(history, key=lambda record: record['val']['loss'])
    assert trained.step == best['step'] < last.step == history[-1]['step']
    assert last.scores.roc_auc == history[-1]['val']['roc_auc']
    with pytest.raises(InputError, match=r"no checkpoint '7'"):
        evaluate_run(config, tmp_path, '7')
    said = capsys.readouterr().out
    assert [f'look {n} at val from this run' in said for n in range(1, 5)] == [0, 1, 1, 0]
    lines = [json.loads(line) for line in (tmp_path / 'eval' / 'looks.jsonl').open()]
    assert [line.get('epochs') for line in lines] == [3, None, None]
    assert [line['step'] for line in lines] == [trained.step, trained.step, last.step]


def test_a_run_made_on_two_devices_evaluates_on_one_and_the_other_way_round(tmp_path):
    for trained_on, evaluated_on in (('pmap', 'jit'), ('jit', 'pmap')):
        workdir = tmp_path / trained_on
        trained = loop.train_and_evaluate(toy.config(parallel=trained_on), workdir)
        found = evaluate_run(toy.config(parallel=evaluated_on), workdir)
        assert found.scores.roc_auc == pytest.approx(trained.scores.roc_auc, abs=1e-6)
        assert found.loss == pytest.approx(trained.loss, rel=1e-5)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'train__loss': 'hinge'}, 'train.loss'),
        ({'train__num_epochs': 0}, 'train.num_epochs'),
        ({'train__best_metric': 'f2'}, 'train.best_metric'),
        ({'train__best_metric': 'last', 'train__patience': 2}, 'train.patience.*expected 0'),
        ({'features__zscore': 'robust'}, 'features.zscore'),
        ({'features__pack': 'heavy'}, 'features.pack'),
        ({'features__smooth': 4}, 'features.smooth'),
        ({'model__name': 'rnn'}, 'model.name'),
        ({'model__name': 'video_swin', 'model__size': 'huge'}, 'model.size.*tiny, small, base'),
        ({'features__layout': 'ring'}, 'features.layout'),
        ({'model__dtype': 'float64'}, 'model.dtype'),
        ({'train__frame_loss': 1.0}, 'train.frame_loss'),
        ({'model__stat_pool__hidden_sizes': ('wide',)}, 'model.stat_pool.hidden_sizes'),
        ({'parallel': 'tpu'}, 'parallel'),
        ({'parallel': 'pmap', 'train__batch_size': 7}, 'train.batch_size.*6 or 8'),
        ({'data__train': 'nowhere.npz'}, 'nowhere.npz'),
    ],
)
def test_what_cannot_work_is_named_before_anything_is_written(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        loop.train_and_evaluate(toy.config(**changes), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
