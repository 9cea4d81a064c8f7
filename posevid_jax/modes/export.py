"""Mode export: a run as a folder that runs with jax alone, on CPU and NVIDIA GPUs."""

import pathlib
import shutil
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import jax
import numpy as np
from jax import export
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.errors import InputError
from posevid_jax.inference.nan_inputs import MASKS, nan_function
from posevid_jax.inference.restore import restore
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.machine.parallel import Parallel
from posevid_jax.runs.files import write_json

PLATFORMS = ('cpu', 'cuda')
_CHECKED_CLIPS = 7
_LARGEST_DIFFERENCE = 1e-4  # of a probability; rounding stays far below
# What a person must know about each input.
_MEANING = {
    'features': 'in the order of feature_names; NaN = missing',
    'skeleton': 'x, y, z, visibility in the order of joint_names, shares of the picture; '
    'NaN = missing',
    'context_skeleton': 'the frames before the clip, then as many after it, as skeleton',
    'fps': 'frames per second',
    'aspect': 'width / height of the picture',
    'video_mean': 'mean of each feature over the whole video',
    'video_std': 'deviation of each feature over the whole video',
}


def export_run(config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best') -> pathlib.Path:
    """Writes `workdir/export`: `model.jax`, `metadata.json` and `example.py`.

    The model is StableHLO as jax.export serialises it: parameters, scaler, features and
    probabilities inside, for any number of clips of the length that the run was trained on. What
    was written is read back and compared with the run on random clips before it appears.

    Args:
      config: the run's.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Returns:
      the folder.

    Raises:
      InputError: the run cannot be read, or the exported program does not agree with it.
    """
    run = restore(config, workdir, checkpoint)
    function, inputs = nan_function(run)
    names = list(inputs)
    exported = export.export(jax.jit(function), platforms=PLATFORMS)(_any_batch(inputs))
    folder = workdir / 'export'
    with atomic_folder(folder, replace=True) as unfinished:
        (unfinished / 'model.jax').write_bytes(exported.serialize())
        difference = _difference(unfinished / 'model.jax', run, names)
        write_json(
            unfinished / 'metadata.json', _metadata(run, inputs) | {'difference': difference}
        )
        shutil.copy(
            pathlib.Path(__file__).with_name('export_example.py'), unfinished / 'example.py'
        )
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(
        f'{folder}: {", ".join(names)} to probabilities of {", ".join(run.inputs["class_names"])}, '
        f'{size:.1f} MB, for {" and ".join(PLATFORMS)}; differs from the run by {difference:.1e}'
    )
    return folder


def _any_batch(inputs: Mapping[str, np.ndarray]) -> dict[str, jax.ShapeDtypeStruct]:
    (batch,) = export.symbolic_shape('batch')
    return {
        name: jax.ShapeDtypeStruct((batch, *value.shape[1:]), value.dtype)
        for name, value in inputs.items()
    }


def _difference(path: pathlib.Path, run: TrainedRun, names: list[str]) -> float:
    """The largest difference of a probability between the file and the run, on random clips.

    Raises:
      InputError: it is more than rounding.
    """
    clips = _random_clips(run)
    arrays = run.arrays(clips)
    for mask, name in MASKS.items():
        if name in names:
            seen = np.asarray(arrays[mask][:])
            seen = seen if name == 'features' else seen[..., None]
            arrays[name] = np.where(seen, arrays[name], np.float32(np.nan))
    exported = export.deserialize(bytearray(path.read_bytes()))
    probs = np.asarray(exported.call({name: arrays[name] for name in names}))
    expected = run.predictor(Parallel('jit'))(clips)
    difference = float(np.abs(probs - expected).max())
    if not difference <= _LARGEST_DIFFERENCE:
        raise InputError(
            f'{run.workdir}: the exported program differs from the run by {difference:.2g}, '
            f'expected at most {_LARGEST_DIFFERENCE:g}'
        )
    return difference


def _random_clips(run: TrainedRun) -> Clips:
    inputs, rng = run.inputs, np.random.default_rng(0)
    shape = (_CHECKED_CLIPS, inputs['num_frames'])
    features = rng.normal(size=(*shape, len(inputs['feature_names'])))
    features[rng.random(features.shape) < 0.2] = np.nan
    joints = len(inputs['joint_names'])
    skeleton = rng.random((*shape, joints, 4))
    skeleton[rng.random(skeleton.shape[:3]) < 0.1] = np.nan
    around = rng.random((_CHECKED_CLIPS, 2 * run.context, joints, 4))
    clips = from_arrays(
        source='random',
        features=features,
        label=None,
        fps=rng.uniform(20, 40, _CHECKED_CLIPS),
        aspect=rng.uniform(0.5, 2, _CHECKED_CLIPS),
        skeleton=skeleton if joints else None,
        context_skeleton=around if around.size else None,
        feature_names=inputs['feature_names'],
        joint_names=inputs['joint_names'],
    )
    return run.conform(clips, 'random')


def _metadata(run: TrainedRun, inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    about = run.inputs
    return {
        'inputs': {
            name: {
                'shape': ['batch', *value.shape[1:]],
                'dtype': str(value.dtype),
                'meaning': _MEANING[name],
            }
            for name, value in inputs.items()
        },
        'output': {
            'shape': ['batch', len(about['class_names'])],
            'dtype': 'float32',
            'meaning': 'probability of each class of class_names',
        },
        'class_names': about['class_names'],
        'feature_names': about['feature_names'] if 'features' in inputs else [],
        'joint_names': about['joint_names'] if 'skeleton' in inputs else [],
        'threshold': run.threshold,
        'step': run.step,
        'platforms': list(PLATFORMS),
        'versions': {name: metadata.version(name) for name in ('jax', 'jaxlib', 'posevid-jax')},
    }
