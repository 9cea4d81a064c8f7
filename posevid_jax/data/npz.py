"""Clips on disk: npz archives, folders of npz files with one clip each, folders of shards."""

import os
import pathlib
from collections.abc import Mapping

import numpy as np

from posevid_jax.data import archive, clip_folder, manifest
from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.mapped import Column
from posevid_jax.data.shard_reader import is_sharded, read_shards
from posevid_jax.errors import InputError
from posevid_jax.machine.atomic import atomic_file

SCHEMA_VERSION = 1


def read_clips(
    path: str | os.PathLike[str],
    *,
    prefix: str,
    labelled: bool = True,
    on_error: str = 'raise',
    max_bytes: int = 0,
    check: str = 'auto',
) -> Clips:
    """Reads an archive, a folder of clips, or a folder of shards (see `shards`).

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
      path: the archive or the folder.
      prefix: of the keys of an archive.
      labelled: False accepts an archive without labels too, for prediction.
      on_error: `raise`, or `skip` to leave out what is bad: files of a folder, clips of an archive.
        What was left out is in `warnings` of the clips.
      max_bytes: what npz files may expand to, see `npz_file.Budget`.
      check: whether to compare with a manifest, see `manifest.check_as_told`.

    Raises:
      InputError: one line with the file, the key, what was found and what was expected.
    """
    path = pathlib.Path(path)
    manifest.check_as_told(path, check)
    if is_sharded(path):
        return read_shards(path)
    try:
        if os.path.isdir(path):
            columns = clip_folder.read_columns(path, on_error=on_error, max_bytes=max_bytes)
        else:
            columns = archive.read_columns(
                path, prefix, labelled=labelled, on_error=on_error, max_bytes=max_bytes
            )
        try:
            return from_arrays(source=path.name.removesuffix('.npz'), in_place=True, **columns)
        except InputError as error:
            raise InputError(f'{path}: {error}') from None
    except MemoryError:
        raise InputError(f'{path}: does not fit in memory') from None


def write_clips(path: str | os.PathLike[str], clips: Clips, prefix: str) -> None:
    """Writes an archive that `read_clips` reads back; the file appears whole or not at all.

    Clips know the aspect of the picture, not its size: `video_size` becomes (aspect, 1).
    """
    path = pathlib.Path(path)
    columns: dict[str, Column] = {
        'video_id': np.array(clips.video_ids),
        'group_id': clips.group,
        'start_frame': clips.start_frame,
        'end_frame': clips.end_frame,
        'fps': clips.fps,
        'video_size': np.stack([clips.aspect, np.ones_like(clips.aspect)], -1),
        'weight': clips.weight,
    }
    shared: dict[str, np.ndarray] = {'schema_version': np.array(SCHEMA_VERSION, np.int32)}
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
    write_arrays(path, {f'{prefix}_{key}': value for key, value in columns.items()} | shared)


def write_arrays(path: pathlib.Path, arrays: Mapping[str, Column]) -> None:
    """Writes a compressed npz file, which appears whole or not at all.

    Raises:
      InputError: it cannot be written.
    """
    with atomic_file(path) as temporary, temporary.open('wb') as file:
        np.savez_compressed(file, allow_pickle=False, **dict(arrays))


def _nan_where_missing(joints: Column, mask: Column | None) -> np.ndarray:
    assert mask is not None  # a skeleton has one
    return np.where(np.asarray(mask[:])[..., None], joints[:], np.float32(np.nan))
