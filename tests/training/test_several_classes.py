"""More than two classes from the data to the evaluation, and two classes with a logit each."""

import json
import pathlib

import numpy as np
import pytest

from posevid_jax.data import source
from posevid_jax.data.npz import write_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.training import loop
from tests import toy

NAMES = ('other', 'smoke', 'drink', 'chin')


def config(**changes):
    several = {
        'data__synthetic__classes': NAMES[1:],
        'data__synthetic__num_videos': 16,
        'data__synthetic__clips_per_video': 16,
        'data__synthetic__num_frames': 24,
        'model__stat_pool__hidden_sizes': (32,),
        'train__loss': 'ce',
        'train__learning_rate': 1e-2,
        'train__num_epochs': 4,
    }
    return toy.config(**several | changes)


@pytest.fixture(scope='module')
def run(tmp_path_factory) -> pathlib.Path:
    workdir = tmp_path_factory.mktemp('runs') / 'run'
    loop.train_and_evaluate(config(), workdir)
    return workdir


def read(path):
    return json.loads(path.read_text())


def test_a_run_finds_every_class_and_beats_the_most_frequent_one(run):
    record = read(run / 'eval/val.json')
    assert record['class_names'] == list(NAMES)
    assert record['roc_auc'] > 0.8
    assert all(scores['roc_auc'] > 0.6 for scores in record['per_class'])
    assert record['f1'] > record['majority_class']['f1'] + 0.2
    assert record['accuracy'] > record['majority_class']['accuracy']
    best = read(run / 'best.json')
    assert best['value'] == max(epoch['val']['roc_auc'] for epoch in read(run / 'history.json'))
    assert read(run / 'thresholds.json')['threshold'] is None


def test_evaluation_finds_the_classes_by_name_and_does_without_one(run, tmp_path, capsys):
    trained = read(run / 'eval/val.json')
    _, val = source.train_and_val(config().data, config().seed)
    turned = val.with_classes(NAMES[::-1])
    write_clips(tmp_path / 'turned.npz', turned, 'long')
    found = to_json(evaluate_run(config(data__test=str(tmp_path / 'turned.npz')), run))
    same = ('per_class', 'confusion', 'roc_auc', 'majority_class', 'class_names')
    assert {key: found[key] for key in same} == {key: trained[key] for key in same}

    others = np.flatnonzero(val.label != NAMES.index('drink'))
    write_clips(tmp_path / 'part.npz', turned.select(others), 'long')
    capsys.readouterr()
    found = evaluate_run(config(data__test=str(tmp_path / 'part.npz')), run).scores
    drink = found.per_class[NAMES.index('drink')]
    assert drink.support == 0 and drink.roc_auc is None
    scored = [scores.roc_auc for scores in found.per_class if scores.support]
    assert len(scored) == 3 and found.roc_auc == pytest.approx(np.mean(scored))
    out = capsys.readouterr().out
    assert 'macro ROC-AUC' in out and 'always other' in out


def test_a_class_that_the_run_does_not_know_is_one_line(run, tmp_path):
    clips = source.load('synthetic', config(data__synthetic__classes=('smoke', 'wave')).data)
    write_clips(tmp_path / 'other.npz', clips, 'long')
    changed = config(data__test=str(tmp_path / 'other.npz'))
    with pytest.raises(InputError, match=r'other\.npz: class_names: .*wave, expected .*chin'):
        evaluate_run(changed, run)


def test_two_classes_with_a_logit_each_have_a_threshold(tmp_path):
    changed = config(data__synthetic__classes=('smoke',), train__num_epochs=2)
    record = loop.train_and_evaluate(changed, tmp_path)
    assert record.scores.roc_auc > 0.7 and record.scores.always_positive.f1 > 0
    assert read(tmp_path / 'thresholds.json')['threshold'] == record.assessment.stored_threshold
    assert evaluate_run(changed, tmp_path) == record


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'data__synthetic__classes': ('smoke', 'fly')}, r'data\.synthetic\.classes.*fly'),
        ({'data__synthetic__classes': ()}, r'data\.synthetic\.classes'),
    ],
)
def test_what_several_classes_cannot_do_is_named(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        loop.train_and_evaluate(config(**changes), tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
