"""Weights of other networks: what is adapted, what is refused, and that nothing is unpickled."""

import pickle

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from posevid_jax.errors import InputError
from posevid_jax.models import torch_import
from posevid_jax.models.video_swin import VideoSwin
from tests import toy
from tests.models.test_parity import FOLDER, group

WINDOW = (4, 3, 3)
SIZES = {'embed_dim': 12, 'depths': (2, 2), 'num_heads': (2, 4)}


@pytest.fixture
def state():
    return group(np.load(FOLDER / 'official_shift_pad.npz'), 'state/')


def fresh(channels=3, **options):
    """Parameters of a new network, all of them 7."""
    model = VideoSwin(**({'num_outputs': 5, 'window_size': WINDOW} | SIZES | options))
    x = np.zeros((1, 8, 8, 8, channels), np.float32)
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), toy.cells(x), train=False))[
        'params'
    ]
    return jax.tree.map(lambda leaf: np.full(leaf.shape, 7, np.float32), shapes)


def imported(state, params, window=WINDOW, **options):
    options = {'patch': (2, 2, 2), 'window': window, 'source_window': WINDOW} | options
    return torch_import.import_weights(state, params, **options)


def test_every_kind_of_file_gives_the_same_arrays(tmp_path, state):
    state = {name: np.ascontiguousarray(value) for name, value in state.items()}
    np.savez(tmp_path / 'w.npz', **state)
    save_file(state, tmp_path / 'w.safetensors')
    for name in ('w.npz', 'w.safetensors'):
        found = torch_import.read_state_dict(tmp_path / name)
        assert found.keys() == state.keys()
        for key in state:
            np.testing.assert_array_equal(found[key], state[key])


@pytest.mark.parametrize(
    'name', ['none.npz', 'text.safetensors', 'text.npz', 'weights.bin', 'pickle.npz']
)
def test_what_holds_no_weights_is_named(tmp_path, name):
    for bad in ('text.safetensors', 'text.npz', 'weights.bin'):
        (tmp_path / bad).write_text('no weights')
    (tmp_path / 'pickle.npz').write_bytes(pickle.dumps({'a': 1}))
    with pytest.raises(InputError, match=name):
        torch_import.read_state_dict(tmp_path / name)


def test_torch_files_are_read_or_the_missing_package_is_named(tmp_path, state):
    path = tmp_path / 'w.pth'
    try:
        import torch
    except ModuleNotFoundError:
        path.write_bytes(b'')
        with pytest.raises(InputError, match=r'pip install torch'):
            torch_import.read_state_dict(path)
        return
    torch.save({'state_dict': {k: torch.from_numpy(v) for k, v in state.items()}}, path)
    found = torch_import.read_state_dict(path)
    np.testing.assert_array_equal(found['cls_head.fc_cls.bias'], state['cls_head.fc_cls.bias'])
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(InputError, match=r'w\.pth'):
        torch_import.read_state_dict(path)


def test_another_number_of_classes_keeps_the_fresh_head(state):
    params, notes = imported(state, fresh(num_outputs=1))
    assert np.all(params['head']['kernel'] == 7) and len(notes) == 2
    assert not np.any(params['norm']['scale'] == 7)


def test_another_number_of_channels_keeps_the_answer_to_equal_channels(state):
    params, notes = imported(state, fresh(channels=5))
    kernel = params['patch_embed']['kernel'].reshape(8, 5, 12)
    source = state['backbone.patch_embed.proj.weight'].transpose(2, 3, 4, 1, 0).reshape(8, 3, 12)
    np.testing.assert_allclose(kernel.sum(1), source.sum(1), rtol=1e-5, atol=1e-6)
    assert len(notes) == 1 and '3 channels became 5' in notes[0]


@pytest.mark.parametrize('patch', [(2, 3, 4), (2, 2, 1), (4, 2, 2)])
def test_a_patch_of_another_size_is_refused_even_with_as_many_numbers(state, patch):
    """(2, 3, 4) of 1 channel has the 24 inputs of (2, 2, 2) with 3."""
    channels = 24 // np.prod(patch) or 1
    with pytest.raises(
        InputError, match=r'patch_embed.kernel: found .* of model.video_swin.patch_size'
    ):
        imported(state, fresh(channels=channels, patch_size=patch), patch=patch)


def test_bias_tables_are_interpolated_between_their_ends(state):
    window = (4, 5, 2)
    params, notes = imported(state, fresh(window_size=window), window=window)
    name = 'backbone.layers.0.blocks.0.attn.relative_position_bias_table'
    source = state[name].reshape(7, 5, 5, 2)
    found = params['stage0_block0']['attn']['bias_table'].reshape(7, 9, 3, 2)
    np.testing.assert_allclose(found[:, ::2], source[:, :, ::2], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        found[:, 1::2],
        (source[:, 1:, ::2] + source[:, :-1, ::2]) / 2,
        rtol=1e-5,
        atol=1e-6,
    )
    assert len(notes) == 4


def test_a_2d_network_is_inflated_over_time(state):
    flat = dict(state)
    patch = 'backbone.patch_embed.proj.weight'
    flat[patch] = state[patch][:, :, 0]
    for key in state:
        if key.endswith('bias_table'):
            flat[key] = state[key].reshape(7, 25, -1)[3]
    params, _ = imported(flat, fresh())
    kernel = params['patch_embed']['kernel'].reshape(2, 2, 2, 3, 12)
    np.testing.assert_array_equal(kernel[0], kernel[1])
    np.testing.assert_allclose(kernel.sum(0), flat[patch].transpose(2, 3, 1, 0), rtol=1e-6)
    table = params['stage1_block1']['attn']['bias_table'].reshape(7, 25, -1)
    for rows in table:
        np.testing.assert_array_equal(rows, table[0])


def test_all_that_does_not_fit_is_listed_unless_allowed(state):
    broken = dict(state)
    del broken['backbone.layers.0.blocks.0.norm1.weight']
    broken['backbone.layers.0.blocks.1.mlp.fc1.bias'] = np.zeros(3, np.float32)
    broken['backbone.extra.weight'] = np.zeros(3, np.float32)
    with pytest.raises(InputError, match=r'3 tensors.*norm1.*fc1.*extra') as raised:
        imported(broken, fresh())
    assert '\n' not in str(raised.value)
    params, notes = imported(broken, fresh(), allow=(r'stage0_block.\.(norm1|mlp)', 'extra'))
    assert len(notes) == 3
    assert np.all(params['stage0_block0']['norm1']['scale'] == 7)
    assert not np.any(params['stage0_block0']['norm2']['scale'] == 7)
