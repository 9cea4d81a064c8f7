"""Whether the depth of skeletons is a measurement or a guess."""

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.joints import parents

_MOST_CLIPS = 500
# Bones keep their length in space and not in the picture: with a depth that is measured, lengths
# vary less than without it, at least by this factor.
_STEADIER = 0.9


def carries_information(clips: Clips) -> bool:
    """Whether z makes the lengths of bones steadier than x and y alone.

    A depth sensor's does; that which a single camera's estimator guesses does not, nor do zeros.
    Compares the coefficient of variation of each bone's length over the frames of a clip, median
    over bones and clips.

    Args:
      clips: of training; False without a skeleton, or with no bones among its joints.
    """
    bones = [
        (clips.joint_names.index(a), clips.joint_names.index(b))
        for a, b in parents(clips.joint_names).items()
    ]
    if clips.skeleton is None or clips.skeleton_mask is None or not bones:
        return False
    rows = slice(None, None, -(-len(clips) // _MOST_CLIPS))
    skeleton, mask = clips.skeleton[rows], clips.skeleton_mask[rows]
    if not skeleton[..., 2].any():
        return False
    aspect = clips.aspect[rows][:, None, None]
    one, other = map(list, zip(*bones, strict=True))
    way = skeleton[:, :, one, :3] - skeleton[:, :, other, :3]  # [N, T, bones, 3]
    seen = mask[:, :, one] & mask[:, :, other]
    flat = np.hypot(way[..., 0] * aspect, way[..., 1])
    flat_varies, deep_varies = (
        _variation(length, seen) for length in (flat, np.hypot(flat, way[..., 2] * aspect))
    )
    return deep_varies < _STEADIER * flat_varies


def _variation(length: np.ndarray, seen: np.ndarray) -> float:
    """Deviation over mean along the frames [N, T, bones], median over clips and bones."""
    count = np.maximum(seen.sum(1), 1)
    mean = np.where(seen, length, 0).sum(1) / count
    square = np.where(seen, (length - mean[:, None]) ** 2, 0).sum(1) / count
    usable = (seen.sum(1) > 1) & (mean > 0)
    if not usable.any():
        return 0.0
    return float(np.median(np.sqrt(square[usable]) / mean[usable]))
