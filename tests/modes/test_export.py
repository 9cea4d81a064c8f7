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
from tests import toy
from tests.untrained import write_run

# Any import of the package, or of what a trained model needs beyond jax, is an error.
ALONE = """
import sys
for name in ('posevid_jax', 'flax', 'orbax', 'ml_collections', 'grain', 'absl'):
    sys.modules[name] = None
import json, numpy as np, pathlib
from jax import export
for folder in map(pathlib.Path, sys.argv[1:]):
    model = export.deserialize(bytearray((folder / 'run/export/model.jax').read_bytes()))
    with np.load(folder / 'inputs.npz') as clips:
        np.save(folder / 'probs.npy', model.call(dict(clips)))
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


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """For each kind: a run, its export, random inputs, and what the export makes of them."""
    folder = tmp_path_factory.mktemp('exported')
    size = dict(embed_dim=8, depths=(1, 1), num_heads=(1, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(video_swin.SIZES, 'toy', size)
        for kind, settings in KINDS.items():
            config = toy.config(parallel='jit', data__synthetic__num_frames=8, **settings)
            write_run(folder / kind / 'run', config)
            export.export_run(config, folder / kind / 'run')
            np.savez(folder / kind / 'inputs.npz', **random_inputs(folder / kind / 'run', kind))
        folders = [str(folder / kind) for kind in KINDS]
        subprocess.run([sys.executable, '-c', ALONE, *folders], cwd=folder, check=True)
        yield folder


def about(run):
    return json.loads((run / 'export/metadata.json').read_text())


def random_inputs(run, kind):
    """Five clips with gaps, for the exported program."""
    rng = np.random.default_rng(1)
    shapes = {name: of['shape'][1:] for name, of in about(run)['inputs'].items()}
    inputs = {name: rng.random((5, *shape), np.float32) for name, shape in shapes.items()}
    for name in ('features', 'skeleton'):
        if name in inputs:
            inputs[name][rng.random(inputs[name].shape[: 3 if name == 'skeleton' else 2]) < 0.3] = (
                np.nan
            )
    if kind == 'per video':  # a clip is a video of its own
        inputs['video_mean'] = np.nanmean(inputs['features'], 1)
        inputs['video_std'] = np.nanstd(inputs['features'], 1)
    return inputs


@pytest.mark.parametrize('kind', KINDS)
def test_the_folder_alone_gives_the_probabilities_of_the_run(kind, folder):
    run = Predictor(folder / kind / 'run')
    with np.load(folder / kind / 'inputs.npz') as file:
        inputs = dict(file)
    clips = dict(features=np.zeros((5, 8, 0)), label=None, fps=inputs.get('fps'))
    if 'features' in inputs:
        clips |= dict(features=inputs['features'], feature_names=run.feature_names)
    if 'skeleton' in inputs:
        clips |= dict(skeleton=inputs['skeleton'], joint_names=run.joint_names)
        clips |= dict(aspect=inputs['aspect'], context_skeleton=inputs.get('context_skeleton'))
    expected = run.predict_proba(from_arrays(source='clips', **clips))
    found = np.load(folder / kind / 'probs.npy')
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert found.std(0).min() > 1e-3  # clips differ by more than that
    described = about(folder / kind / 'run')
    assert set(described['platforms']) == {'cpu', 'cuda'}
    assert described['difference'] < 1e-5


def test_the_example_runs(folder):
    example = [sys.executable, str(folder / 'body/run/export/example.py')]
    done = subprocess.run(example, capture_output=True, text=True, cwd=folder)
    assert done.stdout.startswith("['no_smoke', 'smoke'] [["), done.stderr
