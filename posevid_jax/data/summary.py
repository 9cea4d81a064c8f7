"""Describes a set of clips in numbers, and says what is odd about them."""

import contextlib
import dataclasses
import os
import pathlib

import numpy as np

from posevid_jax.data.clips import DEFAULT_ASPECT, UNKNOWN_LABEL, Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.data.signatures import frame_starts
from posevid_jax.errors import InputError

FAR = 100  # median absolute deviations from the median beyond which a value is an outlier


@dataclasses.dataclass(frozen=True)
class ClassSummary:
    """One class of a set.

    Attributes:
      clips, videos: how many show it; `share` is that of all clips.
      own_frames: least and median share of a clip's known frames that carry the clip's label; None
        where no frame of the class's clips has a label.
      agreeing: share of those clips in which at least half of the known frames do.
    """

    name: str
    clips: int
    share: float
    videos: int
    own_frames: tuple[float, float] | None
    agreeing: float | None


@dataclasses.dataclass(frozen=True)
class FeatureSummary:
    """The observed values of one feature; `quantiles` are min, p1, median, p99 and max.

    Attributes:
      missing: share of the frames.
      quantiles: None when it was never observed.
      outliers: values farther than FAR median absolute deviations from the median; 0 where more
        than half of the values are equal and nothing measures that distance.
    """

    name: str
    missing: float
    quantiles: tuple[float, float, float, float, float] | None
    outliers: int

    @property
    def constant(self) -> bool:
        return self.quantiles is not None and self.quantiles[0] == self.quantiles[-1]


@dataclasses.dataclass(frozen=True)
class JointSummary:
    """One joint: share of frames without it; p10 and median of its visibility where observed."""

    name: str
    missing: float
    visibility: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Summary:
    """A set of clips in numbers.

    Shares of missing values are over the frames that clips have: padding is not missing.

    Attributes:
      lengths: [N] frames of each clip.
      frames: how many the clips have together.
      distinct_frames: the same, where a frame of a video that several clips share counts once.
      clips_per_video: [V] counts.
      missing: share of the features' values, or of the joints in a set without features.
      missing_by_clip: [N] the same for each clip.
      fps, aspect: (value, clips), the most frequent first.
      infinite: values stored as infinity, by key of the file.
    """

    clips: int
    videos: int
    lengths: np.ndarray
    frames: int
    distinct_frames: int
    clips_per_video: np.ndarray
    missing: float
    missing_by_clip: np.ndarray
    classes: tuple[ClassSummary, ...]
    features: tuple[FeatureSummary, ...]
    joints: tuple[JointSummary, ...]
    fps: tuple[tuple[float, int], ...]
    aspect: tuple[tuple[float, int], ...]
    infinite: dict[str, int]

    @property
    def half_missing(self) -> int:
        """Clips with more than half of their values missing."""
        return int((self.missing_by_clip > 0.5).sum())


def summarise(clips: Clips, infinite: dict[str, int]) -> Summary:
    """Describes a set in numbers.

    Args:
      clips: the set.
      infinite: the counts of `infinite_values`; to the readers, infinities are missing values.
    """
    length = lengths(clips)
    column = clips.mask if clips.feature_names else clips.skeleton_mask
    observed = np.asarray(column)  # [N, T, F or J]
    present = observed.sum((1, 2)) / (length * observed.shape[2])  # [N]
    return Summary(
        clips=len(clips),
        videos=len(clips.videos),
        lengths=length,
        frames=int(length.sum()),
        distinct_frames=_distinct_frames(clips, length),
        clips_per_video=np.bincount(clips.video, minlength=len(clips.videos)),
        missing=float(1 - np.average(present, weights=length)),
        missing_by_clip=1 - present,
        classes=_classes(clips),
        features=_features(clips, int(length.sum())),
        joints=_joints(clips, int(length.sum())),
        fps=_counts(clips.fps),
        aspect=_counts(np.round(clips.aspect, 3)),
        infinite=infinite,
    )


def lengths(clips: Clips) -> np.ndarray:
    """[N] frames of each clip before its padding: by its first and last frame where they are known,
    else up to the last one observed."""
    t = clips.features.shape[1]
    observed = np.any(np.asarray(clips.mask), -1)  # [N, T]
    if clips.skeleton_mask is not None:
        observed = observed | np.any(np.asarray(clips.skeleton_mask), -1)
    last = np.where(observed.any(1), t - observed[:, ::-1].argmax(1), t)
    known = (clips.start_frame != UNKNOWN_FRAME) & (clips.end_frame >= clips.start_frame)
    return np.where(known, np.clip(clips.end_frame - clips.start_frame + 1, last, t), last)


def infinite_values(path: str | os.PathLike[str]) -> dict[str, int]:
    """Counts the infinities in each array of an archive, or of the files of a folder, by key."""
    path = pathlib.Path(path)
    counts: dict[str, int] = {}
    for name in sorted(path.rglob('*.npz')) if path.is_dir() else [path]:
        with NpzFile(name) as file:
            for key in file.keys():  # noqa: SIM118 (no mapping)
                with contextlib.suppress(InputError):  # what cannot be read, no reader asked for
                    array = file.read(key)
                    if array.dtype.kind == 'f' and (found := int(np.isinf(array).sum())):
                        counts[key] = counts.get(key, 0) + found
    return counts


def oddities(summary: Summary) -> list[str]:
    """What a person should know before training on the set, a sentence each."""
    found = [
        f'{key} holds infinities ({n:,}), read as missing' for key, n in summary.infinite.items()
    ]
    if summary.half_missing:
        found.append(f'{summary.half_missing:,} clips have more than half of their values missing')
    features = {
        'never observed': [f.name for f in summary.features if f.quantiles is None],
        'constant': [f.name for f in summary.features if f.constant],
        f'with values beyond {FAR} median absolute deviations': [
            f'{f.name} ({f.outliers:,})' for f in summary.features if f.outliers
        ],
    }
    for what, names in features.items():
        if names:
            found.append(f'features {what}: {brief(names)}')
    missing = [c.name for c in summary.classes if not c.clips]
    if missing:
        found.append(f'no clip of class {", ".join(missing)}')
    torn = [
        f'{c.name} {1 - c.agreeing:.1%}'
        for c in summary.classes
        if c.agreeing is not None and c.agreeing < 1
    ]
    if torn:
        found.append(
            f'clips with another label in more than half of their labelled frames: {brief(torn)}'
        )
    if len(summary.fps) > 1:
        found.append(
            f'frame rates differ ({", ".join(f"{rate:g}" for rate, _ in summary.fps)}): features '
            'per frame mean different things'
        )
    if summary.aspect[0] == (DEFAULT_ASPECT, summary.clips):
        found.append('the size of the picture is not known (or all are square)')
    if summary.videos == 1:
        found.append('a single video: no part can be split off for validation')
    return found


def brief(names: list[str], most: int = 6) -> str:
    """The first names of a list, and how many more there are."""
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more


def _distinct_frames(clips: Clips, length: np.ndarray) -> int:
    starts = frame_starts(clips)
    order = np.lexsort((starts, clips.video))
    start, end = starts[order], (starts + length)[order]
    # Clips of a video in the order in which they start: each adds what none before it reached.
    reached = np.maximum.accumulate(end + (clips.video[order].astype(np.int64) << 40))
    before = np.r_[-1, reached[:-1]]
    start = start + (clips.video[order].astype(np.int64) << 40)
    return int(np.maximum(reached - np.maximum(start, before), 0).sum())


def _classes(clips: Clips) -> tuple[ClassSummary, ...]:
    frame_label = np.asarray(clips.frame_label)  # [N, T]
    known = (frame_label != UNKNOWN_LABEL).sum(1)  # [N]
    own = (frame_label == clips.label[:, None]).sum(1) / np.maximum(known, 1)
    summaries = []
    for number, name in enumerate(clips.class_names):
        of_class = clips.label == number
        shares = own[of_class & (known > 0)]
        summaries.append(
            ClassSummary(
                name=name,
                clips=int(of_class.sum()),
                share=float(of_class.mean()),
                videos=len(np.unique(clips.video[of_class])),
                own_frames=(float(shares.min()), float(np.median(shares))) if len(shares) else None,
                agreeing=float((shares >= 0.5).mean()) if len(shares) else None,
            )
        )
    return tuple(summaries)


def _features(clips: Clips, frames: int) -> tuple[FeatureSummary, ...]:
    summaries = []
    features, mask = np.asarray(clips.features), np.asarray(clips.mask)
    for number, name in enumerate(clips.feature_names):
        values = features[..., number][mask[..., number]]
        quantiles, outliers = None, 0
        if len(values):
            quantiles = tuple(np.quantile(values, [0, 0.01, 0.5, 0.99, 1]).tolist())
            distance = np.abs(values - quantiles[2])
            deviation = np.median(distance)
            outliers = int((distance > FAR * deviation).sum()) if deviation else 0
        summaries.append(FeatureSummary(name, 1 - len(values) / frames, quantiles, outliers))
    return tuple(summaries)


def _joints(clips: Clips, frames: int) -> tuple[JointSummary, ...]:
    summaries = []
    skeleton, mask = np.asarray(clips.skeleton), np.asarray(clips.skeleton_mask)
    for number, name in enumerate(clips.joint_names):
        visibility = skeleton[..., number, 3][mask[..., number]]
        seen = tuple(np.quantile(visibility, [0.1, 0.5]).tolist()) if len(visibility) else None
        summaries.append(JointSummary(name, 1 - len(visibility) / frames, seen))
    return tuple(summaries)


def _counts(values: np.ndarray) -> tuple[tuple[float, int], ...]:
    found, clips = np.unique(values, return_counts=True)
    order = np.argsort(-clips, kind='stable')
    return tuple(zip(found[order].tolist(), clips[order].tolist(), strict=True))
