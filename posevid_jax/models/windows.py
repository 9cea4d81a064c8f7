"""Attention windows as static geometry: the place of each token is known before anything runs.

Nothing here holds parameters. A `WindowPlan` is computed in numpy from the sizes of the feature
map; `partition` and `merge_windows` move tokens by pad, roll and reshape alone, all of which XLA
turns into copies of whole rows (or into nothing, when a window spans the rows and columns).
"""

import dataclasses
import math
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

# The official shift mask. Finite, so that a row of masked logits stays a number.
OTHER_REGION = -100.0
# Below any logit, yet finite: a window without an observed token averages instead of dividing 0/0.
MISSING = -1e9

Size = tuple[int, int, int]


@dataclasses.dataclass(frozen=True)
class WindowPlan:
    """How a feature map of `grid` tokens is cut into windows.

    Attributes:
      grid: tokens (T, H, W) of the feature map.
      box: tokens (t, h, w) of one window that can be real: the window, or the map if smaller.
      counts: windows along each axis.
      shift: tokens that the map is rolled back by, per axis, below the axis' size.
      window: the full window, which the bias table describes.
      clamp: True when the window shrinks to `box` (official); False when what lies outside of
        `box` is filled with zero tokens (legacy).
    """

    grid: Size
    box: Size
    counts: Size
    shift: Size
    window: Size
    clamp: bool

    @property
    def tokens(self) -> int:
        """Tokens N of one window that are laid out in memory."""
        return math.prod(self.box)

    @property
    def padding(self) -> Size:
        """Tokens added at the end of each axis."""
        return per_axis(lambda n, b, g: n * b - g, self.counts, self.box, self.grid)


def per_axis(function: Callable[..., int], *sizes: Size) -> Size:
    """Applies a function to the sizes along time, rows and columns in turn."""
    t, h, w = (function(*axis) for axis in zip(*sizes, strict=True))
    return t, h, w


def plan_windows(grid: Size, window: Size, *, shifted: bool, clamp: bool) -> WindowPlan:
    """Cuts a map into windows.

    With `clamp` (official) the window shrinks to the map and the shift of such an axis is 0;
    the map is padded, then rolled. Without (legacy) the map is rolled first, so that an axis
    smaller than the window is still rolled, and then padded.
    """
    box = per_axis(min, grid, window)
    counts = per_axis(lambda g, b: -(-g // b), grid, box)
    shift = (0, 0, 0)
    if shifted and clamp:
        shift = per_axis(lambda g, w: 0 if g <= w else w // 2, grid, window)
    elif shifted:
        shift = per_axis(lambda g, w: w // 2 % g, grid, window)
    return WindowPlan(grid, box, counts, shift, window, clamp)


def partition(x: Array, plan: WindowPlan) -> Array:
    """Cuts `x` [B, T, H, W, C] into windows [B, windows, N, C], zeros where there is no token."""
    pad = ((0, 0), *((0, p) for p in plan.padding), (0, 0))
    back = per_axis(lambda s: -s, plan.shift)
    x = _roll(jnp.pad(x, pad), back) if plan.clamp else jnp.pad(_roll(x, back), pad)
    (nt, nh, nw), (t, h, w) = plan.counts, plan.box
    x = x.reshape(x.shape[0], nt, t, nh, h, nw, w, x.shape[-1])
    x = x.transpose(0, 1, 3, 5, 2, 4, 6, 7)  # [B, nt, nh, nw, t, h, w, C]
    return x.reshape(x.shape[0], nt * nh * nw, t * h * w, x.shape[-1])


def merge_windows(x: Array, plan: WindowPlan) -> Array:
    """Inverts `partition`: [B, windows, N, C] back to [B, T, H, W, C], padding dropped."""
    (nt, nh, nw), (t, h, w) = plan.counts, plan.box
    x = x.reshape(x.shape[0], nt, nh, nw, t, h, w, x.shape[-1])
    x = x.transpose(0, 1, 4, 2, 5, 3, 6, 7)  # [B, nt, t, nh, h, nw, w, C]
    x = x.reshape(x.shape[0], nt * t, nh * h, nw * w, x.shape[-1])
    rows, columns, depths = plan.grid[1], plan.grid[2], plan.grid[0]
    if plan.clamp:
        return _roll(x, plan.shift)[:, :depths, :rows, :columns]
    return _roll(x[:, :depths, :rows, :columns], plan.shift)


def places(plan: WindowPlan) -> np.ndarray:
    """Where on the map `partition` finds each token of each window, [windows, N]; -1 for padding.

    Tokens of the map are numbered in the order of time, rows and columns.
    """
    place = np.arange(math.prod(plan.grid)).reshape(plan.grid)
    pad = tuple((0, p) for p in plan.padding)
    back = per_axis(lambda s: -s, plan.shift)
    if plan.clamp:
        place = np.roll(np.pad(place, pad, constant_values=-1), back, (0, 1, 2))
    else:
        place = np.pad(np.roll(place, back, (0, 1, 2)), pad, constant_values=-1)
    return _cut(place, plan)


def _roll(x: Array, shift: Size) -> Array:
    return jnp.roll(x, shift, axis=(1, 2, 3)) if any(shift) else x


def relative_index(window: Size) -> np.ndarray:
    """Row of the bias table for each pair of tokens of a full window, [M, M].

    The table holds one row per offset (dt, dh, dw), each from -(size - 1) to size - 1
    (Liu et al. 2021, Swin Transformer, section 3.2; Video Swin adds the time axis).
    """
    axes = np.meshgrid(*(np.arange(n) for n in window), indexing='ij')
    place = np.stack([a.reshape(-1) for a in axes], axis=1)  # [M, 3]
    offset = place[:, None] - place[None] + (np.array(window) - 1)  # [M, M, 3]
    return np.asarray(np.ravel_multi_index(np.moveaxis(offset, -1, 0), table_shape(window)))


def table_shape(window: Size) -> Size:
    """Offsets (dt, dh, dw) that the bias table of a window distinguishes."""
    return per_axis(lambda n: 2 * n - 1, window)


def bias_indices(plan: WindowPlan) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the bias table for the tokens in the box, and for the rest of the window.

    A clamped official window takes the top-left N x N of the full window's index, which is not
    the offset between its tokens; published weights were trained with it.

    Returns:
      indices [N, N], and [N, R] for the R zero tokens that are never laid out (0 if clamped).
    """
    index = relative_index(plan.window)
    n = plan.tokens
    if plan.clamp:
        return index[:n, :n], index[:n, :0]
    inside = np.zeros(plan.window, bool)
    inside[tuple(slice(b) for b in plan.box)] = True
    inside = inside.reshape(-1)
    return index[inside][:, inside], index[inside][:, ~inside]


def region_signs(plan: WindowPlan) -> np.ndarray | None:
    """On which side of its window's seam a token is, -1 or 1 by axis, [windows, N, 3].

    Rolling brings the two ends of an axis into one window, though they are not neighbours. Two
    tokens of a window are in one region of the map if all three signs agree. None when nothing
    wraps.
    """
    if not plan.clamp or not any(plan.shift):
        return None
    signs = []
    for axis, (n, b, s) in enumerate(zip(plan.counts, plan.box, plan.shift, strict=True)):
        sign = np.ones(n * b, np.float32)
        if s:
            sign[-s:] = -1
        others = [a for a in range(3) if a != axis]
        whole = per_axis(lambda n, b: n * b, plan.counts, plan.box)
        signs.append(_cut(np.broadcast_to(np.expand_dims(sign, others), whole), plan))
    return np.stack(signs, axis=-1)


def region_mask(plan: WindowPlan) -> np.ndarray | None:
    """0 within a region of the map and -100 across, [windows, N, N]; None when nothing wraps."""
    signs = region_signs(plan)
    if signs is None:
        return None
    same = (signs[:, :, None] == signs[:, None]).all(-1)
    return np.where(same, 0.0, OTHER_REGION).astype(np.float32)


def _cut(grid: np.ndarray, plan: WindowPlan) -> np.ndarray:
    (nt, nh, nw), (t, h, w) = plan.counts, plan.box
    grid = grid.reshape(nt, t, nh, h, nw, w).transpose(0, 2, 4, 1, 3, 5)
    return grid.reshape(nt * nh * nw, t * h * w)
