"""A folder of npz files with one clip each."""

import collections
import os
import pathlib
from typing import Any

import numpy as np

from posevid_jax.data import left_out
from posevid_jax.data.archive import aspect, names, not_empty
from posevid_jax.data.contract import UNKNOWN_FRAME, UNKNOWN_LABEL
from posevid_jax.data.files import files_below
from posevid_jax.data.npz_file import Budget, NpzFile
from posevid_jax.errors import InputError

_SAME = ('features', 'skeleton', 'feature_names', 'joint_names', 'class_names')


def read_columns(folder: pathlib.Path, *, on_error: str, max_bytes: int) -> dict[str, Any]:
    """Reads the files of a folder into the arguments of `from_arrays`.

    Args:
      folder: holds npz files, also in folders inside it.
      on_error: `raise`, or `skip` to leave bad files out, with a line each in `warnings`.
      max_bytes: the most that all files together may expand to, see `Budget`.

    Raises:
      InputError: one line with the file, the key, what was found and what was expected.
    """
    paths = files_below(folder, ['.npz'])
    if not paths:
        raise InputError(f'{folder}: found no npz files, expected one per clip')
    size = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
    budget = Budget(max_bytes, size)
    clips: dict[pathlib.Path, dict[str, Any]] = {}
    lines = []
    for path in paths:
        try:
            clips[path] = _read_clip(path, folder, budget)
        except InputError as error:
            if on_error == 'raise':
                raise
            lines.append(str(error))
    left_out.report(str(folder), lines, len(paths))  # there must be clips to go on
    lines += _leave_out_odd(clips, on_error)
    kept = list(clips)
    columns, bad = left_out.without_bad_rows(
        _stack(clips, budget), lambda row, fault: f'{kept[row]}: {fault}', on_error
    )
    return columns | {'warnings': left_out.report(str(folder), lines + bad, len(paths))}


def _leave_out_odd(clips: dict[pathlib.Path, dict[str, Any]], on_error: str) -> list[str]:
    """Drops clips that differ from most of the others in what all must share; a line for each.

    Raises:
      InputError: a clip differs, and `on_error` is `raise`.
    """
    signatures = {path: {n: _signature(clip[n]) for n in _SAME} for path, clip in clips.items()}
    seen = collections.Counter(map(repr, signatures.values()))
    usual = next(p for p in clips if repr(signatures[p]) == seen.most_common(1)[0][0])
    lines = []
    for path, signature in signatures.items():
        for name, found in signature.items():
            expected = signatures[usual][name]
            if found != expected:
                line = f'{path}: {name}: found {found}, expected {expected} as in {usual.name}'
                if on_error == 'raise':
                    raise InputError(line)
                lines.append(line)
                del clips[path]
                break
    return lines


def _stack(clips: dict[pathlib.Path, dict[str, Any]], budget: Budget) -> dict[str, Any]:
    """One array per column; clips are padded with missing frames to the longest."""
    longest = max(clips, key=lambda path: len(clips[path]['features']))
    first, frames = clips[longest], len(clips[longest]['features'])
    padded = {'features': np.nan, 'mask': False, 'frame_label': UNKNOWN_LABEL, 'skeleton': np.nan}
    if first['skeleton'] is None:
        del padded['skeleton']
    try:
        budget.spend(sum(first[name].nbytes * len(clips) for name in padded))
    except ValueError as error:
        raise InputError(
            f'{longest}: features: found {frames} frames, to which every clip is padded: {error}'
        ) from None
    columns: dict[str, Any] = {name: first[name] for name in _SAME}
    for name, filler in padded.items():
        columns[name] = np.full((len(clips), *first[name].shape), filler, first[name].dtype)
        for row, clip in zip(columns[name], clips.values(), strict=True):
            row[: len(clip[name])] = clip[name]
    for name in ('label', 'start_frame', 'end_frame', 'fps', 'weight', 'aspect'):
        columns[name] = np.array([clip[name] for clip in clips.values()], np.float64)
    for name in ('video_id', 'group_id'):
        columns[name] = [clip[name] for clip in clips.values()]
    return columns


def _read_clip(path: pathlib.Path, folder: pathlib.Path, budget: Budget) -> dict[str, Any]:
    """Reads one file; every column is present, NaN or None where the file does not have it."""
    with NpzFile(path, budget) as file:

        def number(name: str, default: float) -> float:
            if name not in file:
                return default
            value = file.read(name)
            if value.size != 1 or value.dtype.kind not in 'fiub':
                file.fail(name, f'found {value.dtype} of shape {value.shape}, expected a number')
            return float(value.item())

        skeleton = _clip_skeleton(file)
        if 'features' in file:
            features = _single(not_empty(file, 'features', None, None))  # [T, F]
        elif skeleton is not None:
            features = np.zeros((len(skeleton), 0), np.float32)
        else:
            file.fail('features', 'not found, and neither are skeleton and joints')
        frames = len(features)
        if skeleton is not None and len(skeleton) != frames:
            file.fail('features', f'found {frames} frames, expected {len(skeleton)} (skeleton)')
        if 'label' not in file:
            file.fail('label', f'not found, the keys are {", ".join(file.keys())}')
        start = number('start_frame', UNKNOWN_FRAME)
        end = UNKNOWN_FRAME if start == UNKNOWN_FRAME else start + frames - 1
        video_id = str(path.relative_to(folder).with_suffix(''))
        if 'video_id' in file:
            video_id = file.texts('video_id', 1)[0]
        return names(file) | {
            'features': features,
            'mask': _clip_mask(file, features.shape),
            'skeleton': skeleton,
            'label': number('label', 0),
            'frame_label': (
                file.numbers('frame_label', frames).astype(np.float64) if 'frame_label' in file
                else np.full(frames, UNKNOWN_LABEL, np.float64)
            ),
            'start_frame': start,
            'end_frame': number('end_frame', end),
            'fps': number('fps', np.nan),
            'weight': number('weight', 1.0),
            'aspect': aspect(file.numbers('video_size', 2)) if 'video_size' in file else np.nan,
            'video_id': video_id,
            'group_id': file.texts('group_id', 1)[0] if 'group_id' in file else video_id,
        }  # fmt: skip


def _clip_skeleton(file: NpzFile) -> np.ndarray | None:
    """[T, J, 4] from `skeleton` or `joints` [T, J, 2..4]: z is 0 and visibility 1 if not given."""
    key = next((key for key in ('skeleton', 'joints') if key in file), None)
    if key is None:
        return None
    joints = _single(not_empty(file, key, None, None, None))
    if not 2 <= joints.shape[2] <= 4:
        file.fail(key, f'found shape {joints.shape}, expected 2 to 4 numbers per joint')
    skeleton = np.zeros((*joints.shape[:2], 4), np.float32)
    skeleton[..., 3] = 1
    skeleton[..., : joints.shape[2]] = joints
    return skeleton


def _clip_mask(file: NpzFile, shape: tuple[int, ...]) -> np.ndarray:
    if 'mask' not in file:
        return np.ones(shape, bool)
    mask = file.read('mask')
    if mask.dtype.kind not in 'fiub' or mask.shape not in (shape, shape[:1]):
        file.fail(
            'mask', f'found {mask.dtype} of shape {mask.shape}, expected {shape[:1]} or {shape}'
        )
    return np.broadcast_to(mask.astype(bool).reshape(shape[0], -1), shape)


def _signature(value: Any) -> Any:
    """The part of a column that all files of a folder must share: shape after time, or names."""
    return value.shape[1:] if isinstance(value, np.ndarray) else value


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over='ignore'):  # what is infinite in single precision is missing
        return values.astype(np.float32)
