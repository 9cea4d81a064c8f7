"""Mode ensemble, and a directory of joined runs wherever a run directory is accepted."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from jax import export as jax_export
from scipy import special

import posevid_jax
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.inference import recordings
from posevid_jax.inference.restore import restore_directory
from posevid_jax.inference.stream import Stream
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import cv, ensemble, eval, export, predict_clips
from posevid_jax.runs import cv_files
from posevid_jax.runs.config import read_config
from tests import toy
from tests.untrained import write_run

FRAMES = 8
KINDS = {
    'context': dict(features__source='body', features__context=3, train__num_seeds=2),
    'clip': dict(features__zscore='none', features__summary__on=True),
    'features': dict(features__zscore='per_video', features__pack='light'),
}


def config(kind, **overrides):
    return toy.config(
        parallel='jit', train__num_epochs=1, cv__folds=3, cv__seeds=1,
        data__synthetic__num_frames=FRAMES, **KINDS[kind], **overrides,
    )  # fmt: skip


def write_cross_validation(run, settings, signal):
    """The files of a cross-validation whose logits know as much of the labels as `signal` says."""
    plan, fold_config = cv.make_plan(settings)
    cv_files.open_directory(run, settings, fold_config, plan)
    rng = np.random.default_rng(len(run.name))
    logits = signal * (plan.clips.label - 0.5) + rng.normal(size=len(plan.clips))
    for k in range(3):
        cv_files.write_fold(run, k, logits[plan.fold == k, None].astype(np.float32), 1.0)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Three runs, other clips, and two ensembles of the runs."""
    folder = tmp_path_factory.mktemp('joined')
    for signal, kind in enumerate(KINDS, start=1):
        write_run(folder / 'runs' / kind, config(kind))
        write_cross_validation(folder / 'runs' / kind, config(kind), signal)
    clips = make_clips(num_videos=4, clips_per_video=4, num_frames=FRAMES, seed=3)
    write_clips(folder / 'clips.npz', clips, 'long')
    join(folder, 'all', KINDS)
    join(folder, 'causal', ('clip', 'features'))
    return folder


def join(folder, name, kinds):
    runs = tuple(str(folder / 'runs' / kind) for kind in kinds)
    return ensemble.join_runs(joining(runs), folder / name)


def joining(runs, **overrides):
    return toy.config(ensemble__runs=tuple(map(str, runs)), **overrides)


def read(path):
    return json.loads(path.read_text())


def test_an_ensemble_needs_nothing_of_its_runs_and_gives_the_weighted_mean(folder, tmp_path):
    path = str(folder / 'clips.npz')
    about = read(folder / 'all/ensemble.json')
    calibrated = {m['name']: m['weight'] * m['calibration']['factor'] for m in about['members']}
    weights = {name: value / sum(calibrated.values()) for name, value in calibrated.items()}
    mean = 0
    for member in about['members']:
        run = posevid_jax.load(folder / 'runs' / member['name']).run
        clips = run.conform(predict_clips.source.load(path, run.config.data), path)
        logits = mean_logits(run.logits(Parallel('jit'))(clips))[:, 0]
        mean += weights[member['name']] * logits
    platt = read(folder / 'all/calibration.json')['platt']
    expected = special.expit(platt['factor'] * mean + platt['offset'])

    shutil.copytree(folder / 'all', tmp_path / 'alone')
    (folder / 'runs').rename(folder / 'gone')
    try:
        settings = read_config(tmp_path / 'alone')
        settings.data.test = path
        settings.eval.report = True
        found = predict_clips.predict_run(settings, tmp_path / 'alone')
        np.testing.assert_allclose(found[:, 1], expected, rtol=1e-5)
        loaded = posevid_jax.load(tmp_path / 'alone')
        np.testing.assert_allclose(loaded.predict_proba(path), found, rtol=1e-5)
        assert (loaded.predict(path) == (expected >= loaded.threshold)).all()
        record = eval.evaluate_run(settings, tmp_path / 'alone')
    finally:
        (folder / 'gone').rename(folder / 'runs')
    prob = np.load(tmp_path / 'alone/eval/clips.npz')['prob']
    np.testing.assert_allclose(prob[:, 1], expected, rtol=1e-5)
    assert record.assessment.chosen_on == 'out-of-fold predictions'
    assert record.assessment.stored_threshold == read(folder / 'all/thresholds.json')['threshold']
    assert (tmp_path / 'alone/eval/clips.html').exists()


def test_its_files_say_what_it_is_made_of_and_what_it_is_worth(folder):
    about, cv = read(folder / 'all/ensemble.json'), read(folder / 'all/cv.json')
    assert [member['name'] for member in about['members']] == list(KINDS)
    whole, *_ = cv['error_analysis']['coverage']
    assert whole['recall'] == pytest.approx(cv['thresholds']['f1']['expected']['recall'])
    assert sum(member['weight'] for member in about['members']) == pytest.approx(1)
    assert cv['results']['names'] == list(KINDS)
    alone = cv['results']['members']['roc_auc']['each']
    assert alone == sorted(alone)  # each knows more than the one before
    assert str(folder) not in json.dumps(about)
    for kind, member in zip(KINDS, about['members'], strict=True):
        copied = folder / 'all/members' / kind / 'checkpoints'
        assert [path.name for path in copied.iterdir()] == [str(member['step'])]
    rows = (folder / 'all/cv/predictions.csv').read_text().splitlines()
    assert len(rows) == 49
    assert not list(folder.glob('.*'))  # nothing half-written


def test_with_equal_weights_runs_need_no_cross_validation(copies, tmp_path):
    for run in copies:
        remove_cv(run)
    val = posevid_jax.load(copies[0]).run.validation_clips()
    assert ensemble.join_runs(joining(copies, ensemble__weights='equal'), tmp_path / 'new') is None
    about = read(tmp_path / 'new/ensemble.json')
    assert [member['weight'] for member in about['members']] == [0.5, 0.5]
    logits = []
    for run in copies:
        single = posevid_jax.load(run).run
        logits.append(mean_logits(single.logits(Parallel('jit'))(single.conform(val, 'val'))))
    joined = restore_directory(tmp_path / 'new', 'best')
    found = joined.logits(Parallel('jit'))(joined.conform(val, 'val'))
    np.testing.assert_allclose(found, np.mean(logits, axis=0), rtol=1e-5)
    assert joined.decision.chosen_on == 'validation clips, val'
    record = eval.evaluate_run(read_config(tmp_path / 'new'), tmp_path / 'new')
    assert record.assessment.chosen_on_these


def test_equal_weights_need_the_same_validation_clips(copies, tmp_path):
    config = read(copies[1] / 'config.json')
    config['data']['synthetic']['seed'] = 5
    (copies[1] / 'config.json').write_text(json.dumps(config))
    (copies[1] / 'training_clips.npy').unlink(missing_ok=True)
    with pytest.raises(InputError, match=r'features: found other validation clips than .* clip'):
        ensemble.join_runs(joining(copies, ensemble__weights='equal'), tmp_path / 'new')
    with pytest.raises(
        InputError, match=r"ensemble\.weights: found 'same', expected one of fitted"
    ):
        ensemble.join_runs(joining(copies, ensemble__weights='same'), tmp_path / 'new')
    assert not (tmp_path / 'new').exists()


def test_without_other_clips_it_is_evaluated_on_those_that_no_member_was_trained_on(folder):
    record = eval.evaluate_run(read_config(folder / 'causal'), folder / 'causal')
    run = posevid_jax.load(folder / 'runs/clip').run
    assert record.assessment.fingerprint == run.validation_clips().fingerprint()


def test_the_seed_decides_which_clips_are_split_off_and_not_which_are_given(folder, tmp_path):
    joined = tmp_path / 'joined'
    shutil.copytree(folder / 'causal', joined)
    about = joined / 'members/clip/config.json'
    about.write_text(json.dumps(read(about) | {'seed': 1}))
    with pytest.raises(InputError, match=r'data\.test: not given.*different clips'):
        eval.evaluate_run(read_config(joined), joined)
    for path in (joined / 'config.json', *joined.glob('members/*/config.json')):
        config = read(path)
        config['data']['val'] = str(folder / 'clips.npz')
        path.write_text(json.dumps(config))
    assert len(posevid_jax.load(joined).run.validation_clips()) == 16


def test_frames_of_recordings_have_the_joined_logits_of_the_clips_that_cover_them(folder):
    made = make_clips(num_videos=1, clips_per_video=1, num_frames=FRAMES, seed=9)
    recording = Recording(
        name='a', joints=made.skeleton[0], joint_names=made.joint_names,
        fps=30.0, width=4, height=3, time=np.arange(FRAMES) / 30,
    )  # fmt: skip
    run, parallel = restore_directory(folder / 'all', 'best'), Parallel('jit')
    each = []  # of each member, one clip
    for member in run.members.values():
        clips = recordings.cover(recording, member.form, run.config, 'a')
        each.append(mean_logits(member.logits(parallel)(clips)))
        (found,) = member.frame_judge(parallel)([recording])
        np.testing.assert_allclose(found, np.repeat(each[-1], FRAMES, axis=0), atol=1e-5)
    (found,) = run.frame_judge(parallel)([recording])
    expected = np.repeat(run.combination(each), FRAMES, axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_frames_as_they_come_give_what_clips_of_them_give(folder):
    made = make_clips(num_videos=1, clips_per_video=1, num_frames=12, seed=9)
    joints = np.where(made.skeleton_mask[0][..., None], made.skeleton[0], np.nan)
    joints[9, 3:20] = np.nan
    recording = Recording(
        name='a', joints=joints.astype(np.float32), joint_names=made.joint_names,
        fps=30.0, width=4, height=3, time=np.arange(12) / 30,
    )  # fmt: skip
    run = restore_directory(folder / 'causal', 'best')
    run.config.predict.stride = 1
    stream = Stream(run, fps=30, aspect=4 / 3, joint_names=recording.joint_names)
    updates = [stream.push(joints) for joints in recording.joints]
    predictor = run.predictor(Parallel('jit'))
    for end in (FRAMES, 12):
        so_far = dataclasses.replace(
            recording, joints=recording.joints[:end], time=recording.time[:end]
        )
        clips = recordings.cover(so_far, run.form, run.config, 'a')
        np.testing.assert_allclose(updates[end - 1].probs, predictor(clips)[-1], atol=1e-5)


def test_what_needs_the_frames_after_a_clip_is_no_stream(folder):
    with pytest.raises(InputError, match=r'features\.context: found 3 in context, expected 0'):
        Stream(folder / 'all', fps=30)


def test_it_is_exported_as_one_program_of_all_that_its_members_read(folder):
    out = export.export_run(read_config(folder / 'all'), folder / 'all')  # compares with the run
    about = read(out / 'metadata.json')
    assert about['inputs'].keys() == {
        'features', 'skeleton', 'context_skeleton', 'fps', 'aspect', 'video_mean', 'video_std',
    }  # fmt: skip
    assert about['inputs']['context_skeleton']['shape'][1] == 6
    program = jax_export.deserialize(bytearray((out / 'model.jax').read_bytes()))
    rng = np.random.default_rng(0)
    clips = {
        name: rng.random((2, *of['shape'][1:]), np.float32) for name, of in about['inputs'].items()
    }
    before = np.asarray(program.call(clips))
    clips['context_skeleton'] = np.full_like(clips['context_skeleton'], np.nan)
    assert np.abs(np.asarray(program.call(clips)) - before).max() > 1e-4  # one member reads it


def test_members_that_measure_different_features_by_the_video_are_no_one_program(folder):
    run = restore_directory(folder / 'causal', 'best')
    run.members['clip'].config.features.zscore = 'per_video'
    run.members['clip'].inputs['scaled_names'] = ['other']
    with pytest.raises(InputError, match=r'features\.zscore: found per_video of different'):
        run.logits_of_batch()


@pytest.fixture
def copies(folder, tmp_path):
    """Two runs that a test may damage."""
    return [
        shutil.copytree(folder / 'runs' / kind, tmp_path / 'runs' / kind)
        for kind in ('clip', 'features')
    ]


def remove_cv(run):
    shutil.rmtree(run / 'cv')


def remove_fold(run):
    (run / 'cv/fold_2.json').unlink()


def remove_checkpoints(run):
    shutil.rmtree(run / 'checkpoints')


def edit(file, key, value):
    def change(run):
        (run / file).write_text(json.dumps(read(run / file) | {key: value}))

    return change


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (remove_cv, r'plan\.json: not found; expected --mode=cv --workdir='),
        (remove_fold, r'fold_2\.json: not found; expected --mode=cv'),
        (remove_checkpoints, r'checkpoints'),
        (edit('cv/plan.json', 'fold', [1] * 48), r'plan\.json: found a cross-validation of other'),
        (edit('scaler.json', 'class_names', ['a', 'b']), r'features: class_names: found 2 \(a, b'),
        (edit('scaler.json', 'num_frames', 9), 'features: num_frames: found 9, expected 8 as in'),
    ],
)
def test_runs_that_cannot_be_joined_are_named_and_nothing_is_written(
    copies, tmp_path, damage, message
):
    damage(copies[1])
    with pytest.raises(InputError, match=message):
        ensemble.join_runs(joining(copies), tmp_path / 'new')
    assert [path.name for path in tmp_path.iterdir()] == ['runs']


def test_a_directory_that_is_there_stays_as_it_is(folder, tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(InputError, match='found something there, expected a new directory'):
        join(folder, tmp_path, ('clip', 'features'))
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']
    for runs, message in (
        ((), r'ensemble\.runs: found 0 run directories, expected two or more'),
        ((folder / 'runs/clip', folder / 'runs/../runs/clip'), 'found a second time'),
    ):
        with pytest.raises(InputError, match=message):
            ensemble.join_runs(joining(runs), tmp_path / 'new')


def test_what_stops_half_way_leaves_nothing(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'no space left')

    monkeypatch.setattr(ensemble.shutil, 'copytree', full)
    with pytest.raises(InputError, match='cannot be written'):
        join(folder, tmp_path / 'new', ('clip', 'features'))
    assert not list(tmp_path.iterdir())


def test_runs_of_one_name_are_told_apart_by_the_folder_above(copies, tmp_path):
    runs = [shutil.move(run, tmp_path / run.name / '01') for run in copies]
    ensemble.join_runs(joining(runs), tmp_path / 'new')
    names = {path.name for path in (tmp_path / 'new/members').iterdir()}
    assert names == {'clip_01', 'features_01'}
