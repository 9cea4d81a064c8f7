"""What is typical of a set of clips, so that a run can tell that others are unlike it."""

from typing import Any

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import row_slices

# Factors by which a rate or a shape may lie outside the range of the training clips before it
# differs much.
_RATE, _SHAPE = 1.2, 1.3
_MISSING = 0.25  # by how much the share of missing values may exceed that of training
_QUANTILES = (0.05, 0.5, 0.95)


def describe(clips: Clips) -> dict[str, Any]:
    """Rates, shapes of the picture, and how much is missing, JSON-ready.

    Args:
      clips: the training clips.

    Returns:
      `fps` and `aspect`, 5 %, 50 % and 95 % quantiles; `missing`, the share of joints, or of
      features where there are no joints, that are not observed.
    """
    return {
        'fps': np.quantile(clips.fps, _QUANTILES).tolist(),
        'aspect': np.quantile(clips.aspect, _QUANTILES).tolist(),
        'missing': _missing(clips),
    }


def typical_rate(known: dict[str, Any], fps: float) -> float | None:
    """The rate to resample to: the median of the training clips where `fps` differs much from
    theirs, else None."""
    low, middle, high = known['fps']
    return None if low / _RATE <= fps <= high * _RATE else float(middle)


def unlike(known: dict[str, Any], clips: Clips) -> list[str]:
    """Sentences about what differs much from the training clips.

    Args:
      known: from `describe`, of the training clips.
      clips: others.
    """
    found = []
    fps, aspect = float(np.median(clips.fps)), float(np.median(clips.aspect))
    if typical_rate(known, fps) is not None:
        found.append(
            f'{fps:g} frames a second, where it was trained on {known["fps"][1]:g}: '
            f'prepare.resample_fps={known["fps"][1]:g} makes clips of that rate'
        )
    low, middle, high = known['aspect']
    if not low / _SHAPE <= aspect <= high * _SHAPE:
        found.append(
            f'pictures {aspect:.2f} times as wide as high, where it was trained on {middle:.2f}: '
            'is prepare.video_size right?'
        )
    missing = _missing(clips)
    if missing > known['missing'] + _MISSING:
        found.append(f'{missing:.0%} missing, where it was trained on {known["missing"]:.0%}')
    return found


def _missing(clips: Clips) -> float:
    mask = clips.skeleton_mask if clips.skeleton_mask is not None else clips.mask
    if not mask.shape[-1]:
        return 0.0
    observed = sum(int(np.count_nonzero(mask[rows])) for rows in row_slices(mask))
    return 1 - observed / max(float(np.prod(mask.shape)), 1.0)
