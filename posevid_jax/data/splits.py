"""Train / validation splits that keep every recording whole."""

from typing import NamedTuple

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError


class Sides(NamedTuple):
    """Video ids by the side of a split that they are on."""

    train: frozenset[str] = frozenset()
    val: frozenset[str] = frozenset()


def sides(train: Clips, val: Clips) -> Sides:
    """Which videos are on which side."""
    return Sides(frozenset(train.video_ids), frozenset(val.video_ids))


def split_by_video(
    clips: Clips, val_fraction: float, seed: int, known: Sides | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Splits clips by group (a video, or the recordings that belong together).

    Every class comes as close to `val_fraction` as whole groups allow: a random order of the groups
    is read once, taking each that helps, then single groups change sides while that helps.

    Args:
      val_fraction: wanted share of the clips of each class in validation, between 0 and 1.
      seed: of the random order.
      known: videos of an earlier split, which stay on their side, with their group; None for none.

    Returns:
      (train rows, validation rows), ascending i64, neither empty, no group in both.

    Raises:
      InputError: the fraction is out of range, there is only one group, or a group holds known
        videos of both sides.
    """
    if not 0 < val_fraction < 1:
        raise InputError(f'data.val_fraction: found {val_fraction}, expected between 0 and 1')
    groups, group = np.unique(clips.group, return_inverse=True)
    if len(groups) < 2:
        raise InputError(
            f'{clips.videos[0]}: found a single video, expected several to split validation off'
        )
    counts = np.zeros((len(groups), clips.num_classes))  # [groups, K]
    np.add.at(counts, (group, clips.label), 1)
    on_train, on_val = _known_groups(clips, group, known or Sides())
    in_val = _choose(counts[:, counts.any(0)], val_fraction, seed, on_train, on_val)
    if in_val.all() or not in_val.any():
        raise InputError(
            f'data.val_fraction: all {len(clips.videos)} videos stay on the side on which an '
            'earlier split had them, which leaves none to '
            f'{"train on" if in_val.all() else "validate on"}; expected further videos, or data.val'
        )
    return np.flatnonzero(~in_val[group]), np.flatnonzero(in_val[group])


def _known_groups(clips: Clips, group: np.ndarray, known: Sides) -> list[np.ndarray]:
    """[groups] bool of the groups with known videos in training, and of those in validation."""
    ids = np.array(clips.video_ids)
    sides = [np.bincount(group, np.isin(ids, list(side))) > 0 for side in known]
    if (both := np.flatnonzero(sides[0] & sides[1])).size:
        videos = ', '.join(np.unique(ids[group == both[0]])[:4])
        raise InputError(
            f'{clips.videos[0].partition(":")[0]}: videos {videos} belong together, but an earlier '
            'split had some of them in training and some in validation; expected data.val, to say '
            'what to validate on'
        )
    return sides


def _choose(
    counts: np.ndarray, fraction: float, seed: int, on_train: np.ndarray, on_val: np.ndarray
) -> np.ndarray:
    """Which groups go to validation, [groups] bool, from their clips per class [groups, K].

    Groups of `on_train` and `on_val`, [groups] bool, stay there.
    """
    in_val = on_val.copy()
    val = counts[on_val].sum(0).astype(float)
    total = counts.sum(0)
    fixed = on_train | on_val
    for g in np.random.Generator(np.random.Philox(seed)).permutation(len(counts)):
        if fixed[g]:
            continue
        if _cost(val + counts[g], total, fraction) < _cost(val, total, fraction):
            in_val[g] = True
            val += counts[g]
    cost = _cost(val, total, fraction)
    while True:
        after = _cost(val + np.where(in_val, -1, 1)[:, None] * counts, total, fraction)  # [groups]
        after[fixed] = np.inf
        best = int(after.argmin())
        if after[best] >= cost:
            return in_val
        val += -counts[best] if in_val[best] else counts[best]
        in_val[best] ^= True
        cost = after[best]


def _cost(val: np.ndarray, total: np.ndarray, fraction: float) -> np.ndarray:
    """Distance of the validation counts [..., K] from the wanted share, over the last axis.

    A class missing on one side costs more than any wrong size, an empty side more than any number
    of missing classes: metrics without a class are undefined, a set without clips is none.
    """
    train = total - val
    wrong_size = np.square(val / total - fraction).mean(-1)  # at most 1
    missing = ((val == 0) | (train == 0)).sum(-1)
    empty = (val == 0).all(-1) | (train == 0).all(-1)
    return wrong_size + 2.0 * missing + 2.0 * total.size * empty
