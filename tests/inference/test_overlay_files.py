"""Films of recordings: what is in them, when, and what is left when one fails."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError
from posevid_jax.inference import overlay_files, video_events
from posevid_jax.inference.overlay_files import Films
from posevid_jax.inference.recordings import LabelledRecording
from tests import toy
from tests.video import made

film = pytest.importorskip('posevid_jax.video.film', exc_type=ImportError)
frames = pytest.importorskip('posevid_jax.video.frames', exc_type=ImportError)

NAMES = ['other', 'smoke']
JOINTS = ('left_shoulder', 'left_elbow', 'nose')
EVENT = (6, 12)  # first frame and end
ORANGE = np.array([224, 123, 57])  # of events, where there is one gesture
SIZE = (640, 480)


def found(times, name='v'):
    """A recording with one event; an arm from the left to the middle, at half the height."""
    joints = np.tile(np.array([[0.1, 0.5, 0, 1], [0.5, 0.5, 0, 1], [0.5, 0.1, 0, 1]]), (20, 1, 1))
    recording = Recording(
        name=name, joints=joints.astype(np.float32), joint_names=JOINTS, fps=made.RATE,
        width=made.WIDTH, height=made.HEIGHT, time=np.asarray(times, float),
    )  # fmt: skip
    prob = np.full(20, 0.1)
    prob[slice(*EVENT)] = 0.9
    config = toy.config(predict__smooth=0.0, predict__min_length=0.0, predict__merge_gap=0.0)
    of = LabelledRecording(recording, None)
    return video_events.find(of, np.stack([1 - prob, prob], 1), config.predict, 0.5, None)


def read(path):
    with frames.VideoFile(path) as file:
        shown = list(file.frames())
    return file, shown


def is_orange(pixels):
    return np.abs(pixels.astype(int) - ORANGE).max(-1) < 60


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    """Two recordings at uneven times: `v` over its video, `w` without one."""
    folder = tmp_path_factory.mktemp('films')
    times = np.arange(20) / made.RATE
    times[10:] += 0.1
    source = made.video(folder / 'v.mp4', [made.picture()] * 20, times)
    videos = [found(times), found(times, 'w')]
    overlay_files.write(folder / 'overlays', videos, NAMES, Films({'v': source}, '.mp4'))
    return folder / 'overlays', times


@pytest.mark.parametrize('name', ['v', 'w'])
def test_frames_are_shown_at_their_times(films, name):
    folder, times = films
    assert sorted(path.name for path in folder.iterdir()) == ['v.mp4', 'w.mp4']
    _, shown = read(folder / f'{name}.mp4')
    np.testing.assert_allclose([frame.seconds for frame in shown], times, atol=1e-3)
    with made.av.open(folder / f'{name}.mp4') as container:
        assert container.duration / 1e6 == pytest.approx(times[-1] + 1 / made.RATE, abs=2e-3)


def test_an_event_is_seen_in_its_time_and_not_outside(films):
    _, shown = read(films[0] / 'v.mp4')
    edge = [is_orange(frame.picture[100:300, 1:3]).mean() for frame in shown]
    inside = np.zeros(20, bool)
    inside[slice(*EVENT)] = True
    np.testing.assert_array_equal(np.array(edge) > 0.5, inside)
    for frame, now in zip(shown, inside, strict=True):
        bar = is_orange(frame.picture[SIZE[1] :])  # the marks, all the time; the name, now
        assert bar.any() and bar[:30].any() == now


def test_the_body_is_over_the_picture_and_the_cursor_moves(films):
    _, shown = read(films[0] / 'v.mp4')
    first, last = shown[0].picture.astype(int), shown[-1].picture.astype(int)
    assert first.shape[1] == SIZE[0] and np.abs(first[400, 100] - 90).max() < 8
    assert first[240, 200, 2] - first[240, 200, 0] > 30  # an arm in the colour of its side
    columns = [
        picture[SIZE[1] + 34 : SIZE[1] + 70, 30:].min(-1).mean(0) for picture in (first, last)
    ]
    assert columns[0].argmax() < 100 and columns[1].argmax() > 450


def test_a_video_that_cannot_be_read_leaves_nothing_behind(tmp_path):
    (tmp_path / 'v.mp4').write_text('no video')
    with pytest.raises(InputError, match=r'v\.mp4: found no video'):
        overlay_files.write(
            tmp_path / 'overlays', [found(np.arange(20) / 25)], NAMES,
            Films({'v': tmp_path / 'v.mp4'}, '.mp4'),
        )  # fmt: skip
    assert not list((tmp_path / 'overlays').iterdir())


def test_a_gif_lasts_as_long_with_fewer_pictures(tmp_path):
    overlay_files.write(tmp_path, [found(np.arange(20) / 25)], NAMES, Films({}, '.gif'))
    with Image.open(tmp_path / 'v.gif') as image:
        lengths = []
        for k in range(image.n_frames):
            image.seek(k)
            lengths.append(image.info['duration'])
    assert sum(lengths) == 800 and len(lengths) == 10


def test_only_the_first_minute_is_in_a_gif():
    edges = overlay_files.gif.times(np.arange(5000) / 25)
    assert edges[-1] == 60 and edges[-2] < 60 and np.diff(edges).min() > 0.079


def test_videos_are_found_by_the_names_of_recordings(tmp_path, monkeypatch, capsys):
    for name in ('a_pose.mp4', 'b.mkv', '.hidden'):
        (tmp_path / name).write_text('')
    keys = {'predict__overlay': True, 'predict__overlay_videos': str(tmp_path)}
    config = toy.config(**keys)
    assert overlay_files.plan(toy.config()) is None
    assert overlay_files.plan(config) == Films(
        {'a': tmp_path / 'a_pose.mp4', 'b': tmp_path / 'b.mkv'}, '.mp4'
    )
    (tmp_path / 'b.mp4').write_text('')
    with pytest.raises(InputError, match=r"b\.mp4: video 'b': found in b\.mkv too"):
        overlay_files.plan(config)
    config.predict.overlay_videos = 'nowhere'
    with pytest.raises(InputError, match=r'predict\.overlay_videos: nowhere not found'):
        overlay_files.plan(config)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(InputError, match=r"takes pip install 'posevid-jax\[video\]'"):
        overlay_files.plan(config)
    assert overlay_files.plan(toy.config(predict__overlay=True)) == Films({}, '.gif')
    assert 'mp4 takes pip install' in capsys.readouterr().out
