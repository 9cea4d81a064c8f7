"""Reads an npz archive of many clips into the arguments of `from_arrays`."""

import pathlib
from typing import Any

import numpy as np

from posevid_jax.data import left_out
from posevid_jax.data.joints import mediapipe_names
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError

_KEYS = (
    'raw', 'norm', 'mask', 'label', 'skeleton', 'video_id', 'group_id', 'start_frame', 'end_frame',
    'fps', 'video_size', 'weight', 'frame_label', 'context_skeleton',
)  # fmt: skip


def read_columns(
    path: pathlib.Path, prefix: str, *, labelled: bool, on_error: str, max_bytes: int
) -> dict[str, Any]:
    """The arguments of `from_arrays` that an archive holds.

    Args:
      path: the archive.
      prefix: what the names of its columns begin with.
      labelled: whether labels are required; False accepts an archive without them too.
      on_error: `raise`, or `skip` to leave bad clips out, with a line each in `warnings`.
      max_bytes: the most that it may expand to, see `Budget`.

    Raises:
      InputError: one line with the file, the key, what was found and what was expected.
    """
    with NpzFile(path, max_bytes) as file:
        columns = _columns(file, {name: f'{prefix}_{name}' for name in _KEYS}, labelled)
    num_clips = len(columns['features'])
    columns, lines = left_out.without_bad_rows(
        columns, lambda row, fault: f'{path}: {prefix}_{fault} (clip {row})', on_error
    )
    return columns | {'warnings': left_out.report(str(path), lines, num_clips)}


def _columns(file: NpzFile, key: dict[str, str], labelled: bool) -> dict[str, Any]:
    """The columns as they are stored, in the right shapes; `key` maps each to its full name."""
    label = None
    if labelled or key['label'] in file:
        label = file.numbers(key['label'], None)
    n = None if label is None else len(label)
    columns: dict[str, Any] = {'label': label} | names(file)
    for name in ('skeleton', 'context_skeleton'):
        if key[name] in file:
            columns[name] = not_empty(file, key[name], n, None, None, 4)
    if key['raw'] in file or key['norm'] in file:
        values = key['raw'] if key['raw'] in file else key['norm']
        columns |= _features(file, values, key['mask'], n, columns['feature_names'])
    elif 'skeleton' not in columns:
        file.fail(key['raw'], f'not found, and neither are {key["norm"]} and {key["skeleton"]}')
    else:
        columns['features'] = np.zeros((*columns['skeleton'].shape[:2], 0), np.float32)
    n = len(columns['features'])
    for name in ('video_id', 'group_id'):
        if key[name] in file:
            columns[name] = file.texts(key[name], n)
    for name in ('start_frame', 'end_frame', 'fps', 'weight'):
        if key[name] in file:
            columns[name] = file.numbers(key[name], n)
    if key['video_size'] in file:
        columns['aspect'] = aspect(file.numbers(key['video_size'], n, 2))
    if key['frame_label'] in file:
        columns['frame_label'] = file.numbers(key['frame_label'], n, None)
    return columns


def _features(
    file: NpzFile, key: str, mask_key: str, n: int | None, names: list[str] | None
) -> dict[str, np.ndarray | None]:
    features = not_empty(file, key, n, None, None)  # [N, T, F] or [N, F, T]
    mask = file.numbers(mask_key, *features.shape) if mask_key in file else None
    if names is not None and features.shape[2] != len(names):
        if features.shape[1] != len(names):
            file.fail(
                key, f'found shape {features.shape}, expected {len(names)} features (feature_list)'
            )
        features = features.swapaxes(1, 2)  # [N, F, T] -> [N, T, F]
        mask = None if mask is None else mask.swapaxes(1, 2)
    return {'features': features, 'mask': mask}


def not_empty(file: NpzFile, key: str, *shape: int | None) -> np.ndarray:
    """`file.numbers` with at least one number."""
    array = file.numbers(key, *shape)
    if not array.size:
        # Its other sizes may be anything: they cost no byte.
        file.fail(key, f'found shape {array.shape}, which holds nothing')
    return array


def names(file: NpzFile) -> dict[str, list[str] | None]:
    """The names of features, joints and classes; None where the file has none."""
    joint_names = file.texts('joint_names') if 'joint_names' in file else None
    if joint_names is None and 'landmark_ids' in file:
        ids = file.integers('landmark_ids', None)
        try:
            joint_names = list(mediapipe_names(ids.tolist()))
        except InputError as error:
            raise InputError(f'{file.path}: {error}') from None
    return {
        'feature_names': file.texts('feature_list') if 'feature_list' in file else None,
        'joint_names': joint_names,
        'class_names': file.texts('class_names') if 'class_names' in file else None,
    }


def aspect(video_size: np.ndarray) -> np.ndarray:
    """Width / height of [..., 2]; NaN where either is not known."""
    width, height = np.moveaxis(video_size.astype(np.float64), -1, 0)
    known = (width > 0) & (height > 0) & np.isfinite(width) & np.isfinite(height)
    return np.divide(width, height, out=np.full(width.shape, np.nan), where=known)
