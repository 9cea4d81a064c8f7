"""Video Swin against numbers of the PyTorch implementations, in float64.

`python -m tests.models.test_parity` prints the table: tensor group, largest relative error.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from posevid_jax.models import torch_import
from posevid_jax.models.video_swin import LEGACY, VideoSwin
from tests import toy

FOLDER = pathlib.Path(__file__).parent.parent / 'data' / 'parity'
NAMES = ('official_shift_pad', 'official_pose_grid', 'legacy_pose_light')


def network(name):
    """The module of a parity file, its imported parameters, its input, and the file."""
    file = np.load(FOLDER / f'{name}.npz')
    config = json.loads(str(file['config']))
    sizes = {
        'num_outputs': config['num_classes'],
        'embed_dim': config['embed_dim'],
        'depths': tuple(config['depths']),
        'num_heads': tuple(config['num_heads']),
    }
    window = tuple(config['window_size'])
    if name.startswith('legacy'):
        model = VideoSwin(**sizes, **LEGACY)
        x = file['input'].transpose(0, 1, 3, 4, 2)  # [N, T, C, H, W] -> [B, T, H, W, C]
    else:
        model = VideoSwin(**sizes, window_size=window, patch_size=tuple(config['patch_size']))
        x = file['input'].transpose(0, 2, 3, 4, 1)  # [N, C, T, H, W] -> [B, T, H, W, C]
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), toy.cells(x), train=False))[
        'params'
    ]
    fresh = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    params, notes = torch_import.import_weights(
        group(file, 'state/'),
        fresh,
        patch=model.patch_size,
        window=window,
        source_window=window,
    )
    assert not notes
    return model, params, x, file


def group(file, prefix):
    return {key.removeprefix(prefix): file[key] for key in file.files if key.startswith(prefix)}


def errors(name, dtype=jnp.float32):
    """Largest error of each tensor, relative to its largest value, computed in a dtype."""
    model, params, x, file = network(name)
    model = model.clone(dtype=dtype)

    def scored(params):
        logits, sown = model.apply(
            {'params': params}, toy.cells(x), train=False, mutable='intermediates'
        )
        return (logits * file['cotangent']).sum(), (logits, sown['intermediates']['features'][0])

    with jax.default_matmul_precision('highest'):
        (_, (logits, features)), grads = jax.jit(jax.value_and_grad(scored, has_aux=True))(params)
    if not name.startswith('legacy'):
        features = jnp.transpose(features, (0, 4, 1, 2, 3))
    # Gradients have the layout of the parameters: the import brings them over too.
    window = model.window_size
    expected, _ = torch_import.import_weights(
        group(file, 'grad/'),
        params,
        patch=model.patch_size,
        window=window,
        source_window=window,
    )
    pairs = {'logits': (logits, file['logits']), 'features': (features, file['features'])}
    expected = flatten_dict(expected, sep='.')
    if not name.startswith('legacy'):
        # The files leave out what follows from their features: the gradients of a linear head.
        pooled = file['features'].mean(axis=(2, 3, 4))
        expected['head.kernel'] = pooled.T @ file['cotangent']
        expected['head.bias'] = file['cotangent'].sum(axis=0)
    for key, value in flatten_dict(grads, sep='.').items():
        pairs[f'grad {key}'] = (value, expected[key])
    return {
        key: float(np.abs(np.asarray(a, np.float64) - b).max() / np.abs(b).max())
        for key, (a, b) in pairs.items()
    }


@pytest.mark.parametrize('name', NAMES)
def test_logits_features_and_every_gradient_match(name):
    found = errors(name)
    assert found.pop('logits') < 1e-5
    worst = max(found, key=found.get)
    assert found[worst] < 1e-4, (worst, found[worst])


if __name__ == '__main__':
    for name in NAMES:
        found = errors(name)
        for title in ('logits', 'features', 'grad patch', 'grad stage', 'grad merge', 'grad norm',
                      'grad pos', 'grad head'):  # fmt: skip
            values = [value for key, value in found.items() if key.startswith(title)]
            if values:
                print(f'{name:<22}{title:<12}{len(values):>4} tensors{max(values):>12.1e}')
