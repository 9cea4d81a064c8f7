"""Train / validation splits that keep every recording whole."""

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError


def split_by_video(clips: Clips, val_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits clips by group (a video, or the recordings that belong together).

    Every class comes as close to `val_fraction` as whole groups allow: a random order of the groups
    is read once, taking each that helps, then single groups change sides while that helps.

    Args:
      val_fraction: wanted share of the clips of each class in validation, between 0 and 1.
      seed: of the random order.

    Returns:
      (train rows, validation rows), ascending i64, neither empty, no group in both.

    Raises:
      InputError: the fraction is out of range, or there is only one group.
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
    in_val = _choose(counts[:, counts.any(0)], val_fraction, seed)
    return np.flatnonzero(~in_val[group]), np.flatnonzero(in_val[group])


def _choose(counts: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which groups go to validation, [groups] bool, from their clips per class [groups, K]."""
    in_val = np.zeros(len(counts), bool)
    val = np.zeros(counts.shape[1])
    total = counts.sum(0)
    for g in np.random.Generator(np.random.Philox(seed)).permutation(len(counts)):
        if _cost(val + counts[g], total, fraction) < _cost(val, total, fraction):
            in_val[g] = True
            val += counts[g]
    cost = _cost(val, total, fraction)
    while True:
        after = _cost(val + np.where(in_val, -1, 1)[:, None] * counts, total, fraction)  # [groups]
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
