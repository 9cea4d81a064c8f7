"""Clips sorted into groups, to see where a classifier fails."""

from typing import NamedTuple

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import row_slices
from posevid_jax.data.observed import count_observed

_WRISTS = ('left_wrist', 'right_wrist')
_PARTS = ('lowest', 'second', 'third', 'highest')


class Grouping(NamedTuple):
    """A way to sort clips.

    Attributes:
      title: what the groups differ in.
      names: of the groups; each has at least one clip.
      group: [N] i64, index into `names`.
    """

    title: str
    names: list[str]
    group: np.ndarray


def groupings(clips: Clips) -> list[Grouping]:
    """By video, quartile of visibility, and frame rate; only those with two groups or more."""
    rates, rate = np.unique(np.round(clips.fps), return_inverse=True)  # 29.97 is 30
    every = [
        Grouping('video', list(clips.videos), clips.video.astype(np.int64)),
        by_quartile(*visibility(clips)),
        Grouping('frame rate', [f'{r:g} per second' for r in rates], rate),
    ]
    return [grouping for grouping in every if len(grouping.names) > 1]


def visibility(clips: Clips) -> tuple[str, np.ndarray]:
    """How well the hands are seen: a name for it, and [N] from 0 to 1.

    The mean visibility of the wrists over the frames, 0 where a wrist is missing; without wrists,
    the share of all values that is observed.
    """
    places = [clips.joint_names.index(name) for name in _WRISTS if name in clips.joint_names]
    if not places:
        size = clips.mask[:1].size
        if size:
            return 'share observed', count_observed(clips.mask) / size
        return 'share observed', count_observed(clips.skeleton_mask) / clips.skeleton_mask[:1].size
    seen = np.empty(len(clips))
    for rows in row_slices(clips.skeleton):
        seen[rows] = clips.skeleton[rows][:, :, places, 3].mean(axis=(1, 2))
    return 'wrist visibility', seen


def by_quartile(title: str, value: np.ndarray) -> Grouping:
    """Four groups of about equal size by a number [N]; fewer where many are equal."""
    edges = np.unique(np.quantile(value, (0.25, 0.5, 0.75)))
    present, group = np.unique(np.searchsorted(edges, value, side='right'), return_inverse=True)
    names = []
    for g in range(len(present)):
        some = value[group == g]
        part = f'{_PARTS[g]} quarter, ' if len(present) == len(_PARTS) else ''
        names.append(f'{part}{some.min():.2f} to {some.max():.2f}')
    return Grouping(title, names, group)
