"""Clips on disk: npz archives, and folders of npz files with one clip each."""

import os
import pathlib
from typing import Any

import numpy as np

from posevid_jax.data.clips import UNKNOWN_FRAME, UNKNOWN_LABEL, Clips, from_arrays
from posevid_jax.data.joints import mediapipe_names
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError

SCHEMA_VERSION = 1


def read_clips(path: str | os.PathLike, *, prefix: str, labelled: bool = True) -> Clips:
    """Reads an archive or a folder.

    Archive: `{prefix}_raw` [N, T, F] (wins) or `{prefix}_norm`, and/or `{prefix}_skeleton`
    [N, T, J, 4]; `{prefix}_label` [N]; under the same prefix the optional columns `mask`, `weight`,
    `video_id`, `group_id`, `start_frame`, `end_frame`, `fps`, `video_size`, `frame_label`,
    `context_skeleton` [N, C, J, 4]; and `feature_list`, `landmark_ids` or `joint_names`,
    `class_names`. Features laid out [N, F, T] are recognised by the length of `feature_list`.

    Folder: in each npz file, also of folders inside, `features` [T, F] and/or `skeleton` or
    `joints` [T, J, 2..4] (x, y, z, visibility), `label`, and the optional columns of an archive
    without prefix; `mask` is [T] or [T, F]. Clips are padded with missing frames to the longest. A
    file without `video_id` is a video of its own.

    NaN and infinities are missing values.

    Args:
      labelled: False accepts an archive without labels too, for prediction.

    Raises:
      InputError: one line with the file, the key, what was found and what was expected.
    """
    path = pathlib.Path(path)
    columns = _folder_columns(path) if path.is_dir() else _archive_columns(path, prefix, labelled)
    try:
        return from_arrays(source=path.name.removesuffix('.npz'), **columns)
    except InputError as error:
        raise InputError(f'{path}: {error}') from None


def write_clips(path: str | os.PathLike, clips: Clips, prefix: str) -> None:
    """Writes an archive that `read_clips` reads back; the file appears whole or not at all.

    Clips know the aspect of the picture, not its size: `video_size` becomes (aspect, 1).
    """
    path = pathlib.Path(path)
    columns = {
        'video_id': np.array(clips.video_ids),
        'group_id': clips.group,
        'start_frame': clips.start_frame,
        'end_frame': clips.end_frame,
        'fps': clips.fps,
        'video_size': np.stack([clips.aspect, np.ones_like(clips.aspect)], -1),
        'weight': clips.weight,
    }
    shared = {'schema_version': np.int32(SCHEMA_VERSION)}
    if clips.labelled:
        columns |= {'label': clips.label, 'frame_label': clips.frame_label}
        shared['class_names'] = np.array(clips.class_names)
    if clips.feature_names:
        columns['raw'] = np.where(clips.mask, clips.features, np.float32(np.nan))
        shared['feature_list'] = np.array(clips.feature_names)
    if clips.skeleton is not None:
        columns['skeleton'] = _nan_where_missing(clips.skeleton, clips.skeleton_mask)
        shared['joint_names'] = np.array(clips.joint_names)
    if clips.context_skeleton is not None:
        columns['context_skeleton'] = _nan_where_missing(clips.context_skeleton, clips.context_mask)
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with open(unfinished, 'wb') as file:
            np.savez_compressed(file, **{f'{prefix}_{k}': v for k, v in columns.items()}, **shared)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _nan_where_missing(joints: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], joints, np.float32(np.nan))


def _archive_columns(path: pathlib.Path, prefix: str, labelled: bool) -> dict[str, Any]:
    """The arguments of `from_arrays` that an archive holds."""
    with NpzFile(path) as file:
        key = {name: f'{prefix}_{name}' for name in (
            'raw', 'norm', 'mask', 'label', 'skeleton', 'video_id', 'group_id', 'start_frame',
            'end_frame', 'fps', 'video_size', 'weight', 'frame_label', 'context_skeleton',
        )}  # fmt: skip
        label = None
        if labelled or key['label'] in file:
            label = file.integers(key['label'], None)
        n = None if label is None else len(label)
        columns: dict[str, Any] = {'label': label} | _names(file)
        for name in ('skeleton', 'context_skeleton'):
            if key[name] in file:
                columns[name] = file.numbers(key[name], n, None, None, 4)
        if key['raw'] in file or key['norm'] in file:
            values = key['raw'] if key['raw'] in file else key['norm']
            columns |= _archive_features(file, values, key['mask'], n, columns['feature_names'])
        elif 'skeleton' not in columns:
            file.fail(key['raw'], f'not found, nor {key["norm"]} or {key["skeleton"]}')
        else:
            columns['features'] = np.zeros((*columns['skeleton'].shape[:2], 0), np.float32)
        for name in ('video_id', 'group_id'):
            if key[name] in file:
                columns[name] = file.texts(key[name], n)
        for name in ('start_frame', 'end_frame'):
            if key[name] in file:
                columns[name] = file.integers(key[name], n)
        for name in ('fps', 'weight'):
            if key[name] in file:
                columns[name] = file.numbers(key[name], n)
        if key['video_size'] in file:
            columns['aspect'] = _aspect(file.numbers(key['video_size'], n, 2))
        if key['frame_label'] in file:
            columns['frame_label'] = file.integers(key['frame_label'], n, None)
        return columns


def _archive_features(
    file: NpzFile, key: str, mask_key: str, n: int, names: list[str] | None
) -> dict[str, np.ndarray]:
    features = file.numbers(key, n, None, None)  # [N, T, F] or [N, F, T]
    mask = file.numbers(mask_key, *features.shape) if mask_key in file else None
    if names is not None and features.shape[2] != len(names):
        if features.shape[1] != len(names):
            file.fail(
                key, f'found shape {features.shape}, expected {len(names)} features (feature_list)'
            )
        features = features.swapaxes(1, 2)  # [N, F, T] -> [N, T, F]
        mask = None if mask is None else mask.swapaxes(1, 2)
    return {'features': features, 'mask': mask}


def _names(file: NpzFile) -> dict[str, list[str] | tuple[str, ...] | None]:
    """The names of features, joints and classes; None where the file has none."""
    joint_names = file.texts('joint_names') if 'joint_names' in file else None
    if joint_names is None and 'landmark_ids' in file:
        ids = file.integers('landmark_ids', None)
        try:
            joint_names = list(mediapipe_names(ids))
        except InputError as error:
            raise InputError(f'{file.path}: {error}') from None
    return {
        'feature_names': file.texts('feature_list') if 'feature_list' in file else None,
        'joint_names': joint_names,
        'class_names': file.texts('class_names') if 'class_names' in file else None,
    }


def _folder_columns(folder: pathlib.Path) -> dict[str, Any]:
    """The arguments of `from_arrays` that the files of a folder hold together."""
    paths = sorted(folder.rglob('*.npz'))
    if not paths:
        raise InputError(f'{folder}: found no npz files, expected one a clip')
    clips = [_read_clip(path, folder) for path in paths]
    first = clips[0]
    for path, clip in zip(paths, clips, strict=True):
        for name in ('features', 'skeleton', 'feature_names', 'joint_names', 'class_names'):
            found, expected = _signature(clip[name]), _signature(first[name])
            if found != expected:
                raise InputError(
                    f'{path}: {name}: found {found}, expected {expected} as in {paths[0].name}'
                )
    frames = max(len(clip['features']) for clip in clips)
    columns = {
        name: np.stack([_pad(clip[name], frames, filler) for clip in clips])
        for name, filler in (('features', np.nan), ('mask', False), ('frame_label', UNKNOWN_LABEL))
    }
    if first['skeleton'] is not None:
        columns['skeleton'] = np.stack([_pad(c['skeleton'], frames, np.nan) for c in clips])
    for name in ('label', 'start_frame', 'end_frame', 'fps', 'weight', 'aspect'):
        columns[name] = np.array([clip[name] for clip in clips])
    for name in ('video_id', 'group_id'):
        columns[name] = [clip[name] for clip in clips]
    return columns | {name: first[name] for name in ('feature_names', 'joint_names', 'class_names')}


def _read_clip(path: pathlib.Path, folder: pathlib.Path) -> dict[str, Any]:
    """One file of a folder; every column is present, NaN or None where the file does not say."""
    with NpzFile(path) as file:

        def number(name: str, default: float) -> float:
            if name not in file:
                return default
            value = file.read(name)
            if value.size != 1 or value.dtype.kind not in 'fiub':
                file.fail(name, f'found {value.dtype} of shape {value.shape}, expected a number')
            return value.item()

        def frame(name: str, default: int) -> int:
            value = number(name, default)
            if value != value or value != int(value):
                file.fail(name, f'found {value}, expected a whole number')
            return int(value)

        skeleton = _clip_skeleton(file)
        if 'features' in file:
            features = file.numbers('features', None, None)  # [T, F]
        elif skeleton is not None:
            features = np.zeros((len(skeleton), 0), np.float32)
        else:
            file.fail('features', 'not found, nor skeleton or joints')
        frames = len(features)
        if skeleton is not None and len(skeleton) != frames:
            file.fail('features', f'found {frames} frames, expected {len(skeleton)} (skeleton)')
        if 'label' not in file:
            file.fail('label', f'not found, the keys are {", ".join(file.keys())}')
        start = frame('start_frame', UNKNOWN_FRAME)
        end = UNKNOWN_FRAME if start == UNKNOWN_FRAME else start + frames - 1
        video_id = str(path.relative_to(folder).with_suffix(''))
        if 'video_id' in file:
            video_id = file.texts('video_id', 1)[0]
        return _names(file) | {
            'features': features,
            'mask': _clip_mask(file, features.shape),
            'skeleton': skeleton,
            'label': frame('label', 0),
            'frame_label': (
                file.integers('frame_label', frames) if 'frame_label' in file
                else np.full(frames, UNKNOWN_LABEL)
            ),
            'start_frame': start,
            'end_frame': frame('end_frame', end),
            'fps': number('fps', np.nan),
            'weight': number('weight', 1.0),
            'aspect': (
                _aspect(file.numbers('video_size', 2)) if 'video_size' in file else np.nan
            ),
            'video_id': video_id,
            'group_id': file.texts('group_id', 1)[0] if 'group_id' in file else video_id,
        }  # fmt: skip


def _clip_skeleton(file: NpzFile) -> np.ndarray | None:
    """[T, J, 4] from `skeleton` or `joints` [T, J, 2..4]: z is 0 and visibility 1 if not given."""
    key = next((key for key in ('skeleton', 'joints') if key in file), None)
    if key is None:
        return None
    joints = file.numbers(key, None, None, None)
    if not 2 <= joints.shape[2] <= 4:
        file.fail(key, f'found shape {joints.shape}, expected 2 to 4 numbers a joint')
    skeleton = np.zeros((*joints.shape[:2], 4), np.float32)
    skeleton[..., 3] = 1
    skeleton[..., : joints.shape[2]] = joints
    return skeleton


def _clip_mask(file: NpzFile, shape: tuple[int, int]) -> np.ndarray:
    if 'mask' not in file:
        return np.ones(shape, bool)
    mask = file.read('mask')
    if mask.dtype.kind not in 'fiub' or mask.shape not in (shape, shape[:1]):
        file.fail(
            'mask', f'found {mask.dtype} of shape {mask.shape}, expected {shape[:1]} or {shape}'
        )
    return np.broadcast_to(mask.astype(bool).reshape(shape[0], -1), shape)


def _aspect(video_size: np.ndarray) -> np.ndarray:
    """Width / height of [..., 2]; NaN where either is not known."""
    width, height = np.moveaxis(video_size.astype(np.float64), -1, 0)
    known = (width > 0) & (height > 0)
    return np.divide(width, height, out=np.full(width.shape, np.nan), where=known)


def _signature(value: Any) -> Any:
    """What must agree between the files of a folder: the shape after time, or the names."""
    return value.shape[1:] if isinstance(value, np.ndarray) else value


def _pad(values: np.ndarray, frames: int, filler: float) -> np.ndarray:
    widths = [(0, frames - len(values))] + [(0, 0)] * (values.ndim - 1)
    return np.pad(values, widths, constant_values=filler)
