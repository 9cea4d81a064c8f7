"""`posevid_jax.load` as a notebook uses it."""

import subprocess
import sys

import numpy as np
import pytest

import posevid_jax
from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.modes import predict_clips
from posevid_jax.training import loop
from tests import toy


@pytest.fixture(scope='module')
def clips():
    return make_clips(num_videos=4, clips_per_video=4, num_frames=16, seed=3)


@pytest.fixture(scope='module')
def folder(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp('loaded')
    write_clips(folder / 'clips.npz', clips, 'long')
    loop.train_and_evaluate(toy.config(train__num_epochs=1), folder / 'run')
    return folder


def test_every_kind_of_clips_gives_what_mode_predict_gives(folder, clips):
    run = posevid_jax.load(folder / 'run')
    path = str(folder / 'clips.npz')
    expected = predict_clips.predict_run(toy.config(data__test=path), folder / 'run')
    for given in (path, clips, np.where(clips.mask, clips.features, np.nan)):
        probs = run.predict_proba(given)
        np.testing.assert_allclose(probs, expected, atol=1e-6)
        np.testing.assert_array_equal(run.predict(given), probs[:, 1] >= run.threshold)
    assert run.class_names == ('no_smoke', 'smoke')
    assert run.feature_names == clips.feature_names


@pytest.mark.parametrize('shape', [(4, 16, 3), (4, 16), (0, 16, 30)])
def test_an_array_of_another_shape_is_refused(folder, shape):
    with pytest.raises(InputError, match=r'found an array .*, expected \[N, T, 30\]'):
        posevid_jax.load(folder / 'run').predict_proba(np.zeros(shape))


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'config\.json: not found'):
        posevid_jax.load(tmp_path)


def test_the_import_alone_loads_no_jax():
    code = "import posevid_jax, sys; sys.exit('jax' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
