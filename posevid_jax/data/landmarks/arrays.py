"""Landmarks as arrays [T, J, C]: an npy file, or an npz file with `skeleton` or `joints`."""

import io
import pathlib
import tokenize
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.joints import JOINT_MAPS, joint_map
from posevid_jax.data.landmarks import recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError

FORMAT = 'array'
_AXES = {2: 'xy', 4: 'xyzv'}  # three numbers are x, y and either depth or visibility


def recognises(content: bytes) -> bool:
    return content.startswith((b'\x93NUMPY', b'PK\x03\x04'))


def read(path: pathlib.Path, content: bytes, name: str, config: ConfigDict) -> Recording:
    """The recording in an npy or npz file.

    An npz file may say `joint_names`, `fps` and `video_size` (width, height); what it does not say
    is in the configuration. Depth is 0 and visibility 1 where the array has none.

    Args:
      config: `config.prepare`.

    Raises:
      InputError: no array of numbers [T, J, C], or its axes or joints are not named.
    """
    if content.startswith(b'\x93NUMPY'):
        joints, known = _npy(path, content), {}
    else:
        joints, known = _npz(path)
    names = joint_map(config.joint_map, config.joint_names) or known.get('joint_names')
    if names is None:
        raise InputError(
            f'{path}: {FORMAT}: joint names: not in the file, expected a map in prepare.joint_map '
            f'({", ".join(JOINT_MAPS)}) or names in prepare.joint_names'
        )
    if joints.ndim != 3 or not joints.shape[0] or joints.shape[1] != len(names):
        raise InputError(
            f'{path}: {FORMAT}: found shape {joints.shape}, expected [T, {len(names)}, C]'
        )
    filled = recording.blank(path, joints.shape[0], joints.shape[1], config)
    filled[...] = (np.nan, np.nan, 0, 1)
    filled[..., _channels(path, joints.shape[2], config.array_axes)] = recording.single(joints)
    filled[np.isnan(filled).any(-1)] = np.nan
    fps = recording.rate(path, known.get('fps'), config)
    width, height = recording.picture(path, known.get('video_size'), config)
    try:
        return Recording(
            name=name,
            joints=recording.to_shares(filled, width, height),
            joint_names=tuple(names),
            fps=fps,
            width=width,
            height=height,
            time=np.arange(len(joints)) / fps,
        )
    except InputError as error:
        raise InputError(f'{path}: {FORMAT}: {error}') from None


def _channels(path: pathlib.Path, size: int, axes: str) -> list[int]:
    """Where each number of a joint belongs in x, y, z, visibility."""
    axes = axes or _AXES.get(size, '')
    if len(axes) != size or len(set(axes)) != size or not {'x', 'y'} <= set(axes) <= set('xyzv'):
        raise InputError(
            f'{path}: {FORMAT}: found {size} numbers a joint, expected their letters among x, y, '
            'z, v in prepare.array_axes'
        )
    return ['xyzv'.index(letter) for letter in axes]


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
