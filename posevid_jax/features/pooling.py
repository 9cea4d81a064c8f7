"""Statistics over time that know which frames were observed."""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array, lax
from ml_collections import ConfigDict

from posevid_jax.features.inputs import Inputs

# Up to so many frames a reduction is written out, an operation a frame: on a CPU XLA makes vector
# code of that, several times as fast as what it makes of a reduction over an axis not the last.
_WRITTEN_OUT = 160
_LARGEST = jnp.iinfo(jnp.int32).max


def pool(
    x: Array,
    mask: Array,
    *,
    statistics: Sequence[str],
    quantiles: Sequence[float] = (),
    thresholds: Sequence[float] = (),
    parts: int = 1,
) -> tuple[Array, Array]:
    """Statistics of the observed frames.

    Args:
      x: `[B, T, F]`; only observed entries are read.
      mask: `[B, T, F]`.
      statistics: some of `STATISTICS`; the deviation is the population's (divided by the count).
      quantiles: numbers from 0 to 1, see `masked_quantiles`.
      thresholds: for each the share of the observed frames that lie below it.
      parts: above 1, also the mean of each of so many parts of the clip, as equal as can be.

    Returns:
      values and mask `[B, S, F]`: statistics, quantiles, thresholds, in the order given, and parts;
      0 and False for a feature with no observed frame there.
    """
    chex.assert_rank([x, mask], 3)
    observed = mask.sum(axis=1)  # [B, F]
    count = jnp.maximum(observed, 1)
    rows = [STATISTICS[name](x, mask, count)[:, None] for name in statistics]
    if quantiles:
        rows.append(masked_quantiles(x, mask, tuple(quantiles)))
    rows += [((mask & (x < t)).sum(axis=1) / count)[:, None] for t in thresholds]
    values = jnp.concatenate(rows, axis=1)
    known = jnp.broadcast_to((observed > 0)[:, None], values.shape)
    if parts > 1:
        ends = [x.shape[1] * part // parts for part in range(parts + 1)]
        means = [mean(x[:, a:b], mask[:, a:b]) for a, b in itertools.pairwise(ends)]
        of_parts = (jnp.stack(both, axis=1) for both in zip(*means, strict=True))
        values, known = map(_join, (values, known), of_parts)
    return jnp.where(known, values, 0.0), known


def options(features: ConfigDict) -> dict[str, Any]:
    """What `pool` is to take of every channel, by `config.features`."""
    return {
        'statistics': tuple(features.statistics),
        'quantiles': tuple(features.quantiles),
        'thresholds': tuple(features.thresholds),
        'parts': features.parts,
    }


def numbers_of_clips(inputs: Inputs, **what: Any) -> tuple[Array, Array]:
    """The statistics of the channels of each clip and its further numbers, as a list.

    Args:
      inputs: with `channels`, and perhaps `clip`.
      what: see `pool`.

    Returns:
      values, 0 where missing, and mask `[B, D]`, D = S F C + N.
    """
    assert inputs.channels is not None  # which statistics are of
    chex.assert_rank(inputs.channels, 4)
    nothing = not any(what.get(key) for key in ('statistics', 'quantiles', 'thresholds'))
    if nothing and what.get('parts', 1) == 1 and inputs.clip is not None:
        return inputs.clip.values, inputs.clip.mask
    flat = (part.reshape(*part.shape[:2], -1) for part in inputs.channels)  # [B, T, F * C]
    values, known = pool(*flat, **what)  # [B, S, F * C]
    # Sizes by name, because an exported program does not know how many clips will come.
    values, known = (
        part.reshape(part.shape[0], math.prod(part.shape[1:])) for part in (values, known)
    )
    if inputs.clip is None:
        return values, known
    return _join(values, inputs.clip.values), _join(known, inputs.clip.mask)


def _join(a: Array, b: Array) -> Array:
    return jnp.concatenate([a, b], axis=1)


def mean(x: Array, mask: Array) -> tuple[Array, Array]:
    """Of the observed frames, `[B, T, F]` to `[B, F]`; and whether there is one, else 0."""
    return _mean(x, mask, jnp.maximum(mask.sum(axis=1), 1)), mask.any(axis=1)


def _mean(x: Array, mask: Array, count: Array) -> Array:
    return jnp.where(mask, x, 0.0).sum(axis=1) / count


def _std(x: Array, mask: Array, count: Array) -> Array:
    centred = jnp.where(mask, x - _mean(x, mask, count)[:, None], 0.0)
    return root((centred**2).sum(axis=1) / count)


STATISTICS: dict[str, Callable[[Array, Array, Array], Array]] = {
    'mean': _mean,
    'std': _std,
    'median': lambda x, mask, count: masked_median(x, mask),
    'max': lambda x, mask, count: jnp.where(mask, x, -jnp.inf).max(axis=1),
    'min': lambda x, mask, count: jnp.where(mask, x, jnp.inf).min(axis=1),
}
"""What `pool` knows, by name: (values, mask, number of observed frames) to `[B, F]`."""


def root(x: Array) -> Array:
    """Square root with a derivative of 0 at 0."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def masked_median(x: Array, mask: Array) -> Array:
    """`masked_quantiles` of 0.5: `[B, T, F]` to `[B, F]`."""
    return masked_quantiles(x, mask, (0.5,))[:, 0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def masked_quantiles(x: Array, mask: Array, quantiles: tuple[float, ...]) -> Array:
    """Quantiles of the observed frames, interpolated linearly between two of them.

    Those of `numpy.nanquantile`; that of 0.5 is `numpy.nanmedian` to the last bit. Derivatives go
    to the frames that were selected.

    Args:
      x: `[B, T, F]` float32; only observed entries are read.
      mask: `[B, T, F]`.
      quantiles: Q numbers from 0 to 1.

    Returns:
      `[B, Q, F]`; 0 for a feature with no observed frame.
    """
    low, high, weight = _neighbours(x, mask, quantiles)
    return low * (1 - weight) + high * weight


@masked_quantiles.defjvp
def _masked_quantiles_jvp(
    quantiles: tuple[float, ...], primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    x, mask = primals
    low, high, weight = _neighbours(x, mask, quantiles)

    def tangent(selected: Array) -> Array:
        # Frames of the same value share it.
        chosen = mask[:, :, None] & (x[:, :, None] == selected[:, None])  # [B, T, Q, F]
        total = jnp.where(chosen, tangents[0][:, :, None], 0.0).sum(axis=1)
        return total / jnp.maximum(chosen.sum(axis=1), 1)

    value = low * (1 - weight) + high * weight
    return value, tangent(low) * (1 - weight) + tangent(high) * weight


@functools.partial(jax.jit, static_argnums=2)  # outside a compiled step: one program, not hundreds
def _neighbours(x: Array, mask: Array, quantiles: tuple[float, ...]) -> tuple[Array, Array, Array]:
    """The observed values at and above each quantile, and the weight of the upper one.

    Sorting all frames to read two of them is slow. Instead the bits of the lower value are found
    one after the other, from the highest: each is set if no more values than its rank allows lie
    below the number that results. Every bit is one pass of comparisons.

    Returns:
      three `[B, Q, F]`.
    """
    keys = jnp.where(mask, _to_keys(x), _LARGEST)  # [B, T, F], missing frames last
    count = jnp.maximum(mask.sum(axis=1), 1)  # [B, F]
    position = (count - 1)[:, None] * jnp.asarray(quantiles, x.dtype)[:, None]  # [B, Q, F]
    rank = position.astype(jnp.int32)

    def set_bit(index: int, key: Array) -> Array:
        # The first bit is the sign: it starts set, for the smallest integer.
        higher = key ^ (1 << (31 - index))
        return jnp.where(_count_below(keys, higher) <= rank, higher, key)

    key = lax.fori_loop(0, 32, set_bit, jnp.full_like(rank, jnp.iinfo(jnp.int32).min))
    # Reductions here, because what is written out would be fused into, and so repeated for, all
    # that is made of the result.
    frames = keys[:, :, None]  # [B, T, 1, F]
    above = jnp.where(frames > key[:, None], frames, _LARGEST).min(axis=1)
    weight = position - rank
    # Without weight there need be no value above.
    same = ((frames <= key[:, None]).sum(axis=1) > rank + 1) | (weight == 0)
    observed = mask.any(axis=1)[:, None]
    low, high = (_from_keys(jnp.where(observed, k, 0)) for k in (key, jnp.where(same, key, above)))
    return low, high, weight


def _count_below(keys: Array, limit: Array) -> Array:
    """How many of the T keys `[B, T, F]` are below each limit `[B, Q, F]`."""
    frames = keys.shape[1]
    if frames > _WRITTEN_OUT:
        return (keys[:, :, None] < limit[:, None]).sum(axis=1)
    each = ((keys[:, t, None] < limit).astype(jnp.int32) for t in range(frames))
    return functools.reduce(operator.add, each)


def _to_keys(x: Array) -> Array:
    """Integers in the order of the numbers: the bits of a negative float count backwards."""
    bits = lax.bitcast_convert_type(x, jnp.int32)
    return jnp.where(bits < 0, bits ^ _LARGEST, bits)


def _from_keys(keys: Array) -> Array:
    """The numbers whose keys these are."""
    return lax.bitcast_convert_type(jnp.where(keys < 0, keys ^ _LARGEST, keys), jnp.float32)
