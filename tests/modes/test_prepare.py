"""Mode prepare: from folders of landmarks and labels to clips that training reads."""

import json
import lzma
import os
import subprocess
import sys

import numpy as np
import pytest

from posevid_jax.data.npz import read_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import prepare_report
from posevid_jax.modes import prepare
from tests import toy
from tests.data import landmark_files as files
from tests.modes.test_command_line import ROOT


def config(folder, **keys):
    """The configuration for the files in a folder, 4 frames a clip at 10 per second."""
    keys = {
        'landmarks': str(folder / 'landmarks'),
        'labels': str(folder / 'labels'),
        'output': str(folder / 'clips.npz'),
        'clip_length': 4.0,
        'stride': 2.0,
    } | keys
    return toy.config(**{f'prepare__{key}': value for key, value in keys.items()})


def fill(folder, names=('1', '10', '2')):
    """Videos of 12 frames, the gesture in the second half."""
    (folder / 'landmarks').mkdir()
    (folder / 'labels').mkdir()
    for seed, name in enumerate(names):
        text = files.csv_text(files.joints(seed=seed)).encode()
        (folder / 'landmarks' / f'{name}_pose.csv.xz').write_bytes(lzma.compress(text))
        labels = files.labels_text((0, 0.6, 'no_smoke'), (0.6, 1.2, 'smoke'))
        (folder / 'labels' / f'{name}_full.csv').write_text(labels)


def test_an_archive_holds_the_clips_of_all_videos_in_order(tmp_path, capsys):
    fill(tmp_path)
    prepare.prepare(config(tmp_path))
    clips = read_clips(tmp_path / 'clips.npz', prefix='long')
    assert clips.video_ids == ('1',) * 5 + ('10',) * 5 + ('2',) * 5
    assert len(set(clips.group.tolist())) == 3
    assert clips.class_names == ('no_smoke', 'smoke') and clips.joint_names == files.NAMES
    np.testing.assert_array_equal(clips.label, [0, 0, 1, 1, 1] * 3)
    np.testing.assert_array_equal(clips.start_frame, [0, 2, 4, 6, 8] * 3)
    np.testing.assert_array_equal(clips.skeleton[6], files.joints(seed=1)[2:6])
    out = capsys.readouterr().out
    assert '15 clips of 4 frames from 3 videos' in out
    assert '0 = no_smoke: 6, 1 = smoke: 9' in out and 'skipped' not in out


def test_corrected_labels_replace_those_of_their_videos(tmp_path, capsys):
    fill(tmp_path)
    (tmp_path / 'labels' / '2_full.csv').unlink()  # labelled by a person only
    corrected = tmp_path / 'corrected.csv'
    rows = '10,0,0.6,smoke\n10,0.6,1.2,no_smoke\n2,0,1.2,smoke\n'
    corrected.write_text('video,start,end,label\n' + rows)
    prepare.prepare(config(tmp_path, corrections=(str(corrected),)))
    clips = read_clips(tmp_path / 'clips.npz', prefix='long')
    assert clips.video_ids == ('1',) * 5 + ('10',) * 5 + ('2',) * 5
    expected = [0, 0, 1, 1, 1] + [1, 1, 1, 0, 0] + [1] * 5
    np.testing.assert_array_equal(clips.label, expected)
    assert 'labels of 2 videos are corrections: 10, 2' in capsys.readouterr().out


def test_the_same_files_give_the_same_clips(tmp_path):
    fill(tmp_path)
    prints = set()
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        prepare.prepare(config(tmp_path, output=str(tmp_path / name / 'set.npz')))
        prints.add(read_clips(tmp_path / name / 'set.npz', prefix='long').fingerprint())
    assert len(prints) == 1


def test_a_folder_of_shards_holds_what_the_archive_holds(tmp_path):
    fill(tmp_path)
    for output in ('set', 'set.npz'):
        prepare.prepare(config(tmp_path, output=str(tmp_path / output), context=2.0))
    shards, archive = (
        read_clips(tmp_path / output, prefix='long', check='require')
        for output in ('set', 'set.npz')
    )
    assert shards.context_skeleton.shape == (15, 4, 7, 4)
    assert shards.fingerprint() == archive.fingerprint()
    with pytest.raises(InputError, match=r'prepare\.output: .*new folder'):
        prepare.prepare(config(tmp_path, output=str(tmp_path / 'set')))


def test_context_is_read_back(tmp_path):
    fill(tmp_path)
    prepare.prepare(config(tmp_path, context=3.0))
    with np.load(tmp_path / 'clips.npz') as archive:
        raw = archive['long_context_skeleton']
    assert raw.shape == (15, 6, files.JOINTS, 4)
    np.testing.assert_array_equal(raw[5, 3:], files.joints(seed=1)[4:7])
    assert np.isnan(raw[5, :3]).all()
    clips = read_clips(tmp_path / 'clips.npz', prefix='long')
    np.testing.assert_array_equal(clips.context_skeleton, np.nan_to_num(raw))
    np.testing.assert_array_equal(clips.context_mask, ~np.isnan(raw[..., 0]))


def test_without_labels_the_archive_is_for_prediction(tmp_path):
    fill(tmp_path)
    prepare.prepare(config(tmp_path, labels=''))
    clips = read_clips(tmp_path / 'clips.npz', prefix='long', labelled=False)
    assert len(clips) == 15 and not clips.labelled and clips.class_names == ()
    np.testing.assert_array_equal(clips.skeleton[0], files.joints(seed=0)[:4])
    with pytest.raises(InputError, match='long_label: not found'):
        read_clips(tmp_path / 'clips.npz', prefix='long')


def truncated(folder):
    path = folder / 'landmarks' / '10_pose.csv.xz'
    path.write_bytes(path.read_bytes()[:-20])
    return path, 'damaged'


def wrong_columns(folder):
    path = folder / 'landmarks' / '10_pose.csv.xz'
    path.write_text('a,b\n1,2\n')
    return path, 'expected the columns'


def without_labels(folder):
    (folder / 'labels' / '10_full.csv').unlink()
    return folder / 'landmarks' / '10_pose.csv.xz', 'no label file'


def without_landmarks(folder):
    (folder / 'landmarks' / '10_pose.csv.xz').unlink()
    return folder / 'labels' / '10_full.csv', 'no landmarks'


def labels_backwards(folder):
    path = folder / 'labels' / '10_full.csv'
    path.write_text(files.labels_text((0, 1, 'smoke'), (2, 1, 'smoke')))
    return path, 'line 3: end'


def unknown_label(folder):
    path = folder / 'labels' / '10_full.csv'
    path.write_text(files.labels_text((0, 2, 'smok')))
    return path, "label: found 'smok', expected one of no_smoke, smoke"


def other_joints(folder):
    path = folder / 'landmarks' / '10_pose.csv.xz'
    path.write_text(files.csv_text(files.joints(count=2), numbers=(0, 15)))
    return path, 'found 2 joints'


def other_rate(folder):
    path = folder / 'landmarks' / '10_pose.csv.xz'
    path.write_text(files.csv_text(files.joints(30), fps=20.0))
    return path, 'prepare.resample_fps'


FAULTS = (
    truncated, wrong_columns, without_labels, without_landmarks, labels_backwards, unknown_label,
    other_joints, other_rate,
)  # fmt: skip


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.__name__)
def test_a_bad_file_stops_with_nothing_written_or_is_skipped_and_reported(tmp_path, fault, capsys):
    fill(tmp_path)
    path, message = fault(tmp_path)
    keys = {'classes': ('no_smoke', 'smoke'), 'unit': 'seconds', 'clip_length': 0.4, 'stride': 0.2}
    with pytest.raises(InputError) as raised:
        prepare.prepare(config(tmp_path, **keys))
    assert str(raised.value).startswith(str(path)) and message in str(raised.value)
    assert '\n' not in str(raised.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['labels', 'landmarks']

    report = prepare.prepare(config(tmp_path, on_error='skip', **keys))
    assert len(report.skipped) == 1 and message in report.skipped[0]
    out = capsys.readouterr().out
    assert 'skipped files: 1' in out and str(path) in out
    clips = read_clips(tmp_path / 'clips.npz', prefix='long')
    assert set(clips.video_ids) == {'1', '2'}


def test_what_is_left_out_is_counted(tmp_path, capsys):
    fill(tmp_path)
    short = files.csv_text(files.joints(3))
    (tmp_path / 'landmarks' / '1_pose.csv.xz').write_text(short)
    (tmp_path / 'labels' / '2_full.csv').write_text(files.labels_text((0, 0.6, 'smoke')))
    report = prepare.prepare(config(tmp_path))
    out = capsys.readouterr().out
    assert 'left out: 1 videos shorter than a clip' in out
    assert 'left out: 2 clips with too few labelled frames' in out
    assert 'few poses' not in out and report.beyond == []
    (tmp_path / 'labels' / '2_full.csv').write_text(files.labels_text((0, 9, 'smoke')))
    assert prepare.prepare(config(tmp_path)).beyond == ['2']


def test_a_log_shows_progress(tmp_path, capsys, monkeypatch):
    fill(tmp_path)
    monkeypatch.setattr(prepare, '_SECONDS_BETWEEN_LINES', 0.0)
    prepare.prepare(config(tmp_path))
    assert capsys.readouterr().err.splitlines() == ['1/3 videos', '2/3 videos', '3/3 videos']


def test_no_clips_at_all_is_an_error(tmp_path):
    fill(tmp_path)
    with pytest.raises(InputError, match='gave no clips'):
        prepare.prepare(config(tmp_path, clip_length=50.0))
    assert not (tmp_path / 'clips.npz').exists()


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('landmarks', '', 'not given'),
        ('output', 'clips.csv', r'PATH\.npz'),
        ('output', 'none/clips.npz', 'folder that exists'),
        ('on_error', 'ignore', 'raise, skip'),
        ('max_file_mb', 0, 'at least 1'),
        ('video_size', (640,), r'\(width, height\)'),
        ('fps', -1.0, 'no negative'),
        ('joint_map', 'coco', 'coco_17'),
        ('stride', 0.0, 'above 0'),
    ],
)
def test_a_wrong_key_is_named_before_anything_is_read(tmp_path, key, value, message):
    with pytest.raises(InputError, match=rf'prepare\.{key}: .*{message}'):
        prepare.prepare(config(tmp_path, **{key: value}))


def main(folder, *arguments):
    """The command as a person gives it: exit code, output and errors."""
    command = [sys.executable, ROOT / 'main.py', '--mode=prepare']
    command += [f'--config={ROOT}/configs/default.py', '--config.prepare.landmarks=landmarks']
    command += ['--config.prepare.labels=labels', '--config.prepare.output=clips.npz', *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def test_the_command_line(tmp_path):
    fill(tmp_path)
    (tmp_path / 'landmarks' / '10_pose.csv.xz').write_bytes(b'')
    arguments = ('--config.prepare.clip_length=4', "--config.prepare.joints=('nose','left_wrist')")
    code, out, err = main(tmp_path, *arguments)
    assert code == 2, (out, err)
    assert err.splitlines()[-1] == (
        f'error: {os.path.join("landmarks", "10_pose.csv.xz")}: found an empty file, '
        'expected landmarks'
    )
    assert 'Traceback' not in err and not (tmp_path / 'clips.npz').exists()
    code, out, err = main(tmp_path, *arguments, '--config.prepare.on_error=skip')
    assert code == 0, err
    assert 'skipped files: 1' in out and '10_pose.csv.xz' in out
    clips = read_clips(tmp_path / 'clips.npz', prefix='long')
    assert clips.joint_names == ('nose', 'left_wrist') and len(clips) == 2


# The real clips: prepare must cut what was cut before, from the same landmarks and labels.


@pytest.mark.parametrize(('split', 'empty'), [('train', ['45']), ('val', [])])
def test_the_default_configuration_reproduces_the_real_archives(shared, tmp_path, split, empty):
    made = tmp_path / f'{split}_clips.npz'
    settings = toy.config(
        prepare__landmarks=str(shared / 'landmarks' / split),
        prepare__labels=str(shared / 'intervals' / split),
        prepare__output=str(made),
        prepare__on_error='skip',
    )
    report = prepare.prepare(settings)
    assert [line.split('/')[-1].split('_')[0] for line in report.skipped] == empty
    found = read_clips(made, prefix='long')
    expected = read_clips(shared / f'{split}_clips.npz', prefix='long')
    rows = [row for row, video in enumerate(expected.video_ids) if video not in empty]
    assert len(expected) - len(rows) == (11 if empty else 0)
    expected = expected.select(rows)
    for name in ('label', 'frame_label', 'start_frame', 'end_frame', 'skeleton', 'skeleton_mask'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for name in ('videos', 'joint_names'):
        assert getattr(found, name) == getattr(expected, name)
    np.testing.assert_allclose(found.aspect, expected.aspect, rtol=1e-6)
    np.testing.assert_allclose(found.fps, expected.fps, rtol=2e-3)  # 29.97 was rounded to 30 in two


def test_the_report_beside_the_clips_says_what_was_read_and_assumed_once(tmp_path, capsys):
    joints = files.joints(40)
    joints[10:20] = np.nan
    (tmp_path / 'landmarks').mkdir()
    for name in 'ab':
        rows = files.csv_text(joints, time=np.arange(40) * 100.0)  # milliseconds
        (tmp_path / 'landmarks' / f'{name}.csv').write_text(rows)
    config = toy.config(
        prepare__landmarks=str(tmp_path / 'landmarks'), prepare__clip_length=10.0,
        prepare__stride=10.0, prepare__output=str(tmp_path / 'clips.npz'),
    )  # fmt: skip
    prepare.prepare(config)
    out = capsys.readouterr().out
    assert out.count('assumed: times are in ms, by their steps (2 videos, such as a)') == 1
    found = json.loads((tmp_path / 'clips.npz.json').read_text())
    assert (found['videos'], found['clips']) == (2, 8)
    assert found['notes'] == [{'note': 'times are in ms, by their steps', 'videos': ['a', 'b']}]
    first = found['of_videos'][0]
    assert (first['frames'], first['missing'], first['longest_hole_s']) == (40, 0.25, 1.0)
    assert (first['fps'], first['fps_from'], first['size_from']) == (10, 'file', 'file')
    told = prepare_report.read_back(str(tmp_path / 'clips.npz'))
    assert told[0] == 'prepared from 2 videos, 0.1 minutes, 8 clips' and 'in ms' in told[1]
    (tmp_path / 'clips.npz.json').write_text('{}')
    with pytest.raises(InputError, match=r'clips\.npz\.json: expected what --mode=prepare'):
        prepare_report.read_back(str(tmp_path / 'clips.npz'))
