"""Folds for cross-validation that keep every recording, and all footage of it, in one fold."""

import warnings
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from posevid_jax.data import leakage
from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError


def joined_groups(clips: Clips, footage: Sequence[leakage.SameFootage]) -> np.ndarray:
    """`clips.group`, with groups that show the same footage merged.

    Args:
      clips: one set.
      footage: what `leakage.find_same_footage([clips])` found.

    Returns:
      [N] i32, the number of each clip's group, from 0.
    """
    _, group = np.unique(clips.group, return_inverse=True)
    count = group.max() + 1
    of_video = dict(zip(clips.video, group, strict=True))
    number = {identity: of_video[v] for v, identity in enumerate(clips.videos)}
    ends = np.array([[number[v] for v in same.videos] for same in footage], int).reshape(-1, 2)
    shown_twice = sparse.coo_array((np.ones(len(ends)), ends.T), shape=(count, count))
    return sparse.csgraph.connected_components(shown_twice, directed=False)[1][group]


def make_folds(label: np.ndarray, group: np.ndarray, num_folds: int, seed: int) -> np.ndarray:
    """Deals whole groups out to folds, alike in size and in classes as far as groups allow.

    Args:
      label: [N] classes.
      group: [N] what must stay together.
      num_folds: how many folds.
      seed: of the order in which groups of equal make-up are dealt out.

    Returns:
      [N] i32, the fold of each clip, from 0.

    Raises:
      InputError: fewer than two folds or more than there are groups, or a class that is all in one
        fold and so cannot be learnt without it.
    """
    groups = len(np.unique(group))
    if not 2 <= num_folds <= groups:
        raise InputError(
            f'cv.folds: found {num_folds}, expected 2 to {groups}, the number of videos '
            '(those of one group_id, or of the same footage, count once)'
        )
    from sklearn.model_selection import StratifiedGroupKFold  # a second, and only folds need it

    dealer = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    fold = np.empty(len(label), np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # of a rare class, which is looked at below
        for number, (_, held_out) in enumerate(dealer.split(label, label, group)):
            fold[held_out] = number
    for k in np.unique(label):
        if len(np.unique(fold[label == k])) < 2:
            raise InputError(
                f'label: found class {k} in a single fold, expected it in two or more, to learn '
                'from one and judge by the other; other videos or another cv.folds may help'
            )
    return fold
