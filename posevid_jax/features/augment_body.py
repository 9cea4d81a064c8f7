"""The augmentations that move or lose the joints of a single clip, as `augment` applies them.

Functions are as in `augment_operations`. Each finds the body by its shoulders, which are never
lost, and raises InputError where there are none, or where features of an archive are read: these
are computed already, and a joint that moves would leave them behind.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.errors import InputError
from posevid_jax.features.augment_operations import Clip, Operation, Read, zero_missing
from posevid_jax.features.pooling import masked_median

_SHOULDERS = ('left_shoulder', 'right_shoulder')


def joint_drop(share: float, read: Read) -> Operation:
    """Loses each joint for the whole clip with probability `share`, except the shoulders, which
    give the body its place and scale."""
    kept_always = np.isin(np.arange(len(read.joints)), _shoulders('augment.joint_drop', read))

    def apply(clip: Clip, key: Array) -> Clip:
        kept = jax.random.bernoulli(key, 1 - share, kept_always.shape)
        mask = clip['skeleton_mask'] & (kept | kept_always)
        return clip | {'skeleton': zero_missing(clip['skeleton'], mask), 'skeleton_mask': mask}

    return apply


def scale(most: float, read: Read) -> Operation:
    """Makes the body up to 1 + `most` times larger or smaller, about its own middle."""
    shoulders = _shoulders('augment.scale', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, middle, _ = _body(clip, shoulders)
        factor = (1 + most) ** jax.random.uniform(key, minval=-1, maxval=1)
        return _placed(clip, middle + factor * (xy - middle), factor * clip['skeleton'][..., 2:3])

    return apply


def rotate(most: float, read: Read) -> Operation:
    """Turns the body in the picture by up to `most` degrees either way, about its own middle."""
    shoulders = _shoulders('augment.rotate', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, middle, _ = _body(clip, shoulders)
        angle = jax.random.uniform(key, minval=-most, maxval=most) * (np.pi / 180)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        x, y = jnp.moveaxis(xy - middle, -1, 0)
        # Written out, because a GPU multiplies matrices with fewer digits.
        turned = jnp.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
        return _placed(clip, middle + turned, clip['skeleton'][..., 2:3])

    return apply


def turn(most: float, read: Read) -> Operation:
    """Turns the body by up to `most` degrees either way about the vertical through its middle."""
    shoulders = _shoulders('augment.turn', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, middle, _ = _body(clip, shoulders)
        depth = clip['aspect'] * clip['skeleton'][..., 2]  # in heights of the picture, as xy
        seen = clip['skeleton_mask'][:, list(shoulders)].all(1)
        between = 0.5 * (depth[:, shoulders[0]] + depth[:, shoulders[1]])
        own = masked_median(between[None, :, None], seen[None, :, None])[0, 0]
        angle = jax.random.uniform(key, minval=-most, maxval=most) * (np.pi / 180)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        x, z = xy[..., 0] - middle[0], depth - own
        turned = jnp.stack([middle[0] + cos * x + sin * z, xy[..., 1]], axis=-1)
        return _placed(clip, turned, (own + cos * z - sin * x)[..., None] / clip['aspect'])

    return apply


def stretch(most: float, read: Read) -> Operation:
    """Makes the body up to 1 + `most` times wider or narrower, and so taller, and deeper, each by a
    factor of its own, about its middle."""
    shoulders = _shoulders('augment.stretch', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, middle, _ = _body(clip, shoulders)
        factor = (1 + most) ** jax.random.uniform(key, (3,), minval=-1, maxval=1)
        depth = factor[2] * clip['skeleton'][..., 2:3]
        return _placed(clip, middle + factor[:2] * (xy - middle), depth)

    return apply


def shear(most: float, read: Read) -> Operation:
    """Leans the body sideways in the picture: what is higher than its middle by some length moves
    by up to `most` of that length, either way."""
    shoulders = _shoulders('augment.shear', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, middle, _ = _body(clip, shoulders)
        amount = jax.random.uniform(key, minval=-most, maxval=most)
        moved = jnp.stack([xy[..., 0] + amount * (xy[..., 1] - middle[1]), xy[..., 1]], axis=-1)
        return _placed(clip, moved, clip['skeleton'][..., 2:3])

    return apply


def jitter(deviation: float, read: Read) -> Operation:
    """Moves each joint of each frame by normal noise in x and y, of `deviation` shoulder widths."""
    shoulders = _shoulders('augment.jitter', read)

    def apply(clip: Clip, key: Array) -> Clip:
        xy, _, width = _body(clip, shoulders)
        noise = deviation * width * jax.random.normal(key, xy.shape)
        return _placed(clip, xy + noise, clip['skeleton'][..., 2:3])

    return apply


def _shoulders(key: str, read: Read) -> tuple[int, int]:
    """The numbers of the two shoulders, for an operation on joints alone."""
    if read.features:
        raise InputError(
            f'{key}: cannot move the features of an archive along with the joints; expected 0, or '
            'a network that reads the skeleton'
        )
    if not set(_SHOULDERS) <= set(read.joints):
        raise InputError(
            f'{key}: needs the joints {" and ".join(_SHOULDERS)}; '
            f'the clips have {", ".join(read.joints) or "no skeleton"}'
        )
    left, right = map(read.joints.index, _SHOULDERS)
    return left, right


def _body(clip: Clip, shoulders: tuple[int, int]) -> tuple[Array, Array, Array]:
    """The joints [T, J, 2] in heights of the picture, so that a turn is a turn; the middle of the
    shoulders [2] and their distance [], medians over the clip, 0 if the shoulders are never seen.
    """
    xy = clip['skeleton'][..., :2] * jnp.stack([clip['aspect'], jnp.ones(())])
    left, right = (xy[:, joint] for joint in shoulders)  # [T, 2]
    seen = clip['skeleton_mask'][:, list(shoulders)].all(1, keepdims=True)  # [T, 1]
    width = jnp.linalg.norm(left - right, axis=-1, keepdims=True)
    line = jnp.concatenate([0.5 * (left + right), width], axis=-1)  # [T, 3]
    median = masked_median(line[None], jnp.broadcast_to(seen, line.shape)[None])[0]
    return xy, median[:2], median[2]


def _placed(clip: Clip, xy: Array, depth: Array) -> Clip:
    """The clip with joints at `xy` [T, J, 2], in heights of the picture, and `depth` [T, J, 1]."""
    xy = xy / jnp.stack([clip['aspect'], jnp.ones(())])
    skeleton = jnp.concatenate([xy, depth, clip['skeleton'][..., 3:]], axis=-1)
    return clip | {'skeleton': zero_missing(skeleton, clip['skeleton_mask'])}
