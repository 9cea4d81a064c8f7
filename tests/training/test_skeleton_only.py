"""Archives that hold a skeleton and no features, as mode prepare writes them."""

import dataclasses
import json

import numpy as np
import pytest

from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.models import video_swin
from posevid_jax.modes import eval
from posevid_jax.training import loop
from tests import toy


@pytest.fixture
def archive(tmp_path):
    clips = make_clips(num_videos=6, clips_per_video=8, num_frames=8, seed=0)
    nothing = np.zeros((*clips.features.shape[:2], 0), np.float32)
    path = tmp_path / 'clips.npz'
    bare = dataclasses.replace(clips, features=nothing, mask=nothing.astype(bool), feature_names=())
    write_clips(path, bare, 'long')
    return str(path)


def test_video_swin_trains_and_evaluates(archive, tmp_path, monkeypatch):
    size = dict(embed_dim=8, depths=(1, 1), num_heads=(1, 2))
    monkeypatch.setitem(video_swin.SIZES, 'toy', size)
    config = toy.config(
        'video_swin',
        parallel='jit',
        model__size='toy',
        features__layout='skeleton',
        data__train=archive,
        train__num_epochs=1,
    )
    trained = loop.train_and_evaluate(config, tmp_path / 'run')
    evaluated = eval.evaluate_run(config, tmp_path / 'run')
    assert evaluated.loss == pytest.approx(trained.loss, rel=1e-5)


def test_stat_pool_trains_and_evaluates(archive, tmp_path):
    options = {'zscore': 'per_video', 'pooled_scaler': 'robust', 'context': 6, 'summary__on': True}
    config = toy.config(
        parallel='jit',
        features__source='body',
        **{f'features__{key}': value for key, value in options.items()},
        data__train=archive,
        train__num_epochs=1,
    )
    trained = loop.train_and_evaluate(config, tmp_path / 'run')
    evaluated = eval.evaluate_run(config, tmp_path / 'run')
    assert evaluated.loss == pytest.approx(trained.loss, rel=1e-5)


def test_a_network_of_features_reads_those_of_the_whole_body(archive, tmp_path, capsys):
    config = toy.config(
        parallel='jit', data__train=archive, train__num_epochs=1, features__depth='off'
    )
    loop.train_and_evaluate(config, tmp_path / 'run')
    assert "no features: features.source='pose'" in capsys.readouterr().out
    scaler = json.loads((tmp_path / 'run' / 'scaler.json').read_text())
    assert 'place_nose_x' in scaler['scaled_names']
