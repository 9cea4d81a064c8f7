"""Clips: labelled stretches of pose frames in memory, the one contract of the data package."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from posevid_jax.errors import InputError

DEFAULT_FPS = 30.0  # what most cameras record; used where a source does not say
DEFAULT_ASPECT = 1.0  # width / height; the same
UNKNOWN_FRAME = -1  # start_frame and end_frame where a source does not say
UNKNOWN_LABEL = -1  # frame_label where a source does not say

# The columns of a clip set: letters of the shape, dtype.
_COLUMNS = {
    'features': ('NTF', np.float32),
    'mask': ('NTF', np.bool_),
    'label': ('N', np.int32),
    'video': ('N', np.int32),
    'group': ('N', np.int32),
    'start_frame': ('N', np.int32),
    'end_frame': ('N', np.int32),
    'fps': ('N', np.float32),
    'aspect': ('N', np.float32),
    'weight': ('N', np.float32),
    'frame_label': ('NT', np.int8),
    'skeleton': ('NTJ4', np.float32),
    'skeleton_mask': ('NTJ', np.bool_),
    'context_skeleton': ('NCJ4', np.float32),
    'context_mask': ('NCJ', np.bool_),
}
_OPTIONAL = {'skeleton': 'skeleton_mask', 'context_skeleton': 'context_mask'}  # with their masks
_BATCH_COLUMNS = ('features', 'mask', 'label', 'frame_label', 'fps', 'aspect', 'weight')


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Clips:
    """N clips of T frames, validated on construction. Build one with `from_arrays`.

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
    """

    features: np.ndarray
    mask: np.ndarray
    label: np.ndarray
    video: np.ndarray
    videos: tuple[str, ...]
    group: np.ndarray
    start_frame: np.ndarray
    end_frame: np.ndarray
    fps: np.ndarray
    aspect: np.ndarray
    weight: np.ndarray
    frame_label: np.ndarray
    skeleton: np.ndarray | None
    skeleton_mask: np.ndarray | None
    context_skeleton: np.ndarray | None = None
    context_mask: np.ndarray | None = None
    feature_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self):
        _check_columns(self)
        _check_values(self)

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

    def select(self, rows: Sequence[int] | np.ndarray) -> 'Clips':
        """The given clips in the given order; `videos` keeps only those that still have clips."""
        rows = np.asarray(rows, np.int64)
        columns = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in _COLUMNS
        }
        columns['video'], kept = number_by_appearance(columns['video'])
        return dataclasses.replace(self, **columns, videos=tuple(self.videos[v] for v in kept))

    def with_classes(self, class_names: Sequence[str]) -> 'Clips':
        """The same clips with labels that count through the given classes.

        Classes are found by name, in any order; the given ones may be more. Where neither side has
        names of its own (`numbered_classes`), a label keeps its number.

        Raises:
          InputError: a class of the clips is not among the given ones.
        """
        class_names = tuple(class_names)
        if class_names == self.class_names:
            return self
        if _are_numbered(self.class_names) and _are_numbered(class_names):
            numbers = range(self.num_classes)
        else:
            place = {name: number for number, name in enumerate(class_names)}
            numbers = [place.get(name, len(class_names)) for name in self.class_names]
        if max(numbers) >= len(class_names):
            raise InputError(
                f'class_names: found {", ".join(self.class_names)}, '
                f'expected names among {", ".join(class_names)}'
            )
        new = np.array([*numbers, UNKNOWN_LABEL])  # the last one is where -1 points
        return dataclasses.replace(
            self,
            label=new[self.label].astype(np.int32),
            frame_label=new[self.frame_label].astype(np.int8),
            class_names=class_names,
        )

    def arrays(self, *, skeleton: bool) -> dict[str, np.ndarray]:
        """The arrays that make a device batch, indexed by clip; `row` [N] i32 is the clip's number.

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
        for name in _COLUMNS:
            value = getattr(self, name)
            if value is not None:
                digest.update(f'{name}{value.shape}'.encode())
                digest.update(np.ascontiguousarray(value))
        return digest.hexdigest()


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
) -> Clips:
    """Clips from what a source knows; what it does not know gets its default here.

    Defaults: every clip a video of its own, groups = videos, frames unknown, DEFAULT_FPS and aspect
    1 (also where NaN), weight 1, frame labels unknown, numbered names of features and joints,
    classes `negative` and `positive` (`class_0`, ... when there are more; none without labels).

    Args:
      source: where the clips come from; with the video id it identifies a video.
      features: [N, T, F]; NaN and what is infinite in single precision are missing.
      label: [N] integers from 0; None for clips without labels.
      mask: [N, T, F], False = missing whatever the value.
      skeleton: [N, T, J, 4]; a NaN or infinity among the 4 means that the joint is missing.
      context_skeleton: [N, C, J, 4], the same.

    Raises:
      InputError: the arrays do not fit together; the message names the column.
    """
    n, t, f = features.shape
    features = _single(features)
    observed = np.isfinite(features)
    if mask is not None:
        observed &= mask.astype(bool)
    skeleton, skeleton_mask = _observed_joints(skeleton)
    context_skeleton, context_mask = _observed_joints(context_skeleton)
    if skeleton is not None:
        joint_names = joint_names or [f'joint_{i}' for i in range(skeleton.shape[2])]
    if label is None:
        label, class_names = np.full(n, UNKNOWN_LABEL), class_names or ()
    else:
        _check_range('label', label, 0, np.iinfo(np.int32).max)
    if class_names is None:
        class_names = numbered_classes(int(label.max(initial=0)) + 1)
    video, videos = number_by_appearance(map(str, range(n)) if video_id is None else video_id)
    if start_frame is None:
        start_frame = np.full(n, UNKNOWN_FRAME) if end_frame is None else end_frame - t + 1
    if end_frame is None:
        end_frame = np.where(start_frame == UNKNOWN_FRAME, UNKNOWN_FRAME, start_frame + t - 1)
    if frame_label is None:
        frame_label = np.full((n, t), UNKNOWN_LABEL)
    return Clips(
        features=np.where(observed, features, np.float32(0)),
        mask=observed,
        label=_integers('label', label, np.int32),
        video=video,
        videos=tuple(f'{source.replace(":", "_")}:{v}' for v in videos),
        group=video if group_id is None else number_by_appearance(group_id)[0],
        start_frame=_integers('start_frame', start_frame, np.int32),
        end_frame=_integers('end_frame', end_frame, np.int32),
        fps=_floats(fps, n, DEFAULT_FPS),
        aspect=_floats(aspect, n, DEFAULT_ASPECT),
        weight=np.ones(n, np.float32) if weight is None else weight.astype(np.float32),
        frame_label=_integers('frame_label', frame_label, np.int8),
        skeleton=skeleton,
        skeleton_mask=skeleton_mask,
        context_skeleton=context_skeleton,
        context_mask=context_mask,
        feature_names=tuple(feature_names or (f'feature_{i}' for i in range(f))),
        joint_names=tuple(joint_names or ()) if skeleton is not None else (),
        class_names=tuple(class_names),
    )


def concatenate(parts: Sequence[Clips]) -> Clips:
    """The clips of all parts, in order; no video may be in two of them.

    Raises:
      InputError: the parts do not have the same columns, sizes and names, or share a video.
    """
    first = parts[0]
    videos = tuple(identity for part in parts for identity in part.videos)
    if len(set(videos)) < len(videos):
        twice = next(identity for identity in videos if videos.count(identity) > 1)
        raise InputError(f'{twice}: found in two sets of clips, expected it in one')
    expected = _form(first)
    for part in parts:
        for name, found in _form(part).items():
            if found != expected[name]:
                raise InputError(
                    f'{part.videos[0]}: {name}: found {found}, expected {expected[name]} as in '
                    f'{first.videos[0]}'
                )
    columns = {
        name: None if getattr(first, name) is None
        else np.concatenate([getattr(part, name) for part in parts])
        for name in _COLUMNS
    }  # fmt: skip
    for name, sizes in (
        ('video', [len(part.videos) for part in parts]),
        ('group', [part.group.max() + 1 for part in parts]),
    ):
        before = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
        columns[name] += np.repeat(before, [len(part) for part in parts])
    return dataclasses.replace(first, **columns, videos=videos)


def numbered_classes(count: int) -> tuple[str, ...]:
    """The names of classes that a source only numbers."""
    return tuple(f'class_{i}' for i in range(count)) if count > 2 else ('negative', 'positive')


def _are_numbered(class_names: tuple[str, ...]) -> bool:
    return class_names == numbered_classes(len(class_names))


def number_by_appearance(values: Iterable) -> tuple[np.ndarray, list]:
    """Numbers equal values 0, 1, ... in the order in which they appear.

    Returns:
      (numbers [N] i32, the distinct values in the order of their numbers).
    """
    numbers: dict = {}
    numbered = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)
    return numbered, list(numbers)


def _form(clips: Clips) -> dict[str, tuple | None]:
    """What sets of clips must have in common to be one: the shape of a clip, and the names."""
    shapes = {name: getattr(clips, name) for name in _COLUMNS}
    return {name: None if value is None else value.shape[1:] for name, value in shapes.items()} | {
        name: getattr(clips, name) for name in ('feature_names', 'joint_names', 'class_names')
    }


def _observed_joints(
    joints: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Joints [N, T, J, 4] with 0 where missing, and mask [N, T, J]."""
    if joints is None:
        return None, None
    joints = _single(joints)
    mask = np.isfinite(joints).all(-1)
    return np.where(mask[..., None], joints, np.float32(0)), mask


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over='ignore'):
        return values.astype(np.float32)


def _integers(name: str, values: np.ndarray, dtype: type) -> np.ndarray:
    info = np.iinfo(dtype)
    _check_range(name, values, info.min, info.max + 1)
    return values.astype(dtype)


def _floats(values: np.ndarray | None, n: int, default: float) -> np.ndarray:
    if values is None:
        return np.full(n, default, np.float32)
    return np.where(np.isnan(values), default, values).astype(np.float32)


def _check_columns(clips: Clips) -> None:
    for name, mask in _OPTIONAL.items():
        if (getattr(clips, name) is None) != (getattr(clips, mask) is None):
            raise InputError(f'{name} and {mask}: found one of them, expected both or none')
    sizes = {'4': 4, 'F': len(clips.feature_names), 'J': len(clips.joint_names)}
    for name, (letters, dtype) in _COLUMNS.items():
        value = getattr(clips, name)
        if value is None and name in (*_OPTIONAL, *_OPTIONAL.values()):
            continue
        if value.dtype != dtype:
            raise InputError(f'{name}: found dtype {value.dtype}, expected {np.dtype(dtype)}')
        if value.ndim == len(letters):  # the first column to show N or T says how many there are
            sizes = dict(zip(letters, value.shape, strict=True)) | sizes
        expected = tuple(sizes.get(letter) for letter in letters)
        if value.shape != expected:
            raise InputError(
                f'{name}: found shape {value.shape}, expected [{", ".join(letters)}] = {expected}'
            )
    if not sizes['N'] or not sizes['T']:
        raise InputError(f'features: found {sizes["N"]} clips of {sizes["T"]} frames')
    if not sizes['F'] and clips.skeleton is None:
        raise InputError('features: found neither features nor a skeleton, expected one of them')


def _check_values(clips: Clips) -> None:
    for name in ('features', 'skeleton', 'context_skeleton', 'fps', 'aspect', 'weight'):
        value = getattr(clips, name)
        if value is not None and not np.isfinite(value).all():
            raise InputError(f'{name}: found NaN or infinity, expected finite numbers')
    if (clips.features.astype(bool) & ~clips.mask).any():
        raise InputError('features: found a value other than 0 under a False mask, expected 0')
    for name in ('fps', 'aspect'):
        lowest = getattr(clips, name).min()
        if lowest <= 0:
            raise InputError(f'{name}: found {lowest}, expected numbers above 0')
    if clips.weight.min() < 0:
        raise InputError(f'weight: found {clips.weight.min()}, expected no negative numbers')
    if len(set(clips.class_names)) < clips.num_classes:
        raise InputError(
            f'class_names: found {", ".join(clips.class_names)}, expected no name twice'
        )
    if clips.labelled:
        _check_range('label', clips.label, 0, clips.num_classes)
    _check_range('frame_label', clips.frame_label, UNKNOWN_LABEL, clips.num_classes)
    _check_range('video', clips.video, 0, len(clips.videos))


def _check_range(name: str, values: np.ndarray, low: int, high: int) -> None:
    if not values.size:
        return
    if values.min() < low or values.max() >= high:
        found = values.min() if values.min() < low else values.max()
        raise InputError(f'{name}: found {found}, expected integers from {low} to {high - 1}')
