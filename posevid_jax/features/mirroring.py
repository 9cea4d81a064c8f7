"""Clips as they are seen in a mirror, and whether a gesture is the same there."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.features import names, on_host, resampling, sources

CHOICES = ('auto', 'on', 'off')

_MOST_CLIPS = 1000
_FOLDS = 4
_FRAMES, _PARTS = 32, 8
_RIDGE = 0.1  # of the number of statistics, which are standardised
# Of what a classifier gains over the most frequent class, the share that it must keep when it
# learned from mirrored clips alone.
_KEPT = 0.7


def image(batch: dict[str, Array], joint_names: Sequence[str]) -> dict[str, Array]:
    """A batch in a mirror: x becomes 1 - x, and joints exchange left and right.

    Args:
      batch: with `skeleton` `[B, T, J, 4]`, 0 where missing, and `skeleton_mask` `[B, T, J]`; the
        rest stays as it is.
      joint_names: of the J joints, every one with its partner.
    """
    partner = names.opposites(joint_names, 'features.mirror')
    at, seen = (batch[name][:, :, partner] for name in ('skeleton', 'skeleton_mask'))
    at = jnp.where(seen[..., None], at.at[..., 0].set(1 - at[..., 0]), 0.0)
    return batch | {'skeleton': at, 'skeleton_mask': seen}


def is_same_gesture(clips: Clips, features: ConfigDict) -> bool:
    """Whether clips are recognised by what their mirror images teach.

    They are where people use either hand and face either way. They are not where everybody waves
    with the right hand, nor where swiping to the left is one class and to the right another. A
    ridge classifier of means and deviations in eighths of the clip learns from clips, and again
    from their mirror images; both judge clips of other groups as they are.

    Args:
      clips: those of training, with the joints that `features.source` needs.
      features: `config.features`, with a computed source.
    """
    try:
        names.opposites(clips.joint_names, 'features.mirror')
    except InputError:  # a joint without a partner
        return False
    rows = np.arange(0, len(clips), -(-len(clips) // _MOST_CLIPS))
    label, group = clips.label[rows], clips.group[rows]
    if len(np.unique(group)) < _FOLDS:
        return False
    arrays = {name: getattr(clips, name) for name in sources.READS}
    own, mirrored = (
        _statistics(arrays, rows, clips.joint_names, features, seen) for seen in (False, True)
    )
    trivial = np.bincount(label).max() / len(label)
    from_own, from_mirrored = (_accuracy(x, own, label, group) for x in (own, mirrored))
    gained, kept = from_own - trivial, from_mirrored - trivial
    return bool(gained > 0 and kept >= _KEPT * gained)


def _statistics(
    arrays: on_host.Arrays,
    rows: np.ndarray,
    joint_names: tuple[str, ...],
    features: ConfigDict,
    mirrored: bool,
) -> np.ndarray:
    """Means and deviations of the features in parts of each clip, `[n, 2 F parts]`."""

    def compute(batch: dict[str, np.ndarray]) -> tuple[Array, Array]:
        seen = {name: jnp.asarray(array) for name, array in batch.items()}
        seen = image(seen, joint_names) if mirrored else seen
        found = sources.COMPUTED[features.source].compute(seen, joint_names, features)
        return resampling.resample(*found, _FRAMES)

    x, _ = on_host.by_block(compute, arrays, rows)
    parts = x.reshape(len(x), _PARTS, -1, x.shape[-1])
    return np.concatenate([parts.mean(2), parts.std(2)], axis=1).reshape(len(x), -1)


def _accuracy(
    learned: np.ndarray, judged: np.ndarray, label: np.ndarray, group: np.ndarray
) -> float:
    """The share of rows that are recognised by what the rows of other groups teach."""
    from sklearn.linear_model import RidgeClassifier  # a second, and only `auto` needs it
    from sklearn.model_selection import GroupKFold

    right = 0
    for train, test in GroupKFold(_FOLDS).split(judged, groups=group):
        center, scale = judged[train].mean(0), judged[train].std(0) + 1e-6
        x, z = ((some - center) / scale for some in (learned[train], judged[test]))
        ridge = RidgeClassifier(alpha=_RIDGE * x.shape[1]).fit(x, label[train])
        right += np.count_nonzero(ridge.predict(z) == label[test])
    return right / len(label)
