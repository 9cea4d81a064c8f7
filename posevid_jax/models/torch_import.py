"""Weights of PyTorch networks for our Video Swin: published, 2D, or the earlier pose system's.

A state dict is read without running any of its code, its names and layouts are translated, and what
differs by intent is adapted:

    head             another number of classes keeps our fresh head
    patch embedding  another number of channels spreads the mean over the channels; a 2D kernel is
                     repeated over time and divided by the repeats (I3D, Carreira & Zisserman 2017)
    bias tables      another window is interpolated; a 2D table is repeated over time (Video Swin,
                     Liu et al. 2022, section 3.3)

Everything else must fit exactly: what does not is listed.
"""

import math
import pathlib
import re
from collections.abc import Collection
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError
from posevid_jax.models.windows import Size, table_shape

StateDict = dict[str, np.ndarray]

# Computed from the sizes in our network.
_BUFFERS = ('relative_position_index', 'attn_mask')
# Where checkpoints differ from each other, to where they differ from us.
_RENAMES = (
    (r'^(module\.)?(backbone\.)?', ''),
    (r'^(cls_head\.fc_cls|head\.fc)\.', 'head.'),
    (r'^patch_embed\.proj\.', 'patch_embed.'),
    (r'^patch_embed\.norm\.', 'patch_norm.'),
    (r'^(?:layers|stages)\.(\d+)\.blocks\.(\d+)\.', r'stage\1_block\2.'),
    (r'^(?:layers|stages)\.(\d+)\.(?:downsample|down)\.', r'merge\1.'),
    (r'(?:rel_pos\.)?relative_position_bias_table$', 'bias_table'),
)


def read_state_dict(path: str | pathlib.Path) -> StateDict:
    """Arrays by PyTorch name from .safetensors, .npz, or, where torch is installed, .pth or .pt.

    Raises:
      InputError: missing, damaged or of another kind; never unpickled.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f'{path}: not found, expected .safetensors, .npz, .pth or .pt')
    if path.suffix == '.npz':
        with NpzFile(path) as file:
            return {key: file.read(key) for key in sorted(file.keys())}
    if path.suffix == '.safetensors':
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise InputError(f'{path}: not a safetensors file, or damaged ({error})') from None
    if path.suffix in ('.pth', '.pt'):
        return _read_torch(path)
    raise InputError(
        f'{path}: found {path.suffix or "no ending"}, expected .safetensors, .npz, .pth or .pt'
    )


def import_weights(
    state: StateDict,
    params: dict[str, Any],
    *,
    patch: Size,
    window: Size,
    source_window: Size,
    allow: Collection[str] = (),
) -> tuple[dict[str, Any], list[str]]:
    """Puts the weights of a state dict in the place of fresh parameters.

    Args:
      state: from `read_state_dict`.
      params: fresh parameters of a VideoSwin.
      patch, window: its `patch_size` and `window_size`.
      source_window: window (t, h, w) that the bias tables of `state` describe; t is not read for
        those of a 2D network.
      allow: patterns (regular expressions, matched at the start of our names or theirs) of tensors
        that may be missing, left over or of another shape; ours then stay as they are.

    Returns:
      the parameters, and a line for each tensor that was adapted or left as it was.

    Raises:
      InputError: names every tensor that does not match and is not allowed.
    """
    ours: dict[str, Any] = {'.'.join(path): leaf for path, leaf in flatten_dict(params).items()}
    theirs = {
        _our_name(name): value for name, value in state.items() if not name.endswith(_BUFFERS)
    }
    imported, notes, problems = {}, [], []
    for name, fresh in ours.items():
        found = theirs.pop(name, None)
        if found is None:
            what = f'{name}: not in the file, expected {fresh.shape}'
        else:
            value, note = _adapt(name, found, fresh.shape, patch, window, source_window)
            if value is not None and value.shape == fresh.shape:
                imported[name] = value.astype(np.float32)
                if note:
                    notes.append(f'{name}: {note}')
                continue
            what = f'{name}: found {found.shape}, which does not become {fresh.shape}'
            if name == 'patch_embed.kernel':
                what += f' of model.video_swin.patch_size {tuple(patch)}'
        imported[name] = fresh
        # A task of its own wants a head of its own.
        fresh_head = name.startswith(('head.', 'frame_head.'))
        (notes if fresh_head or _matches(name, allow) else problems).append(what)
    for name, value in theirs.items():
        what = f'{name}: {value.shape} in the file, no place for it'
        (notes if _matches(name, allow) else problems).append(what)
    if problems:
        raise InputError(
            f'model.pretrained: {len(problems)} tensors do not fit: {"; ".join(problems)}'
        )
    return unflatten_dict({tuple(name.split('.')): v for name, v in imported.items()}), notes


def _our_name(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    if name.endswith('.weight'):
        is_norm = re.search(r'norm\d?\.weight$', name)
        name = name.removesuffix('weight') + ('scale' if is_norm else 'kernel')
    return name


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(re.match(pattern, name) for pattern in patterns)


def _adapt(
    name: str,
    value: np.ndarray,
    shape: tuple[int, ...],
    patch: Size,
    window: Size,
    source_window: Size,
) -> tuple[np.ndarray | None, str]:
    """A tensor in our layout, and what was done to it beyond that; None when nothing can be."""
    if name == 'patch_embed.kernel':
        return _patch_kernel(value, shape[0], patch)
    if name == 'pos_bias':
        return value.reshape(-1), ''
    if name.endswith('bias_table'):
        return _bias_table(value, window, source_window)
    if name.endswith('kernel') and value.ndim == 2:
        return value.T, ''
    return value, ''


def _patch_kernel(value: np.ndarray, inputs: int, patch: Size) -> tuple[np.ndarray | None, str]:
    """[E, C, (t,) h, w] of the same patch to [t h w C, E]."""
    notes = []
    if value.ndim == 4:
        value = np.repeat(value[:, :, None], patch[0], axis=2) / patch[0]
        notes.append(f'2D kernel inflated over {patch[0]} frames')
    if value.shape[2:] != tuple(patch):  # the numbers of inputs may be equal all the same
        return None, ''
    channels, wanted = value.shape[1], inputs // math.prod(patch)
    if wanted != channels:
        mean = value.mean(axis=1, keepdims=True)
        value = np.repeat(mean, wanted, axis=1) * (channels / wanted)
        notes.append(f'{channels} channels became {wanted}')
    return value.transpose(2, 3, 4, 1, 0).reshape(inputs, -1), ', '.join(notes)


def _bias_table(
    value: np.ndarray, window: Size, source_window: Size
) -> tuple[np.ndarray | None, str]:
    """[offsets, heads] of one window to another."""
    full, flat = table_shape(source_window), table_shape(source_window)[1:]
    wanted = table_shape(window)
    heads = value.shape[1]
    if len(value) == np.prod(full):
        if full == wanted:
            return value, ''
        grid, note = value.reshape(*full, heads), f'window {source_window} became {tuple(window)}'
    elif len(value) == np.prod(flat):
        grid = np.repeat(value.reshape(1, *flat, heads), wanted[0], axis=0)
        note = f'2D window {source_window[1:]} became {tuple(window)}'
    else:
        return None, ''
    for axis, size in enumerate(wanted):
        grid = _stretch(grid, axis, size)
    return grid.reshape(-1, heads), note


def _stretch(grid: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Linear interpolation along an axis; its ends stay its ends."""
    if grid.shape[axis] == size:
        return grid
    place = np.linspace(0, grid.shape[axis] - 1, size)
    lower = np.minimum(place.astype(int), max(grid.shape[axis] - 2, 0))
    upper = np.minimum(lower + 1, grid.shape[axis] - 1)
    share = np.expand_dims(place - lower, tuple(a for a in range(grid.ndim) if a != axis))
    return np.take(grid, lower, axis) * (1 - share) + np.take(grid, upper, axis) * share


def _read_torch(path: pathlib.Path) -> StateDict:
    try:
        import torch
    except ModuleNotFoundError:
        raise InputError(
            f'{path}: reading it needs torch (pip install torch); or save it as .safetensors'
        ) from None
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        reason = str(error).strip().splitlines()[0]
        raise InputError(f'{path}: not a plain state dict, or damaged ({reason})') from None
    for key in ('state_dict', 'model'):
        content = content.get(key, content)
    return {name: tensor.float().numpy() for name, tensor in content.items()}
