"""Mode export: the folder against the run, in a process that cannot import this package."""

import json
import subprocess
import sys

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.inference.predictor import Predictor
from posevid_jax.models import video_swin
from posevid_jax.modes import export
from posevid_jax.training import loop
from tests import toy

# Any import of the package, or of what a trained model needs beyond jax, is an error.
ALONE = """
import sys
for name in ('posevid_jax', 'flax', 'orbax', 'ml_collections', 'grain', 'absl'):
    sys.modules[name] = None
import json, numpy as np, pathlib
from jax import export
folder = pathlib.Path(sys.argv[1])
model = export.deserialize(bytearray((folder / 'model.jax').read_bytes()))
with np.load(sys.argv[2]) as clips:
    np.save(sys.argv[3], model.call(dict(clips)))
"""
KINDS = {
    'per video': dict(features__pack='light', features__zscore='per_video'),
    'members': dict(
        data__synthetic__classes=('smoke', 'drink'),
        train__loss='ce',
        train__num_seeds=2,
        features__zscore='per_clip',
    ),
    'body': dict(
        features__source='body',
        features__context=2,
        features__scaler='rank',
        features__pooled_scaler='rank',
    ),
    'video_swin': dict(model__name='video_swin', model__size='toy', features__layout='skeleton'),
}


@pytest.mark.parametrize('kind', KINDS)
def test_the_folder_alone_gives_the_probabilities_of_the_run(kind, tmp_path, monkeypatch):
    size = dict(embed_dim=8, depths=(1, 1), num_heads=(1, 2))
    monkeypatch.setitem(video_swin.SIZES, 'toy', size)
    config = toy.config(
        parallel='jit', train__num_epochs=1, data__synthetic__num_frames=8, **KINDS[kind]
    )
    loop.train_and_evaluate(config, tmp_path / 'run')
    folder = export.export_run(config, tmp_path / 'run')
    about = json.loads((folder / 'metadata.json').read_text())
    rng = np.random.default_rng(1)
    inputs = {
        name: rng.random((5, *of['shape'][1:]), np.float32) for name, of in about['inputs'].items()
    }
    run = Predictor(tmp_path / 'run')
    clips = dict(features=np.zeros((5, 8, 0)), label=None, fps=inputs.get('fps'))
    if 'features' in inputs:
        inputs['features'][rng.random((5, 8)) < 0.3] = np.nan
        clips |= dict(features=inputs['features'], feature_names=run.feature_names)
    if 'skeleton' in inputs:
        inputs['skeleton'][rng.random((5, 8, len(run.joint_names))) < 0.3] = np.nan
        clips |= dict(skeleton=inputs['skeleton'], joint_names=run.joint_names)
        clips |= dict(aspect=inputs['aspect'], context_skeleton=inputs.get('context_skeleton'))
    if kind == 'per video':  # a clip is a video of its own
        inputs['video_mean'] = np.nanmean(inputs['features'], 1)
        inputs['video_std'] = np.nanstd(inputs['features'], 1)
    np.savez(tmp_path / 'clips.npz', **inputs)
    files = [folder, tmp_path / 'clips.npz', tmp_path / 'probs.npy']
    subprocess.run([sys.executable, '-c', ALONE, *map(str, files)], cwd=tmp_path, check=True)
    expected = run.predict_proba(from_arrays(source='clips', **clips))
    np.testing.assert_allclose(np.load(tmp_path / 'probs.npy'), expected, atol=2e-5)
    assert set(about['platforms']) == {'cpu', 'cuda'}
    assert about['difference'] < 1e-5
    if kind == 'body':
        example = [sys.executable, str(folder / 'example.py')]
        done = subprocess.run(example, capture_output=True, text=True, cwd=tmp_path)
        assert done.stdout.startswith("['no_smoke', 'smoke'] [["), done.stderr
