"""A few numbers for each frame that stay the same when its footage is cut, cropped or scaled."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.mapped import Column

MIN_JOINTS, MIN_FEATURES = 5, 3  # fewer in common do not tell frames apart
COMMON = 0.9  # of how often most are observed; what is seen less often would cost too many frames
SIZE = 16  # numbers of a signature
SAMPLE = 20_000  # most frames to find the directions of largest variance from
CHUNK = 65_536  # frames at a time


@dataclasses.dataclass(frozen=True)
class Signatures:
    """The distinct frames of several clip sets in which enough was observed, by video and frame.

    Attributes:
      kind: what was compared, `landmarks` or `features`.
      values: [M, Q] f32; the distance of two rows says how different two frames look.
      video: [M] i32, counted over all sets: those of set s begin at `first_video[s]`.
      frame: [M] i64, as `frame_starts` counts.
      first_video: [sets + 1].
    """

    kind: str
    values: np.ndarray
    video: np.ndarray
    frame: np.ndarray
    first_video: np.ndarray


def signatures(sets: Sequence[Clips]) -> Signatures | None:
    """Signatures of frames that can be compared over all the sets.

    From landmarks where the sets share enough joints: x and y, each centred on the joints' mean and
    divided by their deviation, so that neither crop nor scale nor aspect matters. Otherwise from
    the features they share, robustly scaled. Then the directions of largest variance.

    Returns:
      None when the sets have too little in common, or it was observed in hardly a frame.
    """
    joints = _usual([c.joint_names for c in sets], [c.skeleton_mask for c in sets])
    features = _usual([c.feature_names for c in sets], [c.mask for c in sets])
    if len(joints) >= MIN_JOINTS:
        kind, columns = 'landmarks', [[c.joint_names.index(j) for j in joints] for c in sets]
        masks = [np.asarray(c.skeleton_mask) for c in sets]
    elif len(features) >= MIN_FEATURES:
        kind, columns = 'features', [[c.feature_names.index(f) for f in features] for c in sets]
        masks = [np.asarray(c.mask) for c in sets]
    else:
        return None
    where = [
        _frames(c, np.all(m[..., k], -1)) for c, m, k in zip(sets, masks, columns, strict=True)
    ]
    if sum(len(at) for _, _, at in where) < SIZE:
        return None
    readers = [
        _places(c, at, k) if kind == 'landmarks' else _values(c, at, k)
        for c, (_, _, at), k in zip(sets, where, columns, strict=True)
    ]
    first_video = np.cumsum([0, *(len(c.videos) for c in sets)])
    return Signatures(
        kind=kind,
        values=_project(readers, [len(at) for _, _, at in where], robust=kind == 'features'),
        video=np.concatenate([v + n for (v, _, _), n in zip(where, first_video, strict=False)]),
        frame=np.concatenate([frame for _, frame, _ in where]),
        first_video=first_video,
    )


def frame_starts(clips: Clips) -> np.ndarray:
    """[N] i64 first frame of each clip in its video.

    Clips without one are placed after all that have one, a clip's length apart.
    """
    t = clips.features.shape[1]
    start = clips.start_frame.astype(np.int64)
    unknown = np.flatnonzero(start == UNKNOWN_FRAME)
    behind = np.zeros(len(clips.videos), np.int64)
    np.maximum.at(behind, clips.video, np.where(start == UNKNOWN_FRAME, 0, start + 2 * t))
    by_video = unknown[np.argsort(clips.video[unknown], kind='stable')]
    video = clips.video[by_video]
    rank = np.arange(len(video)) - np.searchsorted(video, video)
    start[by_video] = behind[video] + 2 * t * rank
    return start


def _usual(names: list[tuple[str, ...]], masks: Sequence[Column | None]) -> list[str]:
    """The names that all sets have and that are observed about as often as most of them."""
    common = [name for name in names[0] if all(name in others for others in names)]
    for of_set, mask in zip(names, masks, strict=True):
        if not common:
            break
        share = dict(zip(of_set, np.mean(np.asarray(mask), (0, 1)), strict=True))
        usual = np.median([share[name] for name in common])
        common = [name for name in common if share[name] >= max(COMMON * usual, 1e-9)]
    return common


def _frames(clips: Clips, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Video, frame and position in [N * T] of the distinct frames that `observed` [N, T] marks."""
    row, t = np.nonzero(observed)
    video, frame = clips.video[row], frame_starts(clips)[row] + t
    _, first = np.unique((video.astype(np.int64) << 40) + frame, return_index=True)
    return video[first], frame[first], (row * observed.shape[1] + t)[first]


def _places(clips: Clips, at: np.ndarray, joints: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    """A function from some of the frames to their joints' places [m, 2J]."""
    skeleton = np.asarray(clips.skeleton)
    flat = skeleton.reshape(-1, *skeleton.shape[2:])

    def read(some: np.ndarray) -> np.ndarray:
        xy = flat[at[some]][:, joints, :2].swapaxes(1, 2)  # [m, 2, J]
        xy = xy - xy.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(xy).mean(-1, keepdims=True))
        return (xy / np.maximum(spread, 1e-6)).reshape(len(xy), -1)

    return read


def _values(clips: Clips, at: np.ndarray, columns: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    flat = np.asarray(clips.features).reshape(-1, clips.features.shape[2])
    return lambda some: flat[at[some]][:, columns]


def _project(
    readers: list[Callable[[np.ndarray], np.ndarray]], counts: list[int], *, robust: bool
) -> np.ndarray:
    """[M, Q] the frames of all sets along the directions of their largest variance.

    Args:
      readers: of each set.
      counts: frames of each set.
      robust: centre and scale each column first, as columns with units of their own need.
    """
    step = -(-sum(counts) // SAMPLE)
    sample = np.concatenate(
        [read(np.arange(0, n, step)) for read, n in zip(readers, counts, strict=True)]
    ).astype(np.float64)
    center, scale = sample.mean(0), np.ones(sample.shape[1])
    if robust:
        low, center, high = np.quantile(sample, [0.1, 0.5, 0.9], axis=0)
        scale = np.where(high > low, (high - low) / 2, np.inf)  # a column that stands still says 0

    def scaled(values: np.ndarray) -> np.ndarray:
        values = (values - center) / scale
        return np.clip(values, -4, 4) if robust else values

    _, directions = np.linalg.eigh(np.cov(scaled(sample).T))
    directions = directions[:, ::-1][:, :SIZE]
    return np.concatenate([
        scaled(read(np.arange(start, min(start + CHUNK, n)))) @ directions
        for read, n in zip(readers, counts, strict=True)
        for start in range(0, n, CHUNK)
    ]).astype(np.float32)  # fmt: skip
