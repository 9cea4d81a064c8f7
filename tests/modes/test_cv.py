"""Mode cv at toy size: who is judged by whom, what is written, and what a stop leaves behind."""

import csv
import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

from posevid_jax.data.concatenate import concatenate
from posevid_jax.data.npz import write_clips
from posevid_jax.data.shards import write_shards
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.features.columns import host_arrays
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import families
from posevid_jax.modes import cv
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.runs import cv_files
from posevid_jax.training import loop, validation
from tests import toy
from tests.training.test_loop import stop_after

CV = {
    'cv__folds': 3,
    'cv__seeds': 2,
    'model__dropout': 0.3,
    'features__zscore': 'global',
}


def read(path):
    return json.loads(path.read_text())


def written(workdir):
    """Everything that does not depend on the clock."""
    files = {
        path.name: path.read_text()
        for path in (*workdir.glob('*.json'), *workdir.glob('cv/*'))
        if path.name != 'cv.json' and not path.name.startswith('fold_')
    }
    logits = [read(path)['logits'] for path in sorted(workdir.glob('cv/fold_*'))]
    return files, logits, read(workdir / 'cv.json')['results']


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """A cross-validation that nothing disturbed, and the programs that were compiled for it."""
    workdir = tmp_path_factory.mktemp('whole')
    compiled = []

    class Watched(Parallel):
        def compile_train(self, train_step):
            compiled.append(super().compile_train(train_step))
            return compiled[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cv, 'Parallel', Watched)
        record = cv.cross_validate(toy.config(parallel='jit', **CV), workdir)
    return workdir, record, compiled


def test_all_folds_share_one_compiled_step(whole):
    (step,) = whole[2]
    assert step._cache_size() == 1


def test_every_clip_has_one_prediction_and_the_files_agree(whole):
    workdir, record, _ = whole
    rows = list(csv.DictReader((workdir / 'cv' / 'predictions.csv').open()))
    assert [int(row['row']) for row in rows] == list(range(48))
    folds_of_video = {}
    for row in rows:
        folds_of_video.setdefault(row['video_id'], set()).add(row['fold'])
    assert all(len(found) == 1 for found in folds_of_video.values())
    assert {row['fold'] for row in rows} == {'1', '2', '3'}
    logits = [read(workdir / 'cv' / f'fold_{k}.json')['logits'] for k in (1, 2, 3)]
    for k, of_fold in enumerate(logits, start=1):
        mean = np.array(of_fold, np.float32).mean(axis=1)[:, 0]
        prob = [float(row['prob']) for row in rows if row['fold'] == str(k)]
        np.testing.assert_allclose(prob, 1 / (1 + np.exp(-mean)), rtol=1e-5)
    saved = read(workdir / 'cv.json')
    assert saved['results'] == to_json(record)
    thresholds = read(workdir / 'thresholds.json')
    assert thresholds['chosen_on'] == 'out-of-fold predictions'
    assert thresholds['threshold'] == saved['thresholds']['f1']['threshold']
    assert read(workdir / 'calibration.json')['platt'] == saved['calibration']['platt']


def test_a_fold_is_a_training_without_its_videos(whole):
    workdir, _, _ = whole
    plan, config = cv.make_plan(toy.config(parallel='jit', **CV))
    run = cv._experiment(plan, config, 2)
    assert not set(run.train.videos) & set(run.val.videos)
    assert len(run.train) + len(run.val) == 48
    # Its scaler and parameters know nothing of the other folds: trained alone, the same comes out.
    parallel, state, data = Parallel('jit'), run.initial_state(), run.data()
    step = parallel.compile_train(run.train_step())
    for _ in range(run.total_steps):
        state, _ = step(state, next(data), jax.random.key(config.seed))
    logits = validation.compile_predictor(run.model, config, parallel)(
        state, host_arrays(run.val, families.input_spec(config))
    )
    kept = read(workdir / 'cv' / 'fold_3.json')['logits']
    np.testing.assert_allclose(logits, np.array(kept), rtol=1e-4, atol=1e-5)


def test_a_stopped_cross_validation_goes_on_to_the_same_end(whole, tmp_path, monkeypatch, capsys):
    config = toy.config(parallel='jit', **CV)
    with monkeypatch.context() as patch:
        stop_after(patch, 7)  # inside the second fold
        assert cv.cross_validate(config, tmp_path) is None
    assert 'goes on' in capsys.readouterr().out
    done = {path.name for path in (tmp_path / 'cv').glob('fold_*')}
    assert done == {'fold_1.json'}
    # What a process that was killed while writing leaves behind.
    (tmp_path / 'cv' / '.fold_2.json.123').write_text('{"logits": [[')
    before = (tmp_path / 'cv' / 'fold_1.json').stat().st_mtime_ns
    cv.cross_validate(config, tmp_path)
    assert (tmp_path / 'cv' / 'fold_1.json').stat().st_mtime_ns == before
    (tmp_path / 'cv' / '.fold_2.json.123').unlink()
    assert written(tmp_path) == written(whole[0])


def test_a_finished_one_sums_up_again_with_another_rule(whole, tmp_path, monkeypatch):
    workdir, record, _ = whole
    before = written(workdir)
    monkeypatch.setattr(cv, 'FoldTrainer', None)  # nothing to train
    again = cv.cross_validate(
        toy.config(parallel='jit', eval__threshold='recall', eval__report=True, **CV), workdir
    )
    assert again == record
    saved = read(workdir / 'cv.json')
    whole, expected = (
        saved['error_analysis']['coverage'][0],
        saved['thresholds']['recall']['expected'],
    )
    assert whole['recall'] == expected['recall'] and whole['precision'] == expected['precision']
    page = workdir / 'cv' / 'error_analysis.html'
    assert 'recall &gt;= 0.8' in page.read_text()
    assert (workdir / 'cv' / 'error_analysis' / 'errors.png').exists()
    page.unlink()
    shutil.rmtree(workdir / 'cv' / 'error_analysis')
    assert read(workdir / 'thresholds.json')['rule'] == 'recall >= 0.8'
    cv.cross_validate(toy.config(parallel='jit', **CV), workdir)
    assert written(workdir) == before


def test_folds_of_two_configurations_or_sets_are_never_mixed(whole):
    workdir = whole[0]
    for changes, named in (
        ({'train__num_epochs': 3}, 'train.num_epochs was 2, now 3'),
        ({'cv__seeds': 3}, 'train.num_seeds was 2, now 3'),
        ({'seed': 1}, 'seed was 0, now 1'),
    ):
        with pytest.raises(InputError, match=named):
            cv.cross_validate(toy.config(**({'parallel': 'jit'} | CV | changes)), workdir)
    plan, config = cv.make_plan(toy.config(parallel='jit', **CV))
    other = dataclasses.replace(plan, clips=plan.clips.select(np.arange(48)[::-1]))
    with pytest.raises(InputError, match=r'plan\.json: found a cross-validation of other clips'):
        cv_files.open_directory(workdir, toy.config(parallel='jit', **CV), config, other)


def test_a_damaged_fold_is_named_with_its_remedy(whole, tmp_path):
    plan, _ = cv.make_plan(toy.config(parallel='jit', **CV))
    for k in range(3):
        source = whole[0] / 'cv' / f'fold_{k + 1}.json'
        (tmp_path / 'cv').mkdir(exist_ok=True)
        (tmp_path / 'cv' / source.name).write_text(source.read_text())
    content = read(tmp_path / 'cv' / 'fold_2.json')
    (tmp_path / 'cv' / 'fold_2.json').write_text(json.dumps({'logits': content['logits'][1:]}))
    with pytest.raises(InputError, match=r'fold_2\.json.*delete it'):
        cv_files.read_folds(tmp_path, plan)


def test_the_thresholds_of_a_run_become_those_of_its_cross_validation(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)  # whose folds need no training
    config = toy.config(parallel='jit', **CV)
    loop.train_and_evaluate(config, tmp_path)
    assert read(tmp_path / 'thresholds.json')['chosen_on'] == 'validation clips, val'
    cv.cross_validate(config, tmp_path)
    threshold = read(whole[0] / 'thresholds.json')['threshold']
    assert evaluate_run(config, tmp_path).assessment.stored_threshold == threshold


def test_a_run_is_fitted_to_its_clips_as_its_cross_validation_is(tmp_path, capsys):
    clips = make_clips(
        num_videos=12, clips_per_video=12, num_frames=16, classes=('smoke', 'drink'), seed=0
    )
    names = tuple(f'clips:{n}' for n in range(len(clips)))
    single = dataclasses.replace(clips, video=np.arange(len(clips), dtype=np.int32), videos=names)
    write_clips(tmp_path / 'clips.npz', single, 'long')
    several = {'data__train': str(tmp_path / 'clips.npz'), 'train__num_epochs': 1}
    config = toy.config(parallel='jit', **several, **CV)
    assert config.train.loss == 'bce'
    record = cv.cross_validate(config, tmp_path)
    # Of several classes in clips that are each a video, subjects are listed and drawn.
    assert (record.unit, record.groups) == ('subject', 12)
    out = capsys.readouterr().out
    assert '144 clips of 12 subjects' in out and 'worst of 12 subjects' in out
    found = read(tmp_path / 'cv.json')['error_analysis']
    classes = found['by_class']['classes']
    assert [sum(row) for row in found['confusion']] == [of['clips'] for of in classes]
    assert [of['name'] for of in classes] == ['other', 'smoke', 'drink']
    assert len(found['groups']['subject']) == 12
    loop.train_and_evaluate(config, tmp_path)
    assert read(tmp_path / 'config.json')['train']['loss'] == 'ce'


def test_other_clips_of_the_same_videos_are_judged(tmp_path):
    dense, judged = tmp_path / 'dense', tmp_path / 'judged'
    clips = make_clips(num_videos=6, clips_per_video=6, num_frames=8, seed=0)
    write_shards(dense, [clips])
    write_shards(judged, [clips.select(np.arange(0, 36, 2))])
    changes = {'cv__folds': 3, 'data__train': str(dense), 'cv__judge': str(judged)}
    plan, config = cv.make_plan(toy.config(**changes))
    assert (len(plan.clips), len(plan.train)) == (18, 36)
    assert cv._experiment(plan, config, 0).steps_per_epoch == 2  # of 24 clips
    for k in range(3):
        run = cv._experiment(plan, config, k)
        assert not set(run.train.videos) & set(run.val.videos)
        assert len(run.train) + 2 * len(run.val) == 36
    few = tmp_path / 'few'
    write_shards(few, [clips.select(np.arange(30))])
    changes['cv__judge'] = str(few)
    with pytest.raises(InputError, match=r'data\.train: found 1 videos such as .*cv\.judge'):
        cv.make_plan(toy.config(**changes))


def test_videos_of_the_same_footage_are_judged_together(tmp_path):
    clips = make_clips(num_videos=5, clips_per_video=2, num_frames=40, seed=0)
    first = clips.select(np.flatnonzero(clips.video == 0))
    again = dataclasses.replace(first, videos=('elsewhere:again',))
    write_clips(tmp_path / 'clips.npz', concatenate([clips, again]), 'long')

    def plan(folds):
        return cv.make_plan(toy.config(data__train=str(tmp_path / 'clips.npz'), cv__folds=folds))[0]

    found = plan(5)  # a fold for each of the others
    folds = dict(zip(found.clips.video_ids, found.fold, strict=True))
    assert len(folds) == 6 and folds['again'] == folds[first.video_ids[0]]
    with pytest.raises(InputError, match=r'cv\.folds: found 6, expected 2 to 5'):
        plan(6)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'cv__folds': 1}, 'cv.folds: found 1'),
        ({'cv__seeds': 0}, 'cv.seeds'),
        ({'eval__threshold': 'best'}, 'eval.threshold'),
        ({'data__hard_negatives': 'some.csv'}, 'data.hard_negatives'),
        ({'train__loss': 'hinge'}, 'train.loss'),
    ],
)
def test_what_cannot_work_is_named_before_anything_is_written(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        cv.cross_validate(toy.config(**(CV | changes)), tmp_path / 'cv')
    assert not (tmp_path / 'cv').exists()


def test_a_step_that_is_not_finite_ends_the_fold_and_keeps_those_before(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    for k in (2, 3):
        (tmp_path / 'cv' / f'fold_{k}.json').unlink()
    config = toy.config(parallel='jit', **CV)
    before = cv.FoldTrainer.train

    def poisoned(self, run, *others):
        run.arrays['weight'][:] = np.nan
        return before(self, run, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cv.FoldTrainer, 'train', poisoned)
        with pytest.raises(InputError, match=r'step 1 of the fold.*not finite'):
            cv.cross_validate(config, tmp_path)
    assert {path.name for path in (tmp_path / 'cv').glob('fold_*')} == {'fold_1.json'}
