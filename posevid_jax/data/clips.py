"""Clips: labelled stretches of pose frames, which every reader of the data package makes."""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from posevid_jax.data import contract, observed
from posevid_jax.data.contract import COLUMNS, MOST_CLASSES, UNKNOWN_LABEL
from posevid_jax.data.mapped import Column, MappedColumn, row_slices
from posevid_jax.data.source_columns import (
    are_numbered,
    check_range,
    floats,
    frame_ranges,
    integers,
    number_by_appearance,
    numbered_classes,
    split_joints,
)
from posevid_jax.errors import InputError

DEFAULT_FPS = 30.0  # what most cameras record; used where a source does not say
DEFAULT_ASPECT = 1.0  # width / height; the same
_BATCH_COLUMNS = ('features', 'mask', 'label', 'frame_label', 'fps', 'aspect', 'weight')


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Clips:
    """N clips of T frames, validated on construction. Build one with `from_arrays`.

    Every column with letters beyond N may be a MappedColumn instead of an array: the data stays on
    disk, and selecting clips reads nothing.

    Attributes:
      features: [N, T, F] f32, finite, 0 where missing; F may be 0 when there is a skeleton.
      mask: [N, T, F] bool, True = observed.
      label: [N] i32, 0 .. len(class_names) - 1; or UNKNOWN_LABEL for all clips.
      video: [N] i32, index into `videos`.
      videos: unique identities '<source>:<video id>'; each has at least one clip.
      group: [N] i32, equal for recordings that a split must keep together.
      start_frame, end_frame: [N] i32, inclusive, in frames of the video; UNKNOWN_FRAME if unknown.
      fps: [N] f32, frames per second.
      aspect: [N] f32, width / height of the picture.
      weight: [N] f32, not negative, of the clip in losses and metrics.
      frame_label: [N, T] i8, UNKNOWN_LABEL if unknown.
      skeleton: [N, T, J, 4] f32 (x, y, z, visibility), 0 where missing; or None.
      skeleton_mask: [N, T, J] bool; None exactly when skeleton is.
      context_skeleton: [N, C, J, 4] f32, C / 2 frames before each clip, then as many after it, 0
        where missing or outside of the video; or None.
      context_mask: [N, C, J] bool; None exactly when context_skeleton is.
      feature_names: F names.
      joint_names: J names; () without a skeleton.
      class_names: a name for each label.
      warnings: what the reader left out or found odd, one line for each.
    """

    features: Column
    mask: Column
    label: np.ndarray
    video: np.ndarray
    videos: tuple[str, ...]
    group: np.ndarray
    start_frame: np.ndarray
    end_frame: np.ndarray
    fps: np.ndarray
    aspect: np.ndarray
    weight: np.ndarray
    frame_label: Column
    skeleton: Column | None
    skeleton_mask: Column | None
    context_skeleton: Column | None = None
    context_mask: Column | None = None
    feature_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    class_names: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    checked: dataclasses.InitVar[bool] = False  # rows of valid clips need no second pass

    def __post_init__(self, checked: bool):
        if checked:
            return
        if len(set(self.class_names)) < self.num_classes:
            raise InputError(
                f'class_names: found {", ".join(self.class_names)}, expected no name twice'
            )
        contract.check(
            {name: getattr(self, name) for name in COLUMNS},
            {
                'features': len(self.feature_names),
                'joints': len(self.joint_names),
                'classes': self.num_classes,
                'videos': len(self.videos),
            },
        )

    def __len__(self) -> int:
        return len(self.label)

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def labelled(self) -> bool:
        return bool((self.label != UNKNOWN_LABEL).any())

    @property
    def video_ids(self) -> tuple[str, ...]:
        """The video id of each clip as its source knows it: unique only within that source."""
        plain = [identity.partition(':')[2] for identity in self.videos]
        return tuple(plain[v] for v in self.video)

    def in_memory(self) -> 'Clips':
        """The clips with every mapped column read, for code that needs them all at once."""
        columns = {
            field.name: np.asarray(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if isinstance(getattr(self, field.name), MappedColumn)
        }
        return dataclasses.replace(self, **columns)

    def select(self, rows: Sequence[int] | np.ndarray) -> 'Clips':
        """The given clips in the given order; `videos` keeps only those that still have clips."""
        rows = np.asarray(rows, np.int64)
        columns: dict[str, Any] = {name: _select(getattr(self, name), rows) for name in COLUMNS}
        columns['video'], kept = number_by_appearance(self.video[rows])
        videos = tuple(self.videos[v] for v in kept)
        return dataclasses.replace(self, **columns, videos=videos, checked=len(rows) > 0)

    def with_classes(self, class_names: Sequence[str]) -> 'Clips':
        """The same clips with labels that count through the given classes.

        Classes are found by name, in any order; the given ones may be more. Where a name is not
        found and one of the two sides has no names of its own (`are_numbered`), a label keeps its
        number.

        Raises:
          InputError: a class of the clips is not among the given ones.
        """
        class_names = tuple(class_names)
        if class_names == self.class_names:
            return self
        place = {name: number for number, name in enumerate(class_names)}
        numbers = [place.get(name, len(class_names)) for name in self.class_names]
        named = set(self.class_names) <= place.keys()
        if not named and (are_numbered(self.class_names) or are_numbered(class_names)):
            numbers = range(self.num_classes)
        if max(numbers, default=-1) >= len(class_names):
            raise InputError(
                f'class_names: found {", ".join(self.class_names)}, '
                f'expected names among {", ".join(class_names)}'
            )
        new = np.array([*numbers, UNKNOWN_LABEL])  # the last one is where -1 points
        return dataclasses.replace(
            self,
            label=new[self.label].astype(np.int32),
            frame_label=new[np.asarray(self.frame_label)].astype(np.int8),
            class_names=class_names,
        )

    def arrays(self, *, skeleton: bool) -> dict[str, Column]:
        """The columns that make a device batch; `row` [N] i32 is the number of the clip.

        Args:
          skeleton: add `skeleton` and `skeleton_mask` where the clips have them.
        """
        names = _BATCH_COLUMNS
        if skeleton and self.skeleton is not None:
            names += ('skeleton', 'skeleton_mask')
        arrays = {name: getattr(self, name) for name in names}
        return arrays | {'row': np.arange(len(self), dtype=np.int32)}

    def fingerprint(self) -> str:
        """SHA-256 of the content, in hexadecimal: equal for equal clips in equal order."""
        digest = hashlib.sha256()
        names = (self.videos, self.feature_names, self.joint_names, self.class_names)
        digest.update(repr(names).encode())
        for name in COLUMNS:
            value = getattr(self, name)
            if value is not None:
                digest.update(f'{name}{value.shape}'.encode())
                for some in row_slices(value):
                    digest.update(np.ascontiguousarray(value[some]).data)
        return digest.hexdigest()

    def row_fingerprints(self) -> np.ndarray:
        """[N] u64 of what each clip shows: equal for equal clips, whatever labels and names say."""
        columns = [value for name in _SEEN_COLUMNS if (value := getattr(self, name)) is not None]
        found = np.empty(len(self), np.uint64)
        for row in range(len(self)):
            digest = hashlib.blake2b(digest_size=8)
            for value in columns:
                digest.update(np.ascontiguousarray(value[row]).data)
            found[row] = int.from_bytes(digest.digest(), 'little')
        return found


_SEEN_COLUMNS = ('features', 'mask', 'skeleton', 'skeleton_mask')


def from_arrays(
    *,
    source: str,
    features: np.ndarray,
    label: np.ndarray | None,
    mask: np.ndarray | None = None,
    video_id: Sequence[str] | None = None,
    group_id: Sequence[str] | None = None,
    start_frame: np.ndarray | None = None,
    end_frame: np.ndarray | None = None,
    fps: np.ndarray | None = None,
    aspect: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    frame_label: np.ndarray | None = None,
    skeleton: np.ndarray | None = None,
    context_skeleton: np.ndarray | None = None,
    feature_names: Sequence[str] | None = None,
    joint_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    warnings: Sequence[str] = (),
    in_place: bool = False,
) -> Clips:
    """Clips from the columns that a source has; the others get their defaults here.

    Defaults: every clip a video of its own, groups = videos, frames unknown, DEFAULT_FPS and aspect
    1 (also where NaN), weight 1, frame labels unknown, numbered names of features and joints,
    classes `negative` and `positive` (`class_0`, ... when there are more; none without labels).

    Args:
      source: name of the file or folder; with the video id it identifies a video.
      features: [N, T, F]; NaN and what is infinite in single precision are missing.
      label: [N] integers from 0; None for clips without labels.
      mask: [N, T, F], False = missing whatever the value.
      skeleton: [N, T, J, 4]; a NaN or infinity among the 4 means that the joint is missing.
      context_skeleton: [N, C, J, 4], the same.
      warnings: those of the source, before the ones that are found here.
      in_place: `features` and both skeletons may become the clips' own, changed: half the memory.

    Raises:
      InputError: the arrays do not fit together; the message names the column.
    """
    n, t, f = features.shape
    features, mask, infinite = observed.split_missing(features, mask, in_place=in_place)
    skeleton, skeleton_mask, more = split_joints(skeleton, in_place=in_place)
    context_skeleton, context_mask, _ = split_joints(context_skeleton, in_place=in_place)
    if skeleton is not None:
        joint_names = joint_names or [f'joint_{i}' for i in range(skeleton.shape[2])]
    lines = [
        f'{source}: {line}' for line in observed.warnings(mask, skeleton_mask, infinite + more)
    ]
    if label is None:
        label, class_names = np.full(len(features), UNKNOWN_LABEL), class_names or ()
    else:
        check_range('label', label, 0, np.iinfo(np.int32).max)
        if class_names is None:
            num_classes = int(label.max(initial=0)) + 1  # labels beyond MOST_CLASSES fail below
            class_names = numbered_classes(num_classes if num_classes <= MOST_CLASSES else 2)
    video, videos = number_by_appearance(map(str, range(n)) if video_id is None else video_id)
    start_frame, end_frame = frame_ranges(start_frame, end_frame, n, t)
    if frame_label is None:
        frame_label = np.full((n, t), UNKNOWN_LABEL, np.int8)
    return Clips(
        features=features,
        mask=mask,
        label=integers('label', label, np.int32),
        video=video,
        videos=tuple(f'{source.replace(":", "_")}:{v}' for v in videos),
        group=video if group_id is None else number_by_appearance(group_id)[0],
        start_frame=integers('start_frame', start_frame, np.int32),
        end_frame=integers('end_frame', end_frame, np.int32),
        fps=floats(fps, n, DEFAULT_FPS),
        aspect=floats(aspect, n, DEFAULT_ASPECT),
        weight=np.ones(n, np.float32) if weight is None else weight.astype(np.float32),
        frame_label=integers('frame_label', frame_label, np.int8),
        skeleton=skeleton,
        skeleton_mask=skeleton_mask,
        context_skeleton=context_skeleton,
        context_mask=context_mask,
        feature_names=tuple(feature_names or (f'feature_{i}' for i in range(f))),
        joint_names=tuple(joint_names or ()) if skeleton is not None else (),
        class_names=tuple(class_names),
        warnings=(*warnings, *lines),
    )


def _select(column: Column | None, rows: np.ndarray) -> Column | None:
    if isinstance(column, MappedColumn):
        return column.select(rows)
    return None if column is None else column[rows]
