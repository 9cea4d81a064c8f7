"""Clips sorted into groups, to see where a classifier fails."""

import functools
from typing import NamedTuple

import jax
import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.data.mapped import row_slices
from posevid_jax.data.observed import count_observed
from posevid_jax.evaluation import units
from posevid_jax.evaluation.units import Unit
from posevid_jax.features import body_frame, on_host

_WRISTS = ('left_wrist', 'right_wrist')
_HANDS = 'wrist visibility'
_PARTS = ('lowest', 'second', 'third', 'highest')
_APART = 'each a video and a group of its own'
_MOST_RATES = 6  # frame rates that are listed one by one
_SHARES = (0.0, 0.25, 0.5, 0.75)  # upper ends of groups of gesture frames, all but the last
_SHARE_NAMES = ('none', '(0, 0.25]', '(0.25, 0.5]', '(0.5, 0.75]', '(0.75, 1]', 'no frame labels')


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


def groupings(clips: Clips) -> tuple[list[Grouping], dict[str, str]]:
    """The ways to sort clips into two groups or more, and the ways that find only one.

    By video, or by subject where every clip is a video of its own, quartile of visibility, quartile
    of the body's size (`body_size`), frame rate, and, with two classes, the share of a clip's
    labelled frames that show the gesture.

    Returns:
      (groupings, for each other way its title and the name of the one group that holds all clips).
    """
    title, seen = visibility(clips)
    every = [
        _by_unit(clips),
        by_quartile(title, seen),
        *([by_quartile(_HANDS, np.full(len(clips), np.nan))] if title != _HANDS else []),
        by_quartile('body size', body_size(clips)),
        _by_frame_rate(clips),
        *([_by_gesture_frames(clips)] if clips.num_classes == 2 else []),
    ]
    several = [grouping for grouping in every if len(grouping.names) > 1]
    return several, {one.title: one.names[0] for one in every if len(one.names) == 1}


def _by_unit(clips: Clips) -> Grouping:
    match units.of(clips):
        case None:
            return Grouping('video', list(clips.videos), clips.video.astype(np.int64))
        case Unit(name='subject'):
            return Grouping('subject', *units.subjects(clips))
        case _:
            return Grouping('video', [_APART], np.zeros(len(clips), np.int64))


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
        mask = clips.skeleton_mask
        assert mask is not None  # clips show features or joints
        return 'share observed', count_observed(mask) / mask[:1].size
    assert clips.skeleton is not None  # joints have names
    seen = np.empty(len(clips))
    for rows in row_slices(clips.skeleton):
        seen[rows] = clips.skeleton[rows][:, :, places, 3].mean(axis=(1, 2))
    return _HANDS, seen


def body_size(clips: Clips) -> np.ndarray:
    """Width of the shoulders in heights of the picture, [N]; NaN where they are not seen.

    The median over the clip of `body_frame.body_size`, which holds where a body turns aside.
    """
    if not set(body_frame.SHOULDERS) <= set(clips.joint_names):
        return np.full(len(clips), np.nan)
    arrays = {name: getattr(clips, name) for name in ('skeleton', 'skeleton_mask', 'aspect')}
    size, seen = on_host.by_block(
        functools.partial(_median_size, joint_names=clips.joint_names),
        arrays,
        np.arange(len(clips)),
    )
    return np.where(seen, size, np.nan)


@functools.partial(jax.jit, static_argnames='joint_names')
def _median_size(batch: dict[str, jax.Array], joint_names: tuple[str, ...]):
    whole_clip = 2 * batch['skeleton'].shape[1]
    size = body_frame.body_size(batch, joint_names, whole_clip)[:, 0]
    return size, size > 0


def by_quartile(title: str, value: np.ndarray) -> Grouping:
    """Four groups of about equal size by a number [N]; fewer where many are equal.

    Where the number is NaN, the clip is in a group of its own, `not seen`.
    """
    known = ~np.isnan(value)
    edges = np.unique(np.quantile(value[known], (0.25, 0.5, 0.75))) if known.any() else np.empty(0)
    place = np.where(known, np.searchsorted(edges, value, side='right'), len(edges) + 1)
    present, group = np.unique(place, return_inverse=True)
    seen = present[present <= len(edges)]
    names = []
    for g in range(len(seen)):
        some = value[group == g]
        part = f'{_PARTS[g]} quarter, ' if len(seen) == len(_PARTS) else ''
        names.append(f'{part}{some.min():.2f} to {some.max():.2f}')
    return Grouping(title, [*names, *(['not seen'] if not known.all() else [])], group)


def _by_frame_rate(clips: Clips) -> Grouping:
    rates, rate = np.unique(np.round(clips.fps), return_inverse=True)  # 29.97 is 30
    if len(rates) > _MOST_RATES:
        return by_quartile('frame rate', clips.fps)
    return Grouping('frame rate', [f'{r:g} per second' for r in rates], rate)


def _by_gesture_frames(clips: Clips) -> Grouping:
    gesture, known = np.zeros(len(clips)), np.zeros(len(clips))
    for rows in row_slices(clips.frame_label):
        labels = clips.frame_label[rows]
        gesture[rows] = (labels == 1).sum(axis=1)
        known[rows] = (labels != UNKNOWN_LABEL).sum(axis=1)
    # An upper end belongs to the group below it.
    place = np.searchsorted(_SHARES, gesture / np.maximum(known, 1), side='left')
    place = np.where(known > 0, place, len(_SHARES) + 1)
    present, group = np.unique(place, return_inverse=True)
    return Grouping('share of gesture frames', [_SHARE_NAMES[p] for p in present], group)
