"""Mode predict on landmark files."""

import csv
import dataclasses
import json
import shutil
import xml.etree.ElementTree

import numpy as np
import pytest

from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.inference import events
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.viterbi import decode
from posevid_jax.modes import predict, predict_clips, predict_recordings
from posevid_jax.runs.files import write_json
from posevid_jax.training import loop
from tests import toy

FRAMES = 16


@pytest.fixture(scope='module')
def recorded():
    """Three simulated recordings of 50 frames."""
    return make_clips(num_videos=3, clips_per_video=1, num_frames=50, seed=5)


@pytest.fixture(scope='module')
def folder(recorded, tmp_path_factory):
    """A run, and the recordings as landmark files with labels."""
    folder = tmp_path_factory.mktemp('recordings')
    loop.train_and_evaluate(config(folder), folder / 'run')
    (folder / 'landmarks').mkdir()
    (folder / 'labels').mkdir()
    for i in range(3):
        joints = recorded.skeleton[i].copy()
        joints[~recorded.skeleton_mask[i]] = np.nan
        np.savez(
            folder / f'landmarks/v{i}_pose.npz',
            skeleton=joints,
            joint_names=recorded.joint_names,
            fps=recorded.fps[i],
            video_size=[recorded.aspect[i], 1],
        )
        (folder / f'labels/v{i}_full.csv').write_text(
            'start,end,label\n0,0.4,no_smoke\n0.4,0.9,smoke\n'
        )
    return folder


def config(folder, **overrides):
    settings = {'predict__smooth': 0.0, 'train__num_epochs': 1}
    settings['prepare__landmarks'] = str(folder / 'landmarks')
    return toy.config(**settings | overrides)


def frames_of(folder, video):
    path = folder / f'run/predictions/landmarks/frames/{video}.csv'
    return list(csv.DictReader(path.open()))


def probs_of(folder, video):
    return np.array([float(row['prob']) for row in frames_of(folder, video)])


def test_frames_have_the_probabilities_of_clips_cut_by_hand(folder, recorded, tmp_path):
    predict_recordings.predict_recordings(
        config(folder, predict__stride=FRAMES), folder / 'run', 'best'
    )
    # Frames 0..15, 16..31, 32..47 as clips of their own; the rest lies in a clip with gaps.
    simulated = make_clips(num_videos=1, clips_per_video=1, num_frames=50, seed=5)
    parts = [slice(k, k + FRAMES) for k in (0, 16, 32)]
    assert simulated.joint_names == recorded.joint_names
    path = tmp_path / 'clips.npz'
    cut = make_clips(num_videos=3, clips_per_video=1, num_frames=FRAMES, seed=5)
    skeleton = np.stack([recorded.skeleton[0][part] for part in parts])
    mask = np.stack([recorded.skeleton_mask[0][part] for part in parts])
    features = np.stack([recorded.features[0][part] for part in parts])
    seen = np.stack([recorded.mask[0][part] for part in parts])
    for k, name in enumerate(recorded.feature_names):
        if name.endswith(('_vx', '_vy')):  # the first frame of a clip has no velocity
            seen[:, 0, k] = False
    cut = dataclasses.replace(
        cut,
        features=np.where(seen, features, 0),
        mask=seen,
        skeleton=skeleton,
        skeleton_mask=mask,
        fps=np.repeat(recorded.fps[0], 3),
        aspect=np.repeat(recorded.aspect[0], 3),
    )
    write_clips(path, cut, 'long')
    probs = predict_clips.predict_run(config(folder, data__test=str(path)), folder / 'run')
    found, rows = probs_of(folder, 'v0'), frames_of(folder, 'v0')
    assert len(rows) == 50
    np.testing.assert_allclose(found[:48], np.repeat(probs[:, 1], FRAMES), atol=1e-4)
    assert rows[30]['seconds'] == f'{30 / recorded.fps[0]:.6g}'


def test_keys_of_predict_and_the_threshold_of_the_run_are_followed(folder, recorded):
    fps = recorded.fps[0]
    trained = json.loads((folder / 'run/eval/val.json').read_text())
    chosen = trained['at_threshold']['threshold']
    found = []
    for seconds, visibility in ((0.0, 0.0), (0.2, 1.0)):
        settings = config(folder, predict__smooth=seconds, predict__min_visibility=visibility)
        record = predict_recordings.predict_recordings(settings, folder / 'run', 'best')
        rule = events.Rule.of(settings.predict, chosen, fps)
        assert record['videos'][0]['rule'] == dataclasses.asdict(rule)
        found.append((probs_of(folder, 'v0'), record['videos'][0]['uncertain']))
    (plain, some), (smoothed, all_of_it) = found
    np.testing.assert_allclose(smoothed, events.smooth(plain, 2 * round(0.1 * fps) + 1), atol=1e-5)
    assert np.abs(smoothed - plain).max() > 1e-3
    assert some < 0.5 < all_of_it


def test_events_files_and_metrics(folder, capsys):
    labels = {'prepare__labels': str(folder / 'labels')}
    settings = config(folder, predict__high=0.01, eval__report=True, **labels)
    record = predict_recordings.predict_recordings(settings, folder / 'run', 'best')
    out = folder / 'run/predictions/landmarks'
    assert json.loads((out / 'events.json').read_text()) == to_json(record)
    rows = list(csv.DictReader((out / 'events.csv').open()))
    assert [row['video'] for row in rows] == ['v0', 'v1', 'v2']  # one event over each video
    assert {row['label'] for row in rows} == {'smoke'}
    # All is event: as good as the trivial answer, which is in the record too.
    for found, whole in zip(record['metrics'], record['whole_video'], strict=True):
        assert found.matched == whole.matched and found.true_events == 3
    assert record['frames']['frames'] < 150  # those after 0.9 s have no label
    assert 'F1@0.5' in capsys.readouterr().out
    found, trivial = (record['segmentation'][key] for key in ('found', 'one event each'))
    assert found.numbers == trivial.numbers and found.numbers['f1@0.1'] is not None
    assert [of.name for of in found.by_recording] == ['v0', 'v1', 'v2']
    for of, matched in zip(record['metrics'], found.matched, strict=True):
        assert (of.true_events, of.found_events, of.matched) == (
            found.true_events, found.found_events, matched,
        )  # fmt: skip
        assert found.numbers[f'false_per_hour@{of.overlap:g}'] == pytest.approx(
            of.false_alarms_per_hour
        )
    assert {row['label'] for row in frames_of(folder, 'v1')} == {'-1', '0', '1'}
    for path in (out / 'timelines').iterdir():
        xml.etree.ElementTree.fromstring(path.read_text())
    page = (out / 'index.html').read_text()
    assert 'F1@0.5' in page and page.count('<svg') == 3
    assert sorted(path.name for path in (out / 'review').iterdir()) == [
        f'v{i}.html' for i in range(3)
    ]
    assert 'href="review/v0.html"' in page
    settings.eval.report = settings.predict.review = False
    predict_recordings.predict_recordings(settings, folder / 'run', 'best')
    assert not (out / 'index.html').exists() and not (out / 'review').exists()


def test_a_duration_model_makes_events_of_what_is_not_smoothed(folder, recorded):
    settings = {'predict__decoder': 'durations', 'predict__smooth': 1.0}
    plain = config(folder)
    predict_recordings.predict_recordings(plain, folder / 'run', 'best')
    probs, fps = probs_of(folder, 'v0'), float(recorded.fps[0])
    often = float(np.median(probs))  # where both classes have the same score
    model = DurationModel(
        min_seconds=[4 / fps, 6 / fps], leave_per_second=[fps, fps],
        transition=[[0, 1], [1, 0]], prior=[1 - often, often], weight=50.0,
    )  # fmt: skip
    path = folder / 'other.json'
    write_json(path, model)
    settings['predict__durations'] = str(path)
    record = predict_recordings.predict_recordings(
        config(folder, **settings), folder / 'run', 'best'
    )
    np.testing.assert_allclose(probs_of(folder, 'v0'), probs)
    assert record['videos'][0]['rule'] == to_json(model)
    labels = decode(np.log(np.stack([1 - probs, probs], 1)), model, fps)
    expected = np.flatnonzero(np.diff(labels, prepend=0, append=0)).reshape(-1, 2)
    rows = list(csv.DictReader((folder / 'run/predictions/landmarks/events.csv').open()))
    rows = [row for row in rows if row['video'] == 'v0']
    found = [(int(row['start_frame']), int(row['end_frame']) + 1) for row in rows]
    assert found == [tuple(of) for of in expected]
    inside = [b - a for a, b in found if a > 0 and b < 50]
    assert inside and min(inside) >= 6
    for (a, b), row in zip(found, rows, strict=True):
        assert float(row['confidence']) == pytest.approx(probs[a:b].mean(), abs=1e-4)
        assert row['label'] == 'smoke'
    settings['predict__durations'] = ''
    with pytest.raises(InputError, match=r'run/durations\.json: not found'):
        predict_recordings.predict_recordings(config(folder, **settings), folder / 'run', 'best')


def test_recordings_at_another_rate_are_made_that_of_the_run(folder, recorded, tmp_path, capsys):
    """Every third frame, at a third of the rate: the run reads it three times as slow."""
    with np.load(folder / 'landmarks/v0_pose.npz') as whole:
        arrays = dict(whole)
    arrays |= {'skeleton': arrays['skeleton'][::3], 'fps': arrays['fps'] / 3}
    (tmp_path / 'slow').mkdir()
    np.savez(tmp_path / 'slow/v0_pose.npz', **arrays)
    settings = config(folder)
    settings.prepare.landmarks = str(tmp_path / 'slow')
    record = predict_recordings.predict_recordings(settings, folder / 'run', 'best')
    fps = float(recorded.fps[0])
    assert record['videos'][0]['fps'] == pytest.approx(fps)
    told = f'1 recordings at {fps / 3:g} frames a second were resampled to the rate'
    assert told in capsys.readouterr().out
    table = folder / 'run/predictions/slow/frames/v0.csv'
    assert len(list(csv.DictReader(table.open()))) == 3 * (len(arrays['skeleton']) - 1) + 1


def test_folders_of_one_name_do_not_overwrite_each_other(folder, tmp_path):
    (tmp_path / 'landmarks').mkdir()
    shutil.copy(folder / 'landmarks/v0_pose.npz', tmp_path / 'landmarks')
    run = shutil.copytree(folder / 'run', tmp_path / 'run')
    shutil.rmtree(run / 'predictions', ignore_errors=True)
    for root, name in ((folder, 'landmarks'), (tmp_path, f'{tmp_path.name}_landmarks')) * 2:
        settings = config(folder, prepare__landmarks=str(root / 'landmarks'))
        record = predict_recordings.predict_recordings(settings, run, 'best')
        assert record['set'] == name
        kept = json.loads((run / f'predictions/{name}/events.json').read_text())
        assert len(kept['videos']) == (3 if root == folder else 1)


def test_a_recording_shorter_than_a_clip_and_one_without_a_pose(folder, tmp_path):
    names = np.load(folder / 'landmarks/v0_pose.npz')['joint_names']
    known = {'joint_names': names, 'fps': 30.0, 'video_size': [4, 3]}
    landmarks = tmp_path / 'short'
    landmarks.mkdir()
    joints = np.random.default_rng(0).random((5, len(names), 4))
    np.savez(landmarks / 'a.npz', skeleton=joints, **known)
    np.savez(landmarks / 'b.npz', skeleton=np.full_like(joints, np.nan), **known)
    settings = toy.config(prepare__landmarks=str(landmarks))
    with pytest.raises(InputError, match='video b: found no pose'):
        predict_recordings.predict_recordings(settings, folder / 'run', 'best')
    every_other = {'prepare__resample_fps': 15.0, 'prepare__on_error': 'skip'}
    every_other['predict__overlay'] = True
    settings = toy.config(prepare__landmarks=str(landmarks), **every_other)
    record = predict_recordings.predict_recordings(settings, folder / 'run', 'best')
    assert [(video['frames'], video['fps']) for video in record['videos']] == [(3, 15)]
    assert len(record['skipped']) == 1
    films = (folder / 'run/predictions/short/overlays').iterdir()
    assert [path.stem for path in films] == ['a']


def test_features_that_cannot_be_computed_are_one_clear_line(folder, tmp_path):
    clips = make_clips(num_videos=6, clips_per_video=2, num_frames=8, seed=0)
    names = tuple(f'mystery_{name}' for name in clips.feature_names)
    write_clips(tmp_path / 'c.npz', dataclasses.replace(clips, feature_names=names), 'long')
    other = config(folder, data__train=str(tmp_path / 'c.npz'))
    loop.train_and_evaluate(other, tmp_path / 'run')
    with pytest.raises(InputError, match=r'reads features of an archive \(\d+, mystery_'):
        predict_recordings.predict_recordings(other, tmp_path / 'run', 'best')
    assert not (tmp_path / 'run/predictions').exists()


def test_videos_become_landmark_files_first(folder, tmp_path, monkeypatch):
    def extracted(settings, fail):
        shutil.copytree(folder / 'landmarks', settings.landmarks)
        fail('notes.mp4: found no video')

    monkeypatch.setattr(predict_recordings.extract, 'extract', extracted)
    keys = {'prepare__landmarks': '', 'prepare__videos': str(tmp_path / 'films')}
    predict.predict(config(folder, prepare__on_error='skip', **keys), folder / 'run', 'best')
    record = json.loads((folder / 'run/predictions/films_landmarks/events.json').read_text())
    assert record['landmarks'] == str(tmp_path / 'films_landmarks')
    assert record['skipped'] == ['notes.mp4: found no video'] and len(record['videos']) == 3
