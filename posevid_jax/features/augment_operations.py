"""The augmentations of a single clip, which `augment` applies to each row of a batch.

A function takes the configured amount and the names of what the network reads, and returns the
operation `(clip, key) -> clip` on arrays without a batch axis; only those that the network reads
are there. Missing values are 0 before and after. Functions raise InputError where the names of the
features of an archive do not say how these change along.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.data.clips import UNKNOWN_LABEL
from posevid_jax.features import names

Clip = dict[str, Array]
"""`frame_label` [T] and, where read, `features`, `mask` [T, F] with `video_mean`, `video_std` [F]
if there are any; `skeleton` [T, J, 4], `skeleton_mask` [T, J] and `aspect` []."""

Operation = Callable[[Clip, Array], Clip]

MASKS = {'features': 'mask', 'skeleton': 'skeleton_mask'}
"""Values that can be missing, and their masks."""


class Read(NamedTuple):
    """The names of the features and of the joints that the network reads, () for none."""

    features: tuple[str, ...]
    joints: tuple[str, ...]


def mirror(probability: float, read: Read) -> Operation:
    """Shows the clip as in a mirror: x becomes 1 - x, left and right exchange their names.

    Features exchange their values by name, and those along x change sign.
    """
    sign = np.ones(len(read.features), np.float32)
    for number, feature in enumerate(names.understood(read.features, 'augment.mirror')):
        sign[number] = -1 if feature.sideways else 1
    features = names.opposites(read.features, 'augment.mirror')
    joints = names.opposites(read.joints, 'augment.mirror')

    def apply(clip: Clip, key: Array) -> Clip:
        mirrored = _exchange(clip, features, joints)
        for name in ('features', 'video_mean'):
            if name in clip:
                mirrored[name] *= sign
        if 'skeleton' in clip:
            x, others = jnp.split(mirrored['skeleton'], [1], axis=-1)
            flipped = jnp.concatenate([1 - x, others], axis=-1)
            mirrored['skeleton'] = zero_missing(flipped, mirrored['skeleton_mask'])
        return _either(jax.random.bernoulli(key, probability), mirrored, clip)

    return apply


def hand_swap(probability: float, read: Read) -> Operation:
    """Exchanges the names of the two arms, from shoulder to fingers, and moves nothing: a tracker
    that takes one hand for the other. A feature between an arm and another part with a side, such
    as norm_dist_leftEar_leftHand, cannot be known afterwards and goes missing."""
    names.understood(read.features, 'augment.hand_swap')

    def partners(group: tuple[str, ...]) -> np.ndarray:
        opposite = names.opposites(group, 'augment.hand_swap')
        on_arm = np.array([names.sided_parts_on_arm(name) == {True} for name in group], bool)
        return np.where(on_arm, opposite, np.arange(len(group)))

    features, joints = map(partners, read)
    known = np.array([len(names.sided_parts_on_arm(name)) < 2 for name in read.features], bool)

    def apply(clip: Clip, key: Array) -> Clip:
        swapped = _exchange(clip, features, joints)
        if 'features' in clip:
            swapped['mask'] &= known
            swapped['features'] = zero_missing(swapped['features'], swapped['mask'])
        return _either(jax.random.bernoulli(key, probability), swapped, clip)

    return apply


def shift(most: float, read: Read) -> Operation:
    """Moves the clip by up to `most` of its length, either way, in whole frames. What comes in from
    outside is missing, with unknown labels."""

    def apply(clip: Clip, key: Array) -> Clip:
        frames = len(clip['frame_label'])
        limit = int(most * frames)
        by = jax.random.randint(key, (), -limit, limit + 1)
        return _resample(clip, (jnp.arange(frames) + by).astype(jnp.float32))

    return apply


def crop(most: float, read: Read) -> Operation:
    """Leaves one stretch of the clip where it is; up to `most` of the frames, before and after it,
    go missing, with unknown labels."""

    def apply(clip: Clip, key: Array) -> Clip:
        frames = len(clip['frame_label'])
        count_key, place_key = jax.random.split(key)
        lost = jax.random.randint(count_key, (), 0, int(most * frames) + 1)
        first = jax.random.randint(place_key, (), 0, lost + 1)
        frame = jnp.arange(frames)
        kept = (frame >= first) & (frame < first + frames - lost)
        labels = jnp.where(kept, clip['frame_label'], UNKNOWN_LABEL)
        return _hide(clip, kept[:, None]) | {'frame_label': labels}

    return apply


def warp(most: float, read: Read) -> Operation:
    """Plays the clip at a tempo that swings smoothly between 1 - `most` and 1 + `most`.

    The tempo is 1 + a cos(phase + w t), with up to one full swing a clip; the middle frame stays
    where it is. Values are interpolated between two observed frames, labels and flags taken from
    the nearest. Velocities among the features are multiplied by the tempo, accelerations by its
    square; what the change of the tempo adds to an acceleration, at most 2 pi `most` / T of the
    velocity a frame, is left out.
    """
    known = names.understood(read.features, 'augment.warp')
    derivative = np.array([feature.derivative for feature in known], np.int32)
    flags = np.array([feature.flag for feature in known], bool)

    def apply(clip: Clip, key: Array) -> Clip:
        frames = len(clip['frame_label'])
        size_key, phase_key, swing_key = jax.random.split(key, 3)
        size = jax.random.uniform(size_key, minval=-most, maxval=most)
        phase, swing = (jax.random.uniform(key, maxval=2 * np.pi) for key in (phase_key, swing_key))
        tempo = 1 + size * jnp.cos(phase + swing * jnp.arange(frames) / frames)  # [T]
        position = jnp.cumsum(tempo)
        position += frames // 2 - position[frames // 2]
        warped = _resample(clip, position, flags)
        if derivative.any():
            warped['features'] *= tempo[:, None] ** derivative
        return warped

    return apply


def frame_drop(share: float, read: Read) -> Operation:
    """Loses each frame with probability `share`. Its label stays: the frames around it show it."""

    def apply(clip: Clip, key: Array) -> Clip:
        return _hide(clip, jax.random.bernoulli(key, 1 - share, (len(clip['frame_label']), 1)))

    return apply


def zero_missing(values: Array, mask: Array) -> Array:
    """`values`, 0 where `mask` is False; the mask may lack the last axis."""
    return jnp.where(mask if values.ndim == mask.ndim else mask[..., None], values, 0)


def _either(first: Array, a: Clip, b: Clip) -> Clip:
    return jax.tree.map(lambda x, y: jnp.where(first, x, y), a, b)


def _exchange(clip: Clip, features: np.ndarray, joints: np.ndarray) -> Clip:
    """The clip with features and joints from the columns of these numbers, [F] and [J]."""
    columns = {'features': features, 'mask': features, 'video_mean': features,
               'video_std': features}  # fmt: skip
    exchanged = {name: clip[name][..., to] for name, to in columns.items() if name in clip}
    if 'skeleton' in clip:
        exchanged['skeleton'] = clip['skeleton'][:, joints]
        exchanged['skeleton_mask'] = clip['skeleton_mask'][:, joints]
    return clip | exchanged


def _hide(clip: Clip, kept: Array) -> Clip:
    """The clip without the frames that are False in `kept` [T, 1]."""
    hidden = dict(clip)
    for values, mask in MASKS.items():
        if values in clip:
            hidden[mask] = clip[mask] & kept
            hidden[values] = zero_missing(clip[values], hidden[mask])
    return hidden


def _resample(clip: Clip, position: Array, flags: np.ndarray | None = None) -> Clip:
    """The clip with frame t taken from `position[t]`, which may lie between two frames.

    Args:
      clip: arrays over T frames.
      position: [T] f32, in frames; outside 0 .. T - 1 nothing is observed.
      flags: [F] features that are taken from the nearest frame.
    """
    last = len(position) - 1
    inside = (position >= 0) & (position <= last)
    position = jnp.clip(position, 0, last)
    nearest = jnp.round(position).astype(jnp.int32)
    before = jnp.floor(position).astype(jnp.int32)
    after = jnp.minimum(before + 1, last)
    way = (position - before)[:, None]  # from before to after

    resampled = dict(clip)
    for values, mask in MASKS.items():
        if values not in clip:
            continue
        x, observed = clip[values], clip[mask]
        between = x[before] + jnp.expand_dims(way, range(2, x.ndim)) * (x[after] - x[before])
        known = observed[before] & (observed[after] | (way == 0))
        if values == 'features' and flags is not None:
            between = jnp.where(flags, x[nearest], between)
            known = jnp.where(flags, observed[nearest], known)
        resampled[mask] = known & inside[:, None]
        resampled[values] = zero_missing(between, resampled[mask])
    label = jnp.where(inside, clip['frame_label'][nearest], UNKNOWN_LABEL)
    return resampled | {'frame_label': label}
