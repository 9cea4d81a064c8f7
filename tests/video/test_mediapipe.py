"""MediaPipe's people: what is made of its results, and its own work where it is installed."""

import os
import pathlib
import sys
import types
import zipfile

import numpy as np
import pytest

from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.errors import InputError
from posevid_jax.video import extract, worker
from posevid_jax.video.estimator import Frame
from posevid_jax.video.worker import Model
from tests import toy
from tests.video import made

MODULE = 'posevid_jax.video.mediapipe_pose'


@pytest.fixture
def landmarker(monkeypatch):
    """In place of MediaPipe: notes times, and finds as many people as the picture's first value."""

    class Landmarker:
        times: list[int] = []  # noqa: RUF012

        @classmethod
        def create_from_options(cls, options):
            cls.options = options
            return cls()

        def detect_for_video(self, image, time):
            self.times.append(time)
            person = [types.SimpleNamespace(x=k, y=2, z=3, visibility=0.5) for k in range(33)]
            return types.SimpleNamespace(pose_landmarks=[person] * int(image[0, 0, 0]))

    def options(**keys):
        return types.SimpleNamespace(**keys)

    vision = types.SimpleNamespace(
        PoseLandmarker=Landmarker,
        PoseLandmarkerOptions=options,
        RunningMode=types.SimpleNamespace(VIDEO='video'),
    )
    mediapipe = types.ModuleType('mediapipe')
    mediapipe.__version__ = '0'
    mediapipe.Image = lambda kind, picture: picture
    mediapipe.ImageFormat = types.SimpleNamespace(SRGB=1)
    python = types.ModuleType('mediapipe.tasks.python')
    python.BaseOptions, python.vision = options, vision
    monkeypatch.setitem(sys.modules, 'mediapipe', mediapipe)
    monkeypatch.setitem(sys.modules, 'mediapipe.tasks', types.ModuleType('mediapipe.tasks'))
    monkeypatch.setitem(sys.modules, 'mediapipe.tasks.python', python)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield Landmarker
    sys.modules.pop(MODULE, None)


def test_people_are_joints_and_times_increase(landmarker):
    from posevid_jax.video.mediapipe_pose import MediaPipePose

    poses = MediaPipePose(pathlib.Path('pose.task'), 3)
    assert landmarker.options.num_poses == 3
    for seconds, people in ((0.0, 0), (0.0334, 2), (0.0334, 1), (0.0335, 0), (0.1, 1)):
        found = poses.people(Frame(seconds, np.full((4, 4, 3), people, np.uint8)))
        assert found.shape == (people, 33, 4)
        assert (found[:, 5] == [5, 2, 3, 0.5]).all()
    assert landmarker.times == [0, 33, 34, 35, 100]


def test_without_the_extra_one_line_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'mediapipe', None)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    model = Model(f'{MODULE}:MediaPipePose', tmp_path / 'pose.task', '', 1)
    with pytest.raises(InputError, match=r"takes pip install 'posevid-jax\[video\]' \("):
        worker.try_out(model)


def test_what_is_no_bundle_is_said(tmp_path):
    pytest.importorskip('mediapipe', reason='MediaPipe is not installed: the extra `video`')
    with zipfile.ZipFile(tmp_path / 'empty.task', 'w') as file:
        file.writestr('x', '')
    (tmp_path / 'text.task').write_text('no model')
    for name in ('empty', 'text', 'missing'):
        path = tmp_path / f'{name}.task'
        message = rf'prepare\.pose_model: .*{name}\.task: MediaPipe cannot read it \(\w'
        with pytest.raises(InputError, match=message):
            worker.try_out(Model(f'{MODULE}:MediaPipePose', path, '', 1))


def test_mediapipe_finds_the_people_of_a_video(tmp_path, capfd):
    pytest.importorskip('mediapipe', reason='MediaPipe is not installed: the extra `video`')
    data = pytest.importorskip('skimage.data', reason='scikit-image is not installed')
    model = os.environ.get('POSE_MODEL')
    if not model:
        pytest.skip('POSE_MODEL names no pose_landmarker_full.task (tests/video/bundle.py)')
    astronaut = np.ascontiguousarray(data.astronaut())  # 512 x 512: her nose is at (225, 125)
    nobody = np.full_like(astronaut, 90)
    pictures = [np.hstack([astronaut, nobody])] * 5 + [np.hstack([astronaut] * 2)] * 10
    made.video(tmp_path / 'film.mp4', pictures)
    keys = {'videos': str(tmp_path / 'film.mp4'), 'pose_model': model}
    config = extract.with_landmarks(toy.config(**{f'prepare__{k}': v for k, v in keys.items()}))
    extract.extract(config.prepare, pytest.fail)
    assert capfd.readouterr().err.startswith('1/1 videos, 15 frames')  # and nothing of MediaPipe's
    path = tmp_path / 'film_landmarks/film.csv.gz'
    for person, first, x in (('0', 0, 225), ('1', 5, 512 + 225)):
        config.prepare.person = person
        found = read_recording(path, 'film', config.prepare)
        assert (found.width, found.height) == (1024, 512)
        kept, frame, count = found.origin.people[0]
        assert kept == person and frame >= first and count >= 7
        nose = found.joints[-1, found.joint_names.index('nose'), :2] * (1024, 512)
        np.testing.assert_allclose(nose, (x, 125), atol=15)
