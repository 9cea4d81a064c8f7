"""Missing values: turns NaN into 0 under a mask, and warns of how many there are."""

import numpy as np

from posevid_jax.data.mapped import Column, row_slices
from posevid_jax.errors import InputError

_MUCH = 0.5  # share of missing values that is worth a warning


def split_missing(
    values: np.ndarray, mask: np.ndarray | None, *, in_place: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Values in single precision with 0 where they are missing, and a mask.

    Args:
      values: [N, ...]; what is NaN, or infinite in single precision, is missing.
      mask: [N, ...], False = missing whatever the value.
      in_place: overwrite `values` where its dtype and layout allow.

    Returns:
      (values f32, observed bool, number of infinities).
    """
    flags = values.flags
    in_place &= values.dtype == np.float32 and flags.c_contiguous and flags.writeable
    single = values if in_place else np.empty(values.shape, np.float32)
    observed = np.empty(values.shape, bool)
    infinite = 0
    for rows in row_slices(single):
        x, seen = single[rows], observed[rows]
        if not in_place:
            with np.errstate(over='ignore'):
                x[...] = values[rows]
        np.isfinite(x, out=seen)
        if not seen.all():
            infinite += int(np.isinf(x).sum())
        if mask is not None:
            seen &= mask[rows].astype(bool)
        x[~seen] = 0
    return single, observed, infinite


def count_observed(mask: Column) -> np.ndarray:
    """[N] how many values of each clip are observed, from a mask [N, ...]."""
    counts = np.zeros(len(mask), np.int64)
    for rows in row_slices(mask):
        some = mask[rows]
        counts[rows] = np.count_nonzero(some.reshape(len(some), -1), axis=1)
    return counts


def empty_rows(
    features: np.ndarray, mask: np.ndarray | None, skeleton: np.ndarray | None
) -> np.ndarray:
    """The clips [n] i64 without a single observed value, from arrays with NaN for missing."""
    empty = np.ones(len(features), bool)
    for rows in row_slices(features):
        seen = np.isfinite(features[rows])
        if mask is not None:
            seen &= mask[rows].astype(bool)
        empty[rows] = ~seen.reshape(len(seen), -1).any(1)
    if skeleton is not None:
        for row in np.flatnonzero(empty):
            empty[row] = not np.isfinite(skeleton[row]).all(-1).any()
    return np.flatnonzero(empty)


def warnings(mask: Column, skeleton_mask: Column | None, infinite: int = 0) -> list[str]:
    """Warnings about the missing values of a clip set, one line each.

    Args:
      mask: [N, T, F].
      skeleton_mask: [N, T, J] or None.
      infinite: how many values were infinite.

    Raises:
      InputError: nothing is observed at all.
    """
    counts = count_observed(mask)
    size = mask[:1].size
    observed = counts if skeleton_mask is None else counts + count_observed(skeleton_mask)
    empty = np.flatnonzero(observed == 0)
    if len(empty) == len(observed):
        raise InputError('features: found no observed value in any clip, expected some')
    lines = []
    if infinite:
        lines.append(f'features: {infinite} infinite values count as missing')
    if len(empty):
        lines.append(
            f'features: {len(empty)} of {len(observed)} clips hold no observed value '
            f'(the first is clip {empty[0]})'
        )
    missing = 1 - counts.sum() / max(size * len(counts), 1)
    if size and missing > _MUCH:
        lines.append(f'features: {missing:.0%} of the values are missing')
    return lines
