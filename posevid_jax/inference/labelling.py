"""Which stretches of recordings to label next: in doubt, and spread over recordings.

Uncertainty sampling (Lewis and Gale, A sequential algorithm for training text classifiers, 1994),
with less and less of one recording, since what is in it is alike. `python -m
benchmarks.suggestions` measures what that is worth.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.inference.video_events import Video


class Stretch(NamedTuple):
    """A part of a recording that a person could label.

    Attributes:
      recording: its number.
      start, end: first frame, and the frame after the last one.
      seconds: its length.
      doubt: seconds of it that are expected to be wrong, by the probabilities.
    """

    recording: int
    start: int
    end: int
    seconds: float
    doubt: float


@dataclasses.dataclass(frozen=True)
class Cut:
    """A recording as stretches.

    Attributes:
      unlabelled: those to choose from.
      labelled: how many have a label already.
    """

    unlabelled: list[Stretch]
    labelled: int


def cut(video: Video, recording: int, seconds: float) -> Cut:
    """Cuts a recording into stretches of equal length.

    A frame is in doubt by one minus the probability of its most probable class, if anybody is seen
    in it: what cannot be seen cannot be labelled.

    Args:
      video: what was found in it.
      recording: its number.
      seconds: the length of stretches, roughly.
    """
    length = np.diff(video.seconds)
    posed = np.isfinite(video.recording.joints).all(-1).any(-1)  # [T]
    doubt = np.where(posed, 1 - video.probs.max(1), 0) * length
    known = np.zeros(len(length), bool) if video.label is None else video.label != UNKNOWN_LABEL
    count = max(round(length.sum() / seconds), 1)
    edges = np.linspace(0, len(length), min(count, len(length)) + 1).round().astype(int)
    parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    is_labelled = [bool(known[a:b].mean() >= 0.5) for a, b in parts]
    return Cut(
        [
            Stretch(recording, a, b, float(length[a:b].sum()), float(doubt[a:b].sum()))
            for (a, b), of in zip(parts, is_labelled, strict=True)
            if not of
        ],
        sum(is_labelled),
    )


def choose(cuts: list[Cut], seconds: float) -> list[Stretch]:
    """The stretches to label within a time, the one that teaches most first.

    Each time it is the one with most doubt a second, divided by one more than the stretches of its
    recording that are labelled or chosen.

    Args:
      cuts: of recordings 0, 1, ...
      seconds: to be labelled; the last stretch may go beyond it by half of its length.
    """
    left = [stretch for of in cuts for stretch in of.unlabelled]
    share = np.array([stretch.doubt / stretch.seconds for stretch in left])
    recording = np.array([stretch.recording for stretch in left], np.int64)
    taken = np.array([of.labelled for of in cuts], np.float64)
    free = np.ones(len(left), bool)
    chosen: list[Stretch] = []
    while free.any():
        best = int(np.where(free, share / (1 + taken[recording]), -1).argmax())
        if left[best].seconds / 2 > seconds:
            break
        chosen.append(left[best])
        seconds -= left[best].seconds
        free[best] = False
        taken[recording[best]] += 1
    return chosen


def joined(stretches: list[Stretch]) -> np.ndarray:
    """First frame and end of stretches of one recording, [A, 2], in order, neighbours as one."""
    spans = sorted((one.start, one.end) for one in stretches)
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return np.array(joined, np.int64).reshape(-1, 2)
