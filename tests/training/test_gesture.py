"""The configuration for any gesture, from clips of unequal length to an export."""

import json

import jax
import numpy as np
import pytest

from configs import gesture
from posevid_jax.data.clips import from_arrays
from posevid_jax.data.joints import COCO_17
from posevid_jax.data.npz import read_clips, write_clips
from posevid_jax.errors import InputError
from posevid_jax.inference.predictor import Predictor
from posevid_jax.modes import export
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.runs.config import read_config
from posevid_jax.training import loop
from tests.training.test_loop import parameters, stop_after

# Where joints of a body that stands are, from the middle of its hips in lengths of the trunk.
STANDING = {
    'nose': (0, -1.5), 'left_shoulder': (0.35, -1), 'right_shoulder': (-0.35, -1),
    'left_elbow': (0.45, -0.5), 'right_elbow': (-0.45, -0.5), 'left_wrist': (0.5, 0),
    'right_wrist': (-0.5, 0), 'left_hip': (0.2, 0), 'right_hip': (-0.2, 0),
    'left_knee': (0.2, 0.8), 'right_knee': (-0.2, 0.8), 'left_ankle': (0.2, 1.6),
    'right_ankle': (-0.2, 1.6),
}  # fmt: skip
MOTIONS = ('wave', 'raise', 'step')
LONGEST = 40


def moving(motion, frames, rng):
    """A body `[T, 17, 2]` that does one thing once, somewhere in the picture."""
    at = np.zeros((frames, len(COCO_17), 2))
    for joint, place in STANDING.items():
        at[:, COCO_17.index(joint)] = place
    phase = np.linspace(0, 2 * np.pi, frames) + rng.uniform(-0.5, 0.5)
    wrist, ankle = (at[:, COCO_17.index(f'left_{joint}')] for joint in ('wrist', 'ankle'))
    if motion == 'wave':
        wrist += np.stack([0.5 * np.sin(3 * phase), np.full(frames, -1.2)], -1)
    elif motion == 'raise':
        wrist[:, 1] -= 0.7 * (1 - np.cos(phase))
    else:
        ankle += 0.3 * np.stack([np.sin(phase), -np.abs(np.cos(phase))], -1)
    at += 0.03 * rng.normal(size=at.shape)
    return rng.uniform(0.3, 0.7, 2) + rng.uniform(0.05, 0.15) * at


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
    rng = np.random.default_rng(0)
    n = 60
    skeleton = np.full((n, LONGEST, len(COCO_17), 4), np.nan, np.float32)
    for clip, length in enumerate(rng.integers(LONGEST // 2, LONGEST + 1, n)):
        motion = MOTIONS[clip % len(MOTIONS)]
        skeleton[clip, :length, :, :2] = moving(motion, length, rng)
        skeleton[clip, :length, :, 2:] = 0
    hidden = [k for k, joint in enumerate(COCO_17) if joint not in STANDING]
    skeleton[:, :, hidden] = np.nan
    clips = from_arrays(
        source='toy', features=np.zeros((n, LONGEST, 0)), label=np.arange(n) % len(MOTIONS),
        video_id=[str(k // 3) for k in range(n)], skeleton=skeleton, joint_names=COCO_17,
        class_names=MOTIONS,
    )  # fmt: skip
    path = tmp_path_factory.mktemp('clips') / 'clips.npz'
    write_clips(path, clips, 'long')
    return str(path)


def config(archive, form='stat_pool'):
    c = gesture.get_config(form)
    c.data.train = archive
    if form == 'stat_pool':
        c.features.kernels = 336
    c.features.frames = 16
    c.train.num_steps = 16
    c.train.batch_size = 12
    c.train.learning_rate = 3e-3
    c.train.log_every_steps = 1
    c.parallel = 'jit'
    c.eval.bootstrap = 20
    c.eval.report = False
    return c.lock()


@pytest.fixture(scope='module')
def run(archive, tmp_path_factory):
    workdir = tmp_path_factory.mktemp('runs') / 'run'
    return workdir, loop.train_and_evaluate(config(archive), workdir)


def test_it_finds_which_motion_it_is(run):
    _, trained = run
    assert trained.scores.accuracy > 0.9 and trained.scores.roc_auc > 0.95


def test_it_is_evaluated_from_its_directory_with_the_same_numbers(run):
    workdir, trained = run
    assert evaluate_run(read_config(workdir), workdir) == trained


def test_attention_over_joints_and_time_finds_it_too(archive, tmp_path):
    c = config(archive, 'video_swin').unlock()
    c.model.size = 'mini'
    c.model.dropout = 0.0
    c.model.video_swin.drop_path = 0.0
    c.train.num_steps = 24
    c.train.learning_rate = 5e-3
    c.train.ema_decay = 0.9
    c.augment.update({'rotate': 0.0, 'stretch': 0.0, 'warp': 0.0, 'crop': 0.0})
    trained = loop.train_and_evaluate(c.lock(), tmp_path / 'run')
    assert trained.scores.accuracy > 0.8
    known = read_config(tmp_path / 'run')
    assert known.features.depth == 'off' and known.augment.turn == 0  # nothing to turn about


def test_a_form_that_there_is_none_of_is_refused():
    with pytest.raises(
        InputError, match='found gesture:mlp, expected one of stat_pool, video_swin'
    ):
        gesture.get_config('mlp')


def test_it_says_what_it_made_of_the_clips(run):
    known = json.loads((run[0] / 'config.json').read_text())
    assert known['train']['loss'] == 'ce' and known['features']['depth'] == 'off'
    assert json.loads((run[0] / 'scaler.json').read_text())['biases'] == 336


def test_the_exported_program_gives_the_same_probabilities(run, archive):
    workdir, _ = run
    folder = export.export_run(read_config(workdir), workdir)
    model = jax.export.deserialize(bytearray((folder / 'model.jax').read_bytes()))
    clips = read_clips(archive, prefix='long').select(np.arange(7))
    inputs = {
        'skeleton': np.where(clips.skeleton_mask[..., None], clips.skeleton, np.nan),
        'fps': clips.fps,
        'aspect': clips.aspect,
    }
    found = np.asarray(model.call(inputs))
    expected = Predictor(workdir).predict_proba(clips)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert found.shape == (7, 3) and found.std(0).min() > 0.05


def test_a_run_stopped_and_resumed_is_bit_for_bit_the_whole_one(
    run, archive, tmp_path, monkeypatch
):
    workdir, trained = run
    with monkeypatch.context() as patch:
        stop_after(patch, 7)
        assert loop.train_and_evaluate(config(archive), tmp_path) is None
    assert loop.train_and_evaluate(config(archive), tmp_path) == trained
    jax.tree.map(
        np.testing.assert_array_equal,
        *(parameters(read_config(folder), folder) for folder in (workdir, tmp_path)),
    )
    for name in ('scaler.json', 'metrics.jsonl', 'config.json'):
        assert (workdir / name).read_text() == (tmp_path / name).read_text(), name
