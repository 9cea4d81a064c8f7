"""Convolution statistics: how often small dilated kernels fire, over a bank of thousands.

After MiniRocket (Dempster, Schmidt and Webb 2021, https://arxiv.org/abs/2012.08791): the kernels
have nine taps, six of -1 and three of 2, in all 84 arrangements, and sum to 0; each is applied at
several dilations to a sum of a few features drawn at random; and of what comes out, the share of
frames above each of several biases is kept, which are quantiles of what the training clips give.
Here a clip goes on before its first frame and after its last as it is there, so that standing
still is nothing, and the features that are summed come from one group (places, or angles).
"""

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

TAPS = 9
# Which taps have the weight 2, by kernel.
_HIGH = np.array(list(itertools.combinations(range(TAPS), 3)))
KERNELS = len(_HIGH)
_MOST_DILATIONS = 32
_MOST_FEATURES = 9  # that a kernel sums
_WRITTEN_OUT = 64  # frames that are counted by an operation each
_GOLDEN = (5**0.5 - 1) / 2  # its multiples spread evenly over 0 to 1, however many they are


class Part(NamedTuple):
    """All kernels at one dilation, on features of one group.

    Attributes:
      dilation: frames from one tap to the next.
      features: the numbers of the group's features.
      chosen: `[len(features), KERNELS]` float32, 1 for the features that a kernel sums.
      quantiles: `[N, KERNELS]`, those of its values that become its biases.
    """

    dilation: int
    features: np.ndarray
    chosen: np.ndarray
    quantiles: np.ndarray


Bank = tuple[Part, ...]


def make_bank(groups: Sequence[Sequence[int]], frames: int, count: int, seed: int) -> Bank:
    """A bank of kernels.

    Args:
      groups: the numbers of the features in each; every group gets equally many kernels.
      frames: of a clip.
      count: of statistics; rounded down to whole sets of 84 kernels in each group.
      seed: of the features that are summed.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for group in groups:
        each = max(count // len(groups) // KERNELS, 1)
        for dilation, biases in _dilations(frames, each):
            number = np.arange(biases * KERNELS).reshape(biases, KERNELS)
            quantiles = ((number + 1) * _GOLDEN + rng.random()) % 1
            chosen = _choose(rng, len(group))
            parts.append(Part(dilation, np.array(group), chosen, quantiles.astype(np.float32)))
    return tuple(parts)


def size(bank: Bank) -> int:
    """Statistics of a bank."""
    return sum(part.quantiles.size for part in bank)


def _dilations(frames: int, count: int) -> list[tuple[int, int]]:
    """Dilations from 1 to that at which a kernel spans the clip, evenly in their logarithms, and
    how many of `count` biases each gets."""
    longest = np.log2(max((frames - 1) / (TAPS - 1), 1))
    spread = np.logspace(0, longest, min(count, _MOST_DILATIONS), base=2).astype(int)
    dilations, share = np.unique(spread, return_counts=True)
    biases = share * count // len(spread)
    biases[: count - biases.sum()] += 1
    return list(zip(dilations.tolist(), biases.tolist(), strict=True))


def _choose(rng: np.random.Generator, count: int) -> np.ndarray:
    """One to nine features for each kernel, few more often than many."""
    chosen = np.zeros((count, KERNELS), np.float32)
    most = min(count, _MOST_FEATURES)
    for kernel in range(KERNELS):
        some = int(2 ** rng.uniform(0, np.log2(most + 1)))
        chosen[rng.choice(count, min(some, most), replace=False), kernel] = 1
    return chosen


def convolve(x: Array, part: Part) -> Array:
    """What the kernels of a part make of each frame: `[B, T, F]` to `[B, T, KERNELS]`."""
    summed = jnp.einsum(
        'btf,fk->btk', x[..., part.features], part.chosen, precision=lax.Precision.HIGHEST
    )
    frames, reach = x.shape[1], TAPS // 2 * part.dilation
    longer = jnp.pad(summed, ((0, 0), (reach, reach), (0, 0)), mode='edge')
    weight = np.full((TAPS, KERNELS), -1, np.float32)
    weight[_HIGH.T, np.arange(KERNELS)] = 2
    taps = (longer[:, tap * part.dilation :][:, :frames] for tap in range(TAPS))
    weighted = (w * tap for w, tap in zip(jnp.asarray(weight), taps, strict=True))
    return functools.reduce(operator.add, weighted)


def statistics(x: Array, bank: Bank, biases: Array) -> Array:
    """The share of frames in which each kernel is above each of its biases.

    Args:
      x: `[B, T, F]`, 0 where missing.
      bank: of kernels.
      biases: `[K]`, from `fit_biases`.

    Returns:
      `[B, K]`.
    """
    found, at = [], 0
    for part in bank:
        level = biases[at : at + part.quantiles.size].reshape(part.quantiles.shape)  # [N, KERNELS]
        value = lax.optimization_barrier(convolve(x, part))  # made once, not once for each bias
        found.append(_count_above(value, level).reshape(x.shape[0], -1))
        at += part.quantiles.size
    return jnp.concatenate(found, axis=1) / x.shape[1]


def _count_above(value: Array, level: Array) -> Array:
    """How many frames of `[B, T, KERNELS]` are above each level `[N, KERNELS]`, `[B, N, KERNELS]`.

    An operation a frame, of which a CPU makes vector code; so many at a time, to keep it short.
    """
    total = jnp.zeros((value.shape[0], *level.shape))
    for start in range(0, value.shape[1], _WRITTEN_OUT):
        some = lax.optimization_barrier(value[:, start : start + _WRITTEN_OUT])
        each = ((some[:, t, None] > level).astype(total.dtype) for t in range(some.shape[1]))
        total += functools.reduce(operator.add, each)
    return total


def fit_biases(x: np.ndarray, bank: Bank, seed: int) -> np.ndarray:
    """The biases of a bank: quantiles of what each kernel gives in a training clip drawn for it.

    Args:
      x: `[N, T, F]` features of training clips, 0 where missing.
      bank: of kernels.
      seed: of the draws.

    Returns:
      `[K]` float32, in the order of `statistics`.
    """
    rng = np.random.default_rng(seed)
    found = []
    for part in bank:
        clips = rng.integers(len(x), size=KERNELS)
        values = np.asarray(jax.jit(functools.partial(convolve, part=part))(x[clips]))
        own = values[np.arange(KERNELS), :, np.arange(KERNELS)]  # [KERNELS, T], of each in its clip
        found += [
            np.array([np.quantile(v, q) for v, q in zip(own, row, strict=True)])
            for row in part.quantiles
        ]
    return np.concatenate(found).astype(np.float32)
