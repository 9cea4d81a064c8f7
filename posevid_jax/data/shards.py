"""Clips larger than memory: a folder of plain npy files, written as the clips come.

    index.json              schema_version, num_clips, num_frames, num_context_frames, shards (clips
                            in each), clips_per_class, names of features, joints, classes and videos
    features.00000.npy      columns with values per frame, cut into shards
    label.npy               columns with one value per clip, whole

The arrays are those of `Clips`, bit for bit: 0 where missing, with a mask beside them.
`shard_reader.read_shards` opens the folder.
"""

import itertools
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import COLUMNS, UNKNOWN_LABEL
from posevid_jax.data.files import reason
from posevid_jax.data.mapped import Column, row_slices
from posevid_jax.data.source_columns import number_by_appearance
from posevid_jax.errors import InputError
from posevid_jax.machine.atomic import atomic_folder

SCHEMA_VERSION = 1
INDEX = 'index.json'
NAMES = ('feature_names', 'joint_names', 'class_names')
BY_CLIP = tuple(name for name, (letters, _) in COLUMNS.items() if letters == 'N')
BY_FRAME = tuple(name for name in COLUMNS if name not in BY_CLIP)
_SHARD_BYTES = 2**28


def shard_path(directory: pathlib.Path, column: str, shard: int) -> pathlib.Path:
    """The file of one column in one shard."""
    return directory / f'{column}.{shard:05d}.npy'


def write_shards(
    directory: str | os.PathLike[str], parts: Iterable[Clips], *, shard_bytes: int = _SHARD_BYTES
) -> None:
    """Writes clips as they come; the folder appears whole or not at all.

    One part at a time is in memory, beside the columns with one value per clip. Parts may share
    videos and groups: videos are recognised by their identity, groups by their videos.

    Args:
      directory: must not exist, or be empty.
      parts: clips of the same length, features, joints and classes.
      shard_bytes: size of a shard over all columns; it holds at least one clip.

    Raises:
      InputError: parts differ, there are none, or the folder cannot be written.
    """
    directory = pathlib.Path(directory)
    _check_new(directory)
    with atomic_folder(directory) as unfinished:
        writer = _Writer(unfinished, shard_bytes)
        for number, part in enumerate(parts):
            try:
                writer.add(part)
            except InputError as error:
                raise InputError(f'{directory}: part {number}: {error}') from None
        writer.finish()


def _check_new(directory: pathlib.Path) -> None:
    try:
        if os.path.lexists(directory) and any(directory.iterdir()):
            raise InputError(f'{directory}: found files in it, expected a new folder')
    except OSError as error:
        raise InputError(f'{directory}: cannot be written ({reason(error)})') from None


class _Writer:
    """The files of an unfinished folder."""

    def __init__(self, directory: pathlib.Path, shard_bytes: int):
        self._directory = directory
        self._shard_bytes = shard_bytes
        self._shared: dict[str, Any] = {}  # what all parts must agree in
        self._videos = _Videos()
        self._by_clip: list[dict[str, np.ndarray]] = []
        self._by_frame: dict[str, _GrowingArray] = {}  # of the shard that is being written
        self._shards: list[int] = []  # clips in each

    def add(self, part: Clips) -> None:
        """Appends clips."""
        context = part.context_skeleton
        shared = {
            'num_frames': part.features.shape[1],
            'num_context_frames': 0 if context is None else context.shape[1],
        } | {n: getattr(part, n) for n in NAMES}
        self._shared = self._shared or shared
        for name, found in shared.items():
            if found != self._shared[name]:
                raise InputError(
                    f'{name}: found {found}, expected {self._shared[name]} as in the parts before'
                )
        columns = {n: getattr(part, n) for n in BY_FRAME if getattr(part, n) is not None}
        clip_bytes = sum(c.dtype.itemsize * int(np.prod(c.shape[1:])) for c in columns.values())
        shard_clips = max(self._shard_bytes // clip_bytes, 1)
        self._by_clip.append(
            {n: getattr(part, n) for n in BY_CLIP} | {'video': self._videos.number(part)}
        )
        start = 0
        while start < len(part):
            if not self._shards or self._shards[-1] == shard_clips:
                self._next_shard(columns)
            stop = min(start + shard_clips - self._shards[-1], len(part))
            for name, column in columns.items():
                self._by_frame[name].append(column, slice(start, stop))
            self._shards[-1] += stop - start
            start = stop

    def finish(self) -> None:
        """Writes what is known only at the end."""
        if not self._by_clip:
            raise InputError(f'{self._directory}: found no clips to write, expected some')
        self._close_shard()
        columns = {n: np.concatenate([part[n] for part in self._by_clip]) for n in BY_CLIP}
        columns['group'] = self._videos.groups(columns['video'])
        for name, values in columns.items():
            np.save(self._directory / f'{name}.npy', values)
        labels = columns['label'][columns['label'] != UNKNOWN_LABEL]
        counts = np.bincount(labels, minlength=len(self._shared['class_names']))
        index = {
            'schema_version': SCHEMA_VERSION,
            'num_clips': len(columns['label']),
            **self._shared,
            'clips_per_class': counts.tolist(),
            'shards': self._shards,
            'videos': self._videos.identities(),
        }
        (self._directory / INDEX).write_text(json.dumps(index, indent=1) + '\n')

    def _next_shard(self, columns: dict[str, Column]) -> None:
        self._close_shard()
        for name, column in columns.items():
            path = shard_path(self._directory, name, len(self._shards))
            self._by_frame[name] = _GrowingArray(path, column)
        self._shards.append(0)

    def _close_shard(self) -> None:
        for array in self._by_frame.values():
            array.close()


class _GrowingArray:
    """An npy file whose first axis grows."""

    def __init__(self, path: pathlib.Path, like: Column):
        self._file = path.open('wb')
        self._shape, self._dtype = like.shape[1:], like.dtype
        self._length = 0
        self._write_header()

    def append(self, column: Column, rows: slice) -> None:
        for some in row_slices(column, rows):
            np.ascontiguousarray(column[some]).tofile(self._file)
        self._length += rows.stop - rows.start

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        # numpy pads the header so that a longer first axis does not move what follows.
        header = {
            'descr': np.lib.format.dtype_to_descr(self._dtype),
            'fortran_order': False,
            'shape': (self._length, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


class _Videos:
    """Numbers of videos over all parts, and which of them belong together."""

    def __init__(self):
        self._numbers: dict[str, int] = {}
        self._together: list[int] = []  # for each video an earlier one of its group, or itself

    def number(self, part: Clips) -> np.ndarray:
        """[N] i32: `part.video`, numbered over all parts."""
        numbers = [self._numbers.setdefault(v, len(self._numbers)) for v in part.videos]
        self._together += range(len(self._together), len(self._numbers))
        video = np.array(numbers, np.int32)[part.video]
        pairs = np.unique(np.stack([part.group, video], 1), axis=0)
        for (group, first), (next_group, second) in itertools.pairwise(pairs.tolist()):
            if group == next_group:
                low, high = sorted((self._root(first), self._root(second)))
                self._together[high] = low
        return video

    def groups(self, video: np.ndarray) -> np.ndarray:
        """[N] i32: the groups of clips [N] of videos."""
        roots = np.array([self._root(v) for v in range(len(self._together))])
        return number_by_appearance(roots[video].tolist())[0]

    def identities(self) -> list[str]:
        return list(self._numbers)

    def _root(self, video: int) -> int:
        while self._together[video] != video:
            video = self._together[video]
        return video
