"""Videos in, landmark files and clips out, by the real processes and a fake estimator."""

import csv
import gzip
import os
import pathlib
import shutil

import numpy as np
import pytest

from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.npz import read_clips
from posevid_jax.errors import InputError
from posevid_jax.modes import prepare
from posevid_jax.video import estimator, extract, landmark_file
from tests import toy
from tests.video import fake, made


@pytest.fixture(scope='module', autouse=True)
def fakes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimator, 'ESTIMATORS', fake.ROW)
        yield


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    """`one`: a person who goes right, gone in frames 8 to 11; `two`: another one beside from 6."""
    folder = tmp_path_factory.mktemp('films')
    left = [(8 + x // 2, 8) for x in range(20)]
    one = [made.picture(*[left[k]] * (not 8 <= k < 12)) for k in range(20)]
    two = [made.picture(left[k], *[made.RIGHT] * (k >= 6)) for k in range(20)]
    made.video(folder / 'one.mp4', one)
    made.video(folder / 'two.mkv', two)
    return folder


def config_for(films, folder):
    """Reads a copy of the videos in a folder, writes clips of 4 frames to `clips.npz` there."""
    (folder / 'model.fake').write_text('')
    shutil.copytree(films, folder / 'films')
    keys = {'videos': 'films', 'pose_model': 'model.fake', 'output': 'clips.npz'}
    return toy.config(
        **{f'prepare__{key}': str(folder / value) for key, value in keys.items()},
        prepare__clip_length=4.0,
        prepare__stride=4.0,
    )


@pytest.fixture
def config(films, tmp_path):
    return config_for(films, tmp_path)


def run(config):
    """Extracts, and returns the configuration that names the landmarks."""
    config = extract.with_landmarks(config)
    extract.extract(config.prepare, pytest.fail)
    return config


@pytest.fixture(scope='module')
def extracted(films, tmp_path_factory):
    """The settings that read the landmark files of both videos, made by two processes."""
    config = config_for(films, tmp_path_factory.mktemp('extracted'))
    config.prepare.video_processes = 2
    return run(config).prepare


def recording(settings, video):
    return read_recording(pathlib.Path(settings.landmarks, f'{video}.csv.gz'), video, settings)


def test_landmark_files_hold_what_is_in_the_videos(extracted):
    folder = pathlib.Path(extracted.landmarks)
    assert folder == pathlib.Path(extracted.videos).with_name('films_landmarks')
    assert sorted(path.name for path in folder.iterdir()) == ['one.csv.gz', 'two.csv.gz']
    one = recording(extracted, 'one')
    assert one.joint_names == fake.NAMES and (one.width, one.height) == (made.WIDTH, made.HEIGHT)
    assert one.fps == made.RATE and not one.origin.notes
    np.testing.assert_allclose(one.time, np.arange(20) / made.RATE, atol=1e-5)
    seen = np.isfinite(one.joints).all((1, 2))
    np.testing.assert_array_equal(np.flatnonzero(~seen), [8, 9, 10, 11])
    corner = one.joints[seen, 1, :2] * (made.WIDTH, made.HEIGHT)
    np.testing.assert_allclose(corner, [(8 + k // 2, 8) for k in np.flatnonzero(seen)], atol=1)
    np.testing.assert_allclose(one.joints[seen, :, 3], 0.9, atol=1e-5)
    assert one.origin.people == (('0', 0, 16),)  # the same person before and after
    with gzip.open(folder / 'one.csv.gz', 'rt') as file:
        people = [row['person_id'] for row in csv.DictReader(file)]
    assert people == ['0'] * 8 + [''] * 4 + ['0'] * 8
    written = landmark_file.read_made(folder / 'two.csv.gz')
    assert written is not None
    assert (written.video, written.estimator, written.model) == ('two.mkv', 'fake 1', 'model.fake')


def test_each_of_several_people_can_be_kept(extracted):
    for person, first, x in (('0', 0, made.LEFT[0]), ('1', 6, made.RIGHT[0])):
        settings = extracted.copy_and_resolve_references()
        settings.person = person
        kept = recording(settings, 'two')
        assert kept.origin.people == ((person, first, 20 - first),)
        assert kept.joints[first, 1, 0] * made.WIDTH == pytest.approx(x, abs=4)


def test_only_what_is_missing_or_out_of_date_is_made_again(config, tmp_path, capsys):
    run(config)
    one, two = (tmp_path / f'films_landmarks/{name}.csv.gz' for name in ('one', 'two'))
    before = one.read_bytes(), one.stat().st_mtime_ns

    def again(old, **keys):
        """Which files were made again, with `old` made older than its video."""
        for file in (one, two):
            os.utime(file, (2e9, 2e9) if file != old else (0, 0))
        config.prepare.update(keys)
        run(config)
        return [file for file in (one, two) if file.stat().st_mtime != 2e9]

    assert again(None) == []
    assert 'films_landmarks has the landmarks of 2 of 2 videos' in capsys.readouterr().out
    assert again(one) == [one] and one.read_bytes() == before[0]
    (tmp_path / 'model.fake').write_text('another model')
    assert again(None) == [one, two]
    assert again(None, video_people=1) == [one, two]


def test_prepare_makes_clips_of_videos(config, extracted, tmp_path):
    (tmp_path / 'films/notes.mp4').write_text('no video')
    # It was one once, and nobody should take its landmarks for new.
    old = tmp_path / 'films_landmarks/notes.csv.gz'
    old.parent.mkdir()
    shutil.copy(pathlib.Path(extracted.landmarks, 'one.csv.gz'), old)
    os.utime(old, (0, 0))
    with pytest.raises(InputError, match=r'films/notes\.mp4: found no video'):
        prepare.prepare(config)
    assert not (tmp_path / 'clips.npz').exists()
    config.prepare.on_error = 'skip'
    report = prepare.prepare(config)
    assert len(report.skipped) == 1 and 'films/notes.mp4: found no video' in report.skipped[0]
    clips = read_clips(tmp_path / 'clips.npz', prefix='long', labelled=False)
    assert clips.video_ids == ('one',) * 5 + ('two',) * 5
    assert clips.joint_names == fake.NAMES
    assert config.prepare.landmarks == ''  # the caller's


def test_what_was_not_decoded_is_said_each_time(config, tmp_path, capsys):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (made.HEIGHT, made.WIDTH, 3)).astype(np.uint8) for _ in range(50)]
    film = made.video(tmp_path / 'film.mp4', noise)
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    config.prepare.videos = str(film)
    for _ in range(2):
        run(config)
        said = capsys.readouterr()
        assert 'of 2.0 s; what could be decoded is used' in said.out + said.err
    assert [path.name for path in (tmp_path / 'film_landmarks').iterdir()] == ['film.csv.gz']


def test_a_landmark_file_of_another_origin_is_not_replaced(config, tmp_path):
    config.prepare.landmarks = str(tmp_path / 'mine')
    (tmp_path / 'mine').mkdir()
    mine = tmp_path / 'mine/one.csv.gz'
    mine.write_text('nose_x,nose_y\n')
    with pytest.raises(InputError, match=r'mine/one\.csv\.gz: found a file that was not made of'):
        run(config)
    assert mine.read_text() == 'nose_x,nose_y\n'


@pytest.mark.parametrize(
    ('does', 'message'),
    [
        ('broken', r'prepare\.pose_model: .*model\.fake: cannot be read'),
        ('crash', r'prepare\.videos: a process crashed at .*one\.mp4, expected'),
    ],
)
def test_a_model_that_does_not_work_ends_it(config, tmp_path, does, message):
    (tmp_path / 'model.fake').write_text(does)
    config.prepare.on_error = 'skip'
    with pytest.raises(InputError, match=message):
        run(config)
    assert not list(tmp_path.glob('films_landmarks/*'))


@pytest.mark.parametrize(
    ('keys', 'message'),
    [
        ({'videos': 'nowhere'}, r'prepare\.videos: nowhere not found'),
        ({'pose_model': ''}, r'prepare\.pose_model: not given'),
        ({'pose_model': 'm.task'}, r'prepare\.pose_model: m\.task: expected a file that ends in'),
        ({'pose_model': 'm.fake'}, r'prepare\.pose_model: m\.fake: not found'),
        ({'video_people': 0}, r'prepare\.video_people: found 0'),
        ({'video_processes': 0}, r'prepare\.video_processes: found 0'),
        ({'landmarks': __file__}, r'prepare\.landmarks: .*test_extract\.py: File exists'),
    ],
)
def test_wrong_keys_are_said_before_anything_is_read(config, keys, message):
    config.prepare.update(keys)
    with pytest.raises(InputError, match=message):
        run(config)


def test_two_videos_of_one_name_are_refused(config, tmp_path):
    shutil.copy(tmp_path / 'films/one.mp4', tmp_path / 'films/one.mov')
    with pytest.raises(InputError, match=r"one\.mp4: video 'one': found in one\.mov too"):
        run(config)
