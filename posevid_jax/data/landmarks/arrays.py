"""Landmarks as arrays [T, J, C]: an npy file, or an npz file with `skeleton` or `joints`."""

import io
import pathlib
import tokenize
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError

FORMAT = 'array'
_AXES = {2: 'xy', 4: 'xyzv'}  # three numbers are x, y and either depth or visibility


def recognises(content: bytes) -> bool:
    return content.startswith((b'\x93NUMPY', b'PK\x03\x04'))


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """The array in an npy or npz file.

    An npz file may say `joint_names`, `fps` and `video_size` (width, height).

    Args:
      config: `config.prepare`.

    Raises:
      InputError: no array of numbers [T, J, C], or its axes or joints are not named.
    """
    if content.startswith(b'\x93NUMPY'):
        values, known = _npy(path, content), {}
    else:
        values, known = _npz(path)
    where = f'{path}: {FORMAT}'
    if values.ndim != 3 or not values.shape[0]:
        raise InputError(f'{where}: found shape {values.shape}, expected [T, J, C]')
    names, names_from = naming.names_of(
        where, config, values.shape[1], known.get('joint_names'), known.get('joint_map', '')
    )
    axes = _axes(where, values.shape[2], config.array_axes)
    joints = np.full((*values.shape[:2], 4), np.nan)
    with np.errstate(invalid='ignore', over='ignore'):  # damaged numbers, which the gate sees to
        joints[..., ['xyzv'.index(axis) for axis in axes]] = values
    return Detections(
        where=where,
        joints=joints,
        joint_names=names,
        names_from=names_from,
        has_depth='z' in axes,
        has_visibility='v' in axes,
        fps=known.get('fps'),
        size=known.get('video_size'),
    )


def _axes(where: str, size: int, axes: str) -> str:
    """The letters of the numbers of a joint, among x, y, z, v."""
    axes = axes or _AXES.get(size, '')
    if len(axes) != size or len(set(axes)) != size or not {'x', 'y'} <= set(axes) <= set('xyzv'):
        raise InputError(
            f'{where}: found {size} numbers a joint, expected their letters among x, y, z, v in '
            'prepare.array_axes'
        )
    return axes


def _npy(path: pathlib.Path, content: bytes) -> np.ndarray:
    try:
        joints = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, MemoryError, SyntaxError, tokenize.TokenError) as error:
        what = 'an object array, which is never unpickled' if 'pickle' in str(error) else 'damaged'
        raise InputError(f'{path}: {FORMAT}: found {what}, expected numbers') from None
    if joints.dtype.kind not in 'fiu':
        raise InputError(f'{path}: {FORMAT}: found dtype {joints.dtype}, expected numbers')
    return joints


def _npz(path: pathlib.Path) -> tuple[np.ndarray, dict[str, Any]]:
    """The array, and what else the file says."""
    with NpzFile(path) as file:
        key = next((key for key in ('skeleton', 'joints') if key in file), None)
        if key is None:
            if len(file.keys()) != 1:
                file.fail('skeleton', f'not found, the keys are {", ".join(file.keys())}')
            key = file.keys()[0]
        known = {}
        if 'joint_names' in file:
            known['joint_names'] = file.texts('joint_names')
        if 'fps' in file:
            known['fps'] = float(file.numbers('fps'))
        if 'video_size' in file:
            known['video_size'] = tuple(file.numbers('video_size', 2).tolist())
        return file.numbers(key, None, None, None), known
