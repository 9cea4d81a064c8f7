"""Mode cv on whole recordings at toy size: who judges which, what is written, what is refused."""

import json
import re
import shutil

import numpy as np
import pytest

from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.inference import duration_model, event_ways, min_risk
from posevid_jax.modes import cv, cv_events, ensemble, prepare
from posevid_jax.modes.compare import compare
from tests import toy
from tests.untrained import write_run

VIDEOS, FRAMES, CLIP = 6, 60, 20


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Landmarks and labels of six recordings of three seconds, and clips of them."""
    folder = tmp_path_factory.mktemp('recordings')
    made = make_clips(num_videos=VIDEOS, clips_per_video=1, num_frames=FRAMES, seed=5)
    for name in ('landmarks', 'labels'):
        (folder / name).mkdir()
    for i in range(VIDEOS):
        joints = np.where(made.skeleton_mask[i][..., None], made.skeleton[i], np.nan)
        np.savez(
            folder / f'landmarks/v{i}_pose.npz',
            skeleton=joints, joint_names=made.joint_names, fps=20.0,
            video_size=[made.aspect[i], 1],
        )  # fmt: skip
        (folder / f'labels/v{i}_full.csv').write_text(
            f'start,end,label\n0,{1 + 0.1 * i},no_smoke\n{1 + 0.1 * i},3,smoke\n'
        )
    settings = config(folder, prepare__clip_length=float(CLIP), prepare__stride=10.0)
    settings.prepare.output = str(folder / 'clips.npz')
    prepare.prepare(settings)
    return folder


def config(folder, **overrides):
    return toy.config(**{
        'parallel': 'jit', 'cv__folds': 3, 'cv__seeds': 1, 'train__num_epochs': 1,
        'features__source': 'body', 'features__subclip': 10, 'features__subclip_stride': 5,
        'data__train': str(folder / 'clips.npz'), 'predict__stride': 5, 'eval__bootstrap': 10,
        'prepare__landmarks': str(folder / 'landmarks'),
        'prepare__labels': str(folder / 'labels'),
    } | overrides)  # fmt: skip


@pytest.fixture(scope='module')
def whole(folder, tmp_path_factory):
    workdir = tmp_path_factory.mktemp('whole')
    cv.cross_validate(config(folder, eval__report=True), workdir)
    return workdir


def judged(workdir, fold):
    return json.loads((workdir / f'cv/fold_{fold}_recordings.json').read_text())['frames']


def test_each_recording_is_judged_by_the_fold_that_holds_its_clips_out(folder, whole):
    plan, _ = cv.make_plan(config(folder))
    for fold in (1, 2, 3):
        held_out = {
            v for v, f in zip(plan.clips.video_ids, plan.fold, strict=True) if f == fold - 1
        }
        assert judged(whole, fold).keys() == held_out
    assert {np.shape(of) for of in judged(whole, 1).values()} == {(FRAMES, 1)}


def test_ways_to_find_events_are_compared_and_the_durations_can_be_used(whole):
    found = json.loads((whole / 'cv/events.json').read_text())
    assert list(found['ways']) == [
        'as configured', 'thresholds', 'durations', 'minimum risk', 'one event each'
    ]  # fmt: skip
    for of in found['ways'].values():
        assert of['recordings'] == VIDEOS and of['classes'][0]['true_events'] == VIDEOS
        assert [one['name'] for one in of['by_recording']] == [f'v{i}' for i in range(VIDEOS)]
    trivial = found['ways']['one event each']['numbers']
    assert trivial['recall@0.5'] == 1 and trivial['f1@0.75'] < 1
    model = duration_model.read(whole / 'durations.json')
    assert found['chosen']['durations']['weight'] == model.weight
    least_risk = min_risk.read(whole / 'min_risk.json')
    assert found['chosen']['minimum risk'] == to_json(least_risk)
    assert list(found['by_confidence']) == ['0.5', '0.6', '0.7', '0.8', '0.9']


def test_the_timelines_of_events_as_configured_are_on_a_page_the_worst_first(whole):
    text = (whole / 'cv/events.html').read_text()
    found = json.loads((whole / 'cv/events.json').read_text())['ways']['as configured']
    at = found['overlaps'].index(0.5)
    worst = sorted(found['by_recording'], key=lambda one: (one['f1'][at], one['frame_accuracy']))
    captions = [
        f'{one["name"]}: events {one["true_events"]} labelled, {one["found_events"]} found, '
        f'{one["matched"][at]} matched; F1@0.5 {one["f1"][at]:.3f}'
        for one in worst
    ]
    assert re.findall(r'<figcaption>(v.*?), edit', text) == captions
    assert '<th>as configured</th><th>one event each</th></tr>' in text
    for one in worst:
        drawn = (whole / f'cv/timelines/{one["name"]}.svg').read_text()
        assert f'Video {one["name"]}' in drawn


def test_cross_validations_are_compared_by_their_events(whole, tmp_path, capsys):
    shutil.copytree(whole, tmp_path / 'copy')
    compare(toy.config(eval__bootstrap=10), [str(whole), str(tmp_path / 'copy')], tmp_path / 'out')
    out = capsys.readouterr().out
    for way in ('as configured', 'thresholds', 'durations', 'minimum risk'):
        assert f'events out of fold, {way}: difference from whole0' in out
    assert 'events out of fold, one event each' not in out
    assert 'Events out of fold, durations' in (tmp_path / 'out/compare.html').read_text()


def test_what_decides_about_a_recording_is_chosen_on_those_of_other_folds(
    folder, whole, tmp_path, monkeypatch
):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    seen = []

    def spy(settings, recordings):
        chosen = event_ways.configured(settings, recordings)

        def segment(of):
            seen.append(not any(of is other for other in recordings))
            return chosen.segment(of)

        return event_ways.Chosen(segment, chosen.by)

    monkeypatch.setattr(cv_events, '_CONFIDENCES', (0.0, 1.0))
    monkeypatch.setattr(event_ways, 'WAYS', {**event_ways.WAYS, 'as configured': spy})
    cv.cross_validate(config(folder), tmp_path)
    assert seen == [True] * VIDEOS
    found = json.loads((tmp_path / 'cv/events.json').read_text())['by_confidence']
    assert [of['found_events'] > 0 for of in found.values()] == [True, False]


def test_a_fold_without_its_recordings_is_trained_again_and_says_the_same(folder, whole, tmp_path):
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (tmp_path / 'cv/fold_2_recordings.json').unlink()
    others = (tmp_path / 'cv/fold_1_recordings.json').stat().st_mtime_ns
    cv.cross_validate(config(folder), tmp_path)
    assert judged(tmp_path, 2) == judged(whole, 2)
    assert (tmp_path / 'cv/fold_1_recordings.json').stat().st_mtime_ns == others
    assert (tmp_path / 'cv/events.json').read_bytes() == (whole / 'cv/events.json').read_bytes()


def test_joined_runs_find_events_by_their_joined_frames(folder, whole, tmp_path):
    runs = [tmp_path / name for name in ('one', 'two')]
    for run in runs:
        write_run(run, config(folder))
        shutil.copytree(whole / 'cv', run / 'cv')
    settings = config(folder, ensemble__runs=tuple(map(str, runs)), eval__report=True)
    ensemble.join_runs(settings, tmp_path / 'same')

    def shown(run):
        return (run / 'cv/timelines/v0.svg').read_text()

    # Both say the same, so they do so together.
    assert shown(tmp_path / 'same') == shown(whole)
    assert (tmp_path / 'same/durations.json').exists()
    for fold in (1, 2, 3):  # the other one is sure of the opposite
        path = runs[1] / f'cv/fold_{fold}_recordings.json'
        opposite = {name: (-9 * np.array(of)).tolist() for name, of in judged(whole, fold).items()}
        path.write_text(json.dumps({'frames': opposite}))
    ensemble.join_runs(settings, tmp_path / 'others')
    assert shown(tmp_path / 'others') != shown(whole)
    path.unlink()
    with pytest.raises(InputError, match=r'fold_3_recordings\.json: not found; expected --mode=cv'):
        ensemble.join_runs(settings, tmp_path / 'third')
    assert not (tmp_path / 'third').exists()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'prepare__labels': ''}, r'prepare\.labels: not given'),
        ({'data__train': 'synthetic'}, r'holds no labelled recording of a video of synthetic'),
        ({'predict__stride': 0}, r'predict\.stride: found 0'),
        ({'prepare__landmarks': 'landmarks/v1_pose.npz'}, r'recordings of one fold alone'),
    ],
)
def test_what_cannot_be_judged_is_said_before_the_first_step(folder, tmp_path, changes, message):
    if 'prepare__landmarks' in changes:
        changes = {'prepare__landmarks': str(folder / changes['prepare__landmarks'])}
        changes['prepare__labels'] = str(folder / 'labels/v1_full.csv')
    with pytest.raises(InputError, match=message):
        cv.cross_validate(config(folder, **changes), tmp_path / 'cv')
    assert not (tmp_path / 'cv').exists()
