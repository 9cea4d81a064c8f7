"""Footage that is in two places: found by what the frames show, never by names.

Two videos of the same footage pass through the same poses in the same order. Their frames are
looked up in a table of poses (`_seeds`), which takes time in proportion to the number of frames;
where the pairs found lie on a line, one video is the other, shifted and perhaps faster or slower
(`_line`); and along that line the two must move alike (`_compare`). A person who keeps still
has one pose and no line, and so matches nobody.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.signatures import Signatures, frame_starts, signatures

WORD, CELL = 7, 0.4  # numbers of a signature that are rounded, and to what, to look a pose up
TABLES = 5  # with shifted cells: poses that a border parts in one share a cell in another
CROWD = 32  # most frames of a pose to pair with each other; of more, so many are taken, evenly
REACH = 0.35  # farthest distance of two frames that may be the same
SEEDS = 6  # pairs of frames that make a line
STRAY = 3.0  # most frames between a pair and its line
SPEEDS = (1 / 3, 3.0)  # slowest and fastest copy
SAME_SPEED = 0.05  # difference up to which a speed counts as the same
STRETCH, PAUSE = 24, 8  # frames: shortest stretch to report, longest gap in it
ALIKE = 0.6  # distance of two frames up to which a stretch goes on
AGREEMENT = 0.9  # least share of the movement that must be common
LIMIT = 1000  # most pairs of videos to report; more would say no more


@dataclasses.dataclass(frozen=True)
class SameFootage:
    """What two videos have in common.

    Attributes:
      videos: their identities.
      frames: first and last frame in each.
      length: frames of the first video that the second shows too; between the first and the last
        there may be frames that no clip holds.
      clips: numbers of the clips that show them, of each video in its set.
      speed: frames of the second video that pass in a frame of the first.
      agreement: share of the movement that is common in the longest stretch, 1 = all of it.
    """

    videos: tuple[str, str]
    frames: tuple[tuple[int, int], tuple[int, int]]
    length: int
    clips: tuple[tuple[int, ...], tuple[int, ...]]
    speed: float
    agreement: float


def find_same_footage(sets: Sequence[Clips]) -> tuple[str, list[SameFootage]]:
    """Videos of a set that show the same footage, or videos of one set that another one shows too.

    Found in spite of other clip borders, crops and speeds and of a little noise in the landmarks.

    Args:
      sets: one set, whose videos are compared with each other unless it puts them in one group
        itself; or two, compared with each other only.

    Returns:
      what was compared, `landmarks`, `features` or, where the sets have neither in common,
      `nothing`; and what was found, the longest first, LIMIT pairs at most.
    """
    signed = signatures(sets)
    if signed is None:
        return 'nothing', []
    if len(sets) == 1:
        apart = np.zeros(len(sets[0].videos), np.int32)
        apart[sets[0].video] = sets[0].group
    else:
        apart = np.repeat([0, 1], np.diff(signed.first_video))
    found = []
    for pairs in _by_videos(_seeds(signed, apart[signed.video]), signed.video):
        stretch = _compare(signed, pairs)
        if stretch is not None:
            found.append(_describe(sets, signed, signed.video[pairs[0]], *stretch))
        if len(found) == LIMIT:
            break
    found.sort(key=lambda same: -same.length)
    return signed.kind, found


def identical_clips(sets: Sequence[Clips]) -> list[list[tuple[int, int]]]:
    """Clips whose features and skeletons are equal bit for bit, as (set, clip) numbers, by content.

    Clips in which nothing moves are left out, such as those of frames without a pose.
    """
    places: dict[bytes, list[tuple[int, int]]] = {}
    for s, clips in enumerate(sets):
        columns = (clips.features, clips.mask, clips.skeleton, clips.skeleton_mask)
        for row in range(len(clips)):
            arrays = [column[row] for column in columns if column is not None]
            if any((array != array[0]).any() for array in arrays):
                digest = hashlib.blake2b(digest_size=16)
                for array in arrays:
                    digest.update(np.ascontiguousarray(array).data)
                places.setdefault(digest.digest(), []).append((s, row))
    return [clips for clips in places.values() if len(clips) > 1]


def _seeds(signed: Signatures, group: np.ndarray) -> np.ndarray:
    """[P, 2] i64 rows, ascending, of frames that look the same and differ in `group` [M]."""
    rng = np.random.Generator(np.random.Philox(0))
    found = [np.zeros((0, 2), np.int64)]
    for _ in range(TABLES):
        pose = _poses(signed.values[:, :WORD], rng.uniform(0, CELL, WORD))
        # A pose that lasts counts once, with the frame in which it is taken up.
        taken_up = np.r_[True, (np.diff(pose) != 0) | (np.diff(signed.video) != 0)]
        order = np.flatnonzero(taken_up)
        order = order[np.argsort(pose[order], kind='stable')]  # by pose, then video, then frame
        order = order[_evenly(pose[order], CROWD)]
        at, lag = np.arange(len(order)), 0
        while len(at):  # those that have a neighbour in their pose, then a second, ...
            lag += 1
            at = at[at + lag < len(order)]
            at = at[pose[order[at]] == pose[order[at + lag]]]
            pairs = np.stack([order[at], order[at + lag]], 1)
            pairs = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
            found.append(pairs[_apart(signed, pairs) < REACH])
    return np.unique(np.concatenate(found), axis=0)


def _poses(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """[M] i64 equal for frames in the same cell of a grid."""
    cells = np.floor((values + shift[: values.shape[1]]) / CELL).astype(np.int64)
    pose = np.zeros(len(values), np.int64)
    for cell in cells.T:
        pose = pose * 1_000_003 + cell  # wraps: two cells in one are told apart by their distance
    return pose


def _evenly(values: np.ndarray, most: int) -> np.ndarray:
    """[M] bool: of each run of equal values, all, or `most` of them at even distances."""
    starts = np.flatnonzero(np.r_[True, np.diff(values) != 0])
    sizes = np.diff(np.r_[starts, len(values)])
    rank = np.arange(len(values)) - np.repeat(starts, sizes)
    share = np.repeat(np.minimum(most / sizes, 1), sizes)
    return np.floor((rank + 1) * share + 1e-9) > np.floor(rank * share + 1e-9)


def _by_videos(pairs: np.ndarray, video: np.ndarray) -> Iterator[np.ndarray]:
    """The pairs of each two videos that have enough of them, the most first."""
    of_pair = video[pairs].astype(np.int64)  # [P, 2]
    key = (of_pair[:, 0] << 32) + of_pair[:, 1]
    order = np.argsort(key, kind='stable')
    by_videos = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    for some in sorted(by_videos, key=len, reverse=True):
        if len(some) < SEEDS:
            break
        yield pairs[some]


def _apart(signed: Signatures, pairs: np.ndarray) -> np.ndarray:
    """[P] distances of the signatures of pairs of rows [P, 2]."""
    return np.linalg.norm(signed.values[pairs[:, 0]] - signed.values[pairs[:, 1]], axis=1)


def _nearest(signed: Signatures, pairs: np.ndarray) -> np.ndarray:
    """Of the pairs of each first frame, the one whose frames are most alike."""
    pairs = pairs[np.lexsort((_apart(signed, pairs), pairs[:, 0]))]
    return pairs[np.r_[True, np.diff(pairs[:, 0]) != 0]]


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """Speed and offset of the line through most of the points (x, y) [P], if enough lie on one."""
    some = np.unique(np.linspace(0, len(x) - 1, 48).astype(int))
    i, j = (some[k] for k in np.triu_indices(len(some), 1))
    far = np.abs(x[j] - x[i]) > STRAY
    i, j = i[far], j[far]
    speed = (y[j] - y[i]) / (x[j] - x[i])
    likely = (speed > SPEEDS[0]) & (speed < SPEEDS[1])
    speed, i = speed[likely], i[likely]
    if not len(speed):
        return None
    beside = y[some] - y[i, None] - speed[:, None] * (x[some] - x[i, None])  # [lines, some]
    best = int((np.abs(beside) <= STRAY).sum(1).argmax())
    slope, offset = speed[best], y[i[best]] - speed[best] * x[i[best]]
    on_line = np.abs(y - slope * x - offset) <= STRAY
    if on_line.sum() < SEEDS:
        return None
    slope, offset = np.polyfit(x[on_line], y[on_line], 1)
    return float(slope), float(offset)


def _compare(signed: Signatures, pairs: np.ndarray) -> tuple[Any, ...] | None:
    """What the two videos of some pairs have in common.

    Returns:
      `frames`, `length`, `speed` and `agreement` of SameFootage; None when they do not move alike.
    """
    line = _line(*signed.frame[_nearest(signed, pairs)].T.astype(np.float64))
    if line is None:
        return None
    speed, offset = line
    first, second = signed.video[pairs[0]]
    # The video with more frames is read at the times of the other's.
    if speed >= 1:
        runs, at, agreement = _along(signed, first, second, speed, offset)
    else:
        runs, at, agreement = _along(signed, second, first, 1 / speed, -offset / speed)
    # With a free choice of speed, chance finds a likeness sooner, so it must last longer.
    least = STRETCH if abs(speed - 1) < SAME_SPEED else 2 * STRETCH
    if agreement < AGREEMENT or max(map(len, runs)) < least:
        return None
    ends = [(int(runs[0][0]), int(runs[-1][-1])), (round(at[0]), round(at[1]))]
    length = sum(map(len, runs))
    if speed < 1:
        ends, length = ends[::-1], round(length / speed)
    return tuple(ends), length, speed, agreement


def _along(
    signed: Signatures, video: int, other: int, speed: float, offset: float
) -> tuple[list[np.ndarray], tuple[float, float], float]:
    """The stretches in which a video shows what another does at frames `speed * frame + offset`.

    Returns:
      runs of frames, STRETCH or more; the ends of all in the other video; and the share of the
      movement in the longest run that is common. Without a run, one of no frames, and 0.
    """
    ours, theirs = (
        slice(*np.searchsorted(signed.video, [number, number + 1])) for number in (video, other)
    )
    frame, values = signed.frame[ours], signed.values[ours]
    frames, others = signed.frame[theirs], signed.values[theirs]
    at = speed * frame + offset
    right = np.clip(np.searchsorted(frames, at), 1, len(frames) - 1)
    gap = frames[right] - frames[right - 1]
    share = (at - frames[right - 1]) / gap
    shown = others[right - 1] + share[:, None] * (others[right] - others[right - 1])
    error = np.square(values - shown).sum(1)
    inside = (share >= -1 / gap) & (share <= 1 + 1 / gap) & (gap <= PAUSE)
    alike = np.flatnonzero(inside & (error < ALIKE**2))
    runs = np.split(alike, np.flatnonzero(np.diff(frame[alike]) > PAUSE) + 1)
    runs = [run for run in runs if len(run) >= STRETCH]
    if not runs:
        return [alike[:0]], (0.0, 0.0), 0.0
    longest = max(runs, key=len)
    movement = np.square(values[longest] - values[longest].mean(0)).sum()
    agreement = 1 - error[longest].sum() / max(movement, 1e-9)
    at = np.clip(at, frames[0], frames[-1])
    ends = (float(at[runs[0][0]]), float(at[runs[-1][-1]]))
    return [frame[run] for run in runs], ends, float(agreement)


def _describe(
    sets: Sequence[Clips],
    signed: Signatures,
    videos: np.ndarray,
    frames: tuple[tuple[int, int], tuple[int, int]],
    length: int,
    speed: float,
    agreement: float,
) -> SameFootage:
    """Adds names and clips; `videos` are the numbers of the two in `signed`."""
    names, clips = [], []
    for video, (first, last) in zip(videos, frames, strict=True):
        s = int(np.searchsorted(signed.first_video, video, side='right')) - 1
        video = video - signed.first_video[s]
        start = frame_starts(sets[s])
        shows = (start <= last) & (start + sets[s].features.shape[1] > first)
        names.append(sets[s].videos[video])
        clips.append(tuple(np.flatnonzero(shows & (sets[s].video == video)).tolist()))
    return SameFootage(
        videos=tuple(names),
        frames=frames,
        length=length,
        clips=tuple(clips),
        speed=speed,
        agreement=agreement,
    )
