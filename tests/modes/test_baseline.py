"""Mode baseline at toy size: who is judged by whom, what stands beside it, and what is written."""

import dataclasses
import json

import numpy as np
import pytest

from posevid_jax.baselines import classifiers
from posevid_jax.baselines.classifiers import Baseline
from posevid_jax.data import source
from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import out_of_fold
from posevid_jax.evaluation.baseline_results import Baselines
from posevid_jax.evaluation.json_form import from_json
from posevid_jax.modes import baseline, cv
from posevid_jax.runs import cv_files
from tests import toy

TRIVIAL = classifiers.BASELINES[0]
CV = {'cv__folds': 3, 'cv__seeds': 1}
SEVERAL = {
    'data__synthetic__classes': ('smoke', 'drink'),
    'data__synthetic__num_videos': 12,
    'data__synthetic__clips_per_video': 12,
}


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Rows that compute no features: one is told the labels, one cannot run here."""
    told = Baseline('told', lambda channels, clips: np.asarray(clips.label, float)[:, None], answer)
    lacking = told._replace(name='lacking', needs='no_such_module', install='pip install it')
    monkeypatch.setattr(baseline, 'BASELINES', (TRIVIAL, told, lacking))


def answer(known, label, seed):
    """The labels that it reads, without an error."""
    classes = np.unique(label)
    return lambda x: 5.0 * (x == classes)


def read(path):
    return json.loads(path.read_text())


def synthetic(path):
    clips = make_clips(num_videos=4, clips_per_video=4, num_frames=16, seed=3)
    write_clips(path, clips, 'long')
    return clips


def finished_cv(config, workdir):
    """The files of a cross-validation, and the logits that it would have come to."""
    plan, fold_config = cv.make_plan(config)
    cv_files.open_directory(workdir, config, fold_config, plan)
    logits = np.random.default_rng(0).normal(size=(len(plan.clips), 1, 1))
    for k in range(3):
        cv_files.write_fold(workdir, k, logits[plan.fold == k], 2.5)
    (workdir / 'cv.json').write_text('{}')
    return plan, logits


def test_two_classes_have_the_numbers_of_a_cross_validation_and_a_record(tmp_path, capsys):
    config = toy.config(**CV)
    found = baseline.compare_baselines(config, tmp_path)
    trivial, told = found.folds.rows
    assert (trivial.name, told.name) == ('most frequent class', 'told')
    assert told.numbers.accuracy == told.numbers.roc_auc == told.numbers.f1 == 1
    assert told.numbers.false_positive_rate == 0 and trivial.numbers.false_positive_rate == 1
    # Of a constant, any threshold says yes to all.
    assert trivial.numbers.f1 == trivial.numbers.trivial_f1 == told.numbers.trivial_f1
    assert trivial.numbers.accuracy == 0.625 and trivial.numbers.macro_f1 == pytest.approx(5 / 13)
    saved = read(tmp_path / 'baseline.json')
    assert from_json(Baselines, saved['results'], '') == found
    assert saved['config']['cv']['folds'] == 3 and 'test' not in saved['results']
    out = capsys.readouterr().out
    assert 'lacking is left out' in out and 'to have it: pip install it' in out
    assert found.left_out.keys() == {'lacking'}
    header = next(line for line in out.splitlines() if 'accuracy  macro F1' in line)
    assert header.split()[-5:] == ['AP', 'F1', 'trivial', 'FPR', 'seconds']


def test_every_clip_is_judged_by_what_did_not_see_its_group(tmp_path, monkeypatch):
    config = toy.config(**CV)
    plan, _ = cv.make_plan(config)
    seen = []

    def fit(known, label, seed):
        np.testing.assert_array_equal(label, plan.clips.label[known[:, 0]])
        seen.append(set(plan.group[known[:, 0]]))
        return lambda x: judge(x, seen[-1])

    def judge(x, trained_on):
        judged.extend(x[:, 0])
        assert not trained_on & set(plan.group[x[:, 0]])
        return np.zeros((len(x), 2))

    judged = []
    rows = Baseline('rows', lambda channels, clips: np.arange(len(clips))[:, None], fit)
    monkeypatch.setattr(baseline, 'BASELINES', (rows,))
    baseline.compare_baselines(config, tmp_path)
    assert len(seen) == 3 and sorted(judged) == list(range(len(plan.clips)))


def test_the_cross_validation_of_a_model_stands_beside_them(tmp_path, capsys):
    config = toy.config(**CV)
    plan, logits = finished_cv(config, tmp_path)
    *_, model = baseline.compare_baselines(config, tmp_path).folds.rows
    expected = out_of_fold.evaluate(
        plan.clips.label, logits.astype(np.float32), plan.fold, plan.group,
        recall=config.eval.recall, samples=0,
    ).pooled  # fmt: skip
    assert model.name == 'stat_pool' and model.time == {'all_s': 7.5}
    for key in ('roc_auc', 'average_precision', 'f1', 'trivial_f1', 'false_positive_rate'):
        assert getattr(model.numbers, key) == getattr(expected, key), key
    accuracy = np.mean((logits[:, 0, 0] > 0) == (plan.clips.label == 1))
    assert model.numbers.accuracy == pytest.approx(accuracy)
    capsys.readouterr()
    other = baseline.compare_baselines(toy.config(seed=1, **CV), tmp_path)
    assert [row.name for row in other.folds.rows] == ['most frequent class', 'told']
    assert 'cv.json is in no table: ' in capsys.readouterr().out


def test_clips_of_test_are_judged_by_all_of_training(tmp_path, capsys):
    clips = synthetic(tmp_path / 'test.npz')
    config = toy.config(data__test=str(tmp_path / 'test.npz'), **CV)
    found = baseline.compare_baselines(config, tmp_path)
    assert found.test is not None and found.test.clips == len(clips)
    trivial, told = found.test.rows
    assert told.numbers.accuracy == told.numbers.f1 == 1
    most = np.bincount(make_clips(**config.data.synthetic).label).argmax()
    assert trivial.numbers.accuracy == np.mean(clips.label == most)
    judged = source.load(config.data.test, config.data)
    assert read(tmp_path / 'baseline.json')['data']['test'] == judged.fingerprint()
    out = capsys.readouterr().out
    assert 'test.npz, 16 clips' in out and 'WARNING' not in out


def test_clips_of_test_that_are_trained_on_are_called_out(tmp_path, capsys):
    clips = synthetic(tmp_path / 'a.npz')
    write_clips(tmp_path / 'b.npz', clips.select(np.arange(5)), 'long')
    both = {'data__train': str(tmp_path / 'a.npz'), 'data__test': str(tmp_path / 'b.npz')}
    baseline.compare_baselines(toy.config(**CV, **both), tmp_path)
    assert 'WARNING: 5 of the 5 clips' in capsys.readouterr().out


def test_several_classes_have_averages(tmp_path, capsys):
    found = baseline.compare_baselines(toy.config(**CV, **SEVERAL), tmp_path)
    trivial, told = found.folds.rows
    assert told.numbers.macro_f1 == 1 and told.numbers.f1 is None
    assert trivial.numbers.macro_f1 == pytest.approx(trivial.numbers.trivial_f1, abs=0.1)
    header = next(line for line in capsys.readouterr().out.splitlines() if 'macro F1' in line)
    assert header.split()[-3:] == ['AP', 'trivial', 'seconds']


def test_what_cannot_work_is_said_before_anything_is_written(tmp_path):
    clips = make_clips(num_videos=2, clips_per_video=2, num_frames=16, seed=0)
    named = tuple(f'other_{name}' for name in clips.joint_names)
    write_clips(tmp_path / 'test.npz', dataclasses.replace(clips, joint_names=named), 'long')
    for changes, message in (
        ({'data__test': str(tmp_path / 'test.npz')}, r'test\.npz: joint_names: found'),
        ({'data__test': 'none.npz'}, r'none\.npz'),
        ({'cv__folds': 1}, r'cv\.folds: found 1'),
    ):
        with pytest.raises(InputError, match=message):
            baseline.compare_baselines(toy.config(**(CV | changes)), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
