"""The joints of a body by name, the place that it is centred on, and its size."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.features.pooling import masked_median, root

# What the body is centred on and measured by: the first that is seen in half of a clip's frames.
_MIDDLES = (('left_hip', 'right_hip'), ('mid_hip',), ('left_shoulder', 'right_shoulder'), ('neck',))
# Two places and how many of their distances make a body size, the length of the trunk.
_SIZES = (
    (('left_shoulder', 'right_shoulder'), ('left_hip', 'right_hip'), 1.0),
    (('neck',), ('mid_hip',), 1.0),
    (('left_shoulder',), ('right_shoulder',), 1.4),
)
_SEEN = 0.5


class Points(NamedTuple):
    """Places and whether they were observed: `[B, T, ..., D]` and `[B, T, ...]`."""

    at: Array
    seen: Array


class Body:
    """Joints by name in heights of the picture, with the body's middle and size.

    Attributes:
      names: J joints.
      axes: `xy` or `xyz`.
      joints: `[B, T, J, D]`.
      middle: `[B, T, D]`.
      size: `[B]`, 0 where unknown.
      home: `[B, D]`, where the middle is in the median over the clip.
    """

    def __init__(self, batch: dict[str, Array], joint_names: Sequence[str], depth: bool):
        self.names = tuple(joint_names)
        self.axes = 'xyz' if depth else 'xy'
        skeleton, aspect = batch['skeleton'], batch['aspect'][:, None, None]
        parts = [skeleton[..., 0] * aspect, skeleton[..., 1], skeleton[..., 2] * aspect]
        at = jnp.stack(parts[: len(self.axes)], axis=-1)
        self.joints = Points(at, batch['skeleton_mask'])
        self.middle = self._middle()
        self.size, self.home = self._medians()

    def at(self, *joints: str) -> Points:
        """The mean of joints, seen where all of them are."""
        numbers = [self.names.index(name) for name in joints]
        at = sum(self.joints.at[:, :, k] for k in numbers) / len(numbers)
        seen = functools.reduce(jnp.logical_and, (self.joints.seen[:, :, k] for k in numbers))
        return Points(jnp.asarray(at), seen)

    def each(self, joints: Sequence[str]) -> Points:
        """These joints, `[B, T, N, D]`."""
        numbers = np.array([self.names.index(name) for name in joints], int)
        return Points(self.joints.at[:, :, numbers], self.joints.seen[:, :, numbers])

    def has(self, *joints: str) -> bool:
        return set(joints) <= set(self.names)

    def first(self, prefix: str, joints: Sequence[str]) -> str | None:
        """The first of some joints that there is."""
        return next((f'{prefix}{joint}' for joint in joints if self.has(f'{prefix}{joint}')), None)

    def _middle(self) -> Points:
        any_seen = self.joints.seen.any(-1)
        count = self.joints.seen.sum(-1)[..., None]
        total = jnp.where(self.joints.seen[..., None], self.joints.at, 0.0).sum(2)
        found = Points(total / jnp.maximum(count, 1), any_seen)
        for joints in reversed(_MIDDLES):
            if self.has(*joints):
                found = _either(_often(self.at(*joints).seen, any_seen), self.at(*joints), found)
        return found

    def _sizes(self) -> tuple[Array, Array]:
        """The size in each frame by each of the ways to measure it, the last one always known, and
        where it is known: `[B, T, W]` both."""
        found: list[tuple[Array, Array]] = []
        for one, other, factor in _SIZES:
            if self.has(*one, *other):
                a, b = self.at(*one), self.at(*other)
                found.append((factor * length(a.at - b.at), a.seen & b.seen))
        away = self.joints.at - self.middle.at[:, :, None]
        seen = self.joints.seen & self.middle.seen[..., None]
        square = jnp.where(seen, (away**2).sum(-1), 0.0).sum(-1)
        found.append((root(square / jnp.maximum(seen.sum(-1), 1)), seen.any(-1)))
        values, known = (jnp.stack(part, axis=-1) for part in zip(*found, strict=True))
        return values, known

    def _medians(self) -> tuple[Array, Array]:
        """The body's size `[B]` and the place of its middle `[B, D]`, medians over the clip."""
        sizes, known = self._sizes()
        ways = sizes.shape[-1]
        at, seen = self.middle
        # All in one, which is compiled once.
        medians = masked_median(
            jnp.concatenate([sizes, at], axis=-1),
            jnp.concatenate([known, jnp.broadcast_to(seen[..., None], at.shape)], axis=-1),
        )
        usable = _often(known, self.joints.seen.any(-1)[..., None]) & (medians[:, :ways] > 0)
        first = jnp.argmax(usable.at[:, -1].set(True), axis=1)
        return jnp.take_along_axis(medians, first[:, None], axis=1)[:, 0], medians[:, ways:]


def _often(seen: Array, frames: Array) -> Array:
    """Whether something is seen in enough of the frames `[B, T, ...]` of a clip, `[B, ...]`."""
    return (seen & frames).sum(1) >= _SEEN * jnp.maximum(frames.sum(1), 1)


def _either(choice: Array, one: Points, other: Points) -> Points:
    return Points(
        jnp.where(choice[:, None, None], one.at, other.at),
        jnp.where(choice[:, None], one.seen, other.seen),
    )


def length(x: Array) -> Array:
    return root((x**2).sum(-1))


def units(body: Body) -> tuple[Array, Array]:
    """One over the body's size, and whether it is known, `[B]`."""
    known = body.size > 0
    return jnp.where(known, 1 / jnp.where(known, body.size, 1.0), 0.0), known
