"""Where joints are: shares of the picture, pixels, or coordinates about the body itself.

Told apart by the values of the whole file. Everything becomes shares of a picture.
"""

from typing import NamedTuple

import numpy as np

from posevid_jax.errors import InputError

SHARES, PIXELS, SIGNED, CENTRED = 'shares', 'pixels', 'signed shares', 'centred'

# Joints that are guessed outside of the picture are still near it, in shares; pixels of the
# smallest picture are far above.
_LARGEST_SHARE = 2.0
# Shares of joints: so many on the negative side are no accident of a picture's edge.
_NEGATIVE, _A_FEW_NEGATIVE = 0.15, 0.02
# Of the size of the body: what moves less about the origin than this is the origin.
_STILL = 0.1
# The largest share of joints that may lie far outside of the picture.
_FAR, _MOST_OUTSIDE = 0.5, 0.5
# Pairs of joints, or single ones, that coordinates are centred at.
_CENTRES = (
    ('left_hip', 'right_hip'), ('mid_hip',), ('root',), ('pelvis',), ('hip',), ('neck',),
    ('left_shoulder', 'right_shoulder'), ('nose',), ('thorax',), ('spine',),
)  # fmt: skip
_UPPER = ('nose', 'head', 'left_eye', 'right_eye', 'neck', 'left_shoulder', 'right_shoulder')
_LOWER = ('left_hip', 'right_hip', 'mid_hip', 'root', 'pelvis', 'left_knee', 'right_knee')


class Placed(NamedTuple):
    """Joints in shares of a picture.

    Attributes:
      joints: [D, J, 4]; x, y in shares of width and height, z in shares of the width.
      kind: what they were.
      size: width and height, in the unit of the file or any other; None when only bodies can tell.
      notes: what was assumed.
    """

    joints: np.ndarray
    kind: str
    size: tuple[float, float] | None
    notes: tuple[str, ...]


def to_shares(
    where: str,
    joints: np.ndarray,
    names: tuple[str, ...],
    size: tuple[float, float] | None,
    *,
    size_from: str,
) -> Placed:
    """Joints in shares of the picture.

    Args:
      where: file and format, for messages.
      joints: [D, J, 4] as in the file, NaN where missing.
      names: J names.
      size: width and height in pixels, where known.
      size_from: who says so, for messages.

    Raises:
      InputError: pixels without a size, or places far outside of the picture.
    """
    kind = _kind(joints, names)
    if kind in (SHARES, PIXELS):
        # So estimators say that they found none; a body's own origin is a place.
        joints = np.where((joints[..., :2] == 0).all(-1)[..., None], np.nan, joints)
    if kind == SHARES:
        return Placed(joints, kind, size, ())
    if kind == SIGNED:
        shares = joints.copy()
        shares[..., :2] = (joints[..., :2] + 1) / 2
        shares[..., 2] /= 2
        return Placed(shares, kind, size, ('places run from -1 to 1: taken for the whole picture',))
    if kind == CENTRED:
        shares, note = _about_the_body(joints, names)
        return Placed(shares, kind, (1.0, 1.0), note)
    return Placed(_pixels(where, joints, size, size_from), kind, size, ())


def _kind(joints: np.ndarray, names: tuple[str, ...]) -> str:
    place = joints[..., :2][np.isfinite(joints[..., :2]).all(-1)]  # [M, 2]
    place = place[(place != 0).any(-1)]
    if not len(place):
        return SHARES
    negative = (place < 0).mean(0).min()  # of x or of y, whichever is less
    centred = negative > _A_FEW_NEGATIVE and _is_centred(joints, names)
    if negative > _NEGATIVE or centred:
        signed = np.quantile(np.abs(place), 0.99) <= 1.2 and not centred
        depth = joints[..., 2][np.isfinite(joints[..., 2])]
        metres = depth.size and np.median(depth) > 0.5  # in front of a camera that measures it
        return SIGNED if signed and not metres else CENTRED
    apart = np.abs(place[place != 0])
    return PIXELS if apart.size and np.median(apart) > _LARGEST_SHARE else SHARES


def _is_centred(joints: np.ndarray, names: tuple[str, ...]) -> bool:
    extent = _most(joints[..., :2]) + _most(-joints[..., :2])  # [D, 2]
    seen = np.isfinite(extent).all(-1)
    size = np.median(np.hypot(*extent[seen].T)) if seen.any() else 0.0
    for centre in _CENTRES:
        if not set(centre) <= set(names):
            continue
        at = joints[:, [names.index(name) for name in centre], :2].mean(1)  # [D, 2]
        at = at[np.isfinite(at).all(-1)]
        if len(at) and np.quantile(np.abs(at), 0.9) < _STILL * size:
            return True
    return False


def _most(x: np.ndarray) -> np.ndarray:
    """Largest of the observed values over joints, -inf without any."""
    return np.where(np.isfinite(x), x, -np.inf).max(1)


def _about_the_body(
    joints: np.ndarray, names: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Into a square picture about them, upright."""
    shares = joints.copy()
    up = _grows_upwards(joints, names)
    if up:
        shares[..., 1] *= -1
    middle = np.nanmedian(shares[..., :2], axis=(0, 1))
    reach = np.nanquantile(np.abs(shares[..., :2] - middle), 0.99)
    scale = 4 * max(float(reach), 1e-9)
    shares[..., :2] = (shares[..., :2] - middle) / scale + 0.5
    shares[..., 2] /= scale
    note = (
        'places are about the body or the camera, not in a picture: taken in a square one'
        f'{", turned upright" if up else ""}; only features relative to the body mean something'
    )
    return shares, (note,)


def _grows_upwards(joints: np.ndarray, names: tuple[str, ...]) -> bool:
    upper, lower = (
        joints[:, [names.index(name) for name in some if name in names], 1]
        for some in (_UPPER, _LOWER)
    )
    known = np.isfinite(upper).any(), np.isfinite(lower).any()
    return all(known) and bool(np.nanmedian(upper) > np.nanmedian(lower))


def _pixels(
    where: str, joints: np.ndarray, size: tuple[float, float] | None, size_from: str
) -> np.ndarray:
    place = joints[..., :2]
    if size is None:
        x, y = np.nanquantile(place, 0.99, axis=(0, 1))
        raise InputError(
            f'{where}: found pixels (x up to {x:.0f}, y up to {y:.0f}) and no size of the picture; '
            'expected it in prepare.video_size (width, height)'
        )
    width, height = size
    shares = joints / np.array([width, height, 1.0, 1.0])
    depth = np.abs(joints[..., 2][np.isfinite(joints[..., 2]) & (joints[..., 2] != 0)])
    if depth.size and np.median(depth) > _LARGEST_SHARE:
        shares[..., 2] /= width
    outside = np.abs(shares[..., :2] - 0.5).max(-1) > 0.5 + _FAR
    seen = np.isfinite(place).all(-1)
    if (outside & seen).sum() > _MOST_OUTSIDE * seen.sum():
        x, y = np.nanmedian(place, axis=(0, 1))
        raise InputError(
            f'{where}: found places about x = {x:.0f}, y = {y:.0f} in a picture of {width:g} x '
            f'{height:g} ({size_from}), expected most of them inside: is it the size of another '
            'video?'
        )
    return shares
