"""The hand-mouth summary: a few numbers a clip about the hand that is nearer to the mouth."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax
from ml_collections import ConfigDict

from posevid_jax.data.joints import HANDS_AND_MOUTH
from posevid_jax.errors import InputError
from posevid_jax.features import body
from posevid_jax.features.body_frame import check_joints, length, locate


def check(config: ConfigDict, joint_names: Sequence[str]) -> None:
    """Raises InputError when `config.features.summary` cannot be computed of these joints."""
    joints, weights = tuple(config.joints), tuple(config.weights)
    if not joints or len(joints) != len(weights):
        raise InputError(
            f'features.summary.weights: found {weights}, expected a weight for each of {joints}'
        )
    if min(weights) < 0 or not sum(weights) > 0:
        raise InputError(
            f'features.summary.weights: found {weights}, expected numbers from 0, one above 0'
        )
    if not all(distance > 0 for distance in config.near):
        raise InputError(
            f'features.summary.near: found {tuple(config.near)}, expected distances above 0'
        )
    needed = [f'{side}_{joint}' for joint in joints for side in body.SIDES]
    check_joints('features.summary', joint_names, (*HANDS_AND_MOUTH, *needed))


def hand_mouth(
    batch: dict[str, Array], joint_names: Sequence[str], scale_frames: int, config: ConfigDict
) -> Array:
    """The summary of a batch.

    A hand's place is the weighted mean of its joints; each frame counts the hand that is nearer to
    the mouth, of those observed. Frames without a hand and a mouth are left out, and end a stay.

    Args:
      batch: as for `body.features`.
      joint_names: accepted by `check`.
      scale_frames: see `body_frame.locate`.
      config: `config.features.summary`.

    Returns:
      `[B, 3 + 2 K]`, K = len(config.near): the share of the frames that count; the smallest
      distance in shoulder widths; the mean visibility of the mouth; for each distance of
      `config.near` the share of frames nearer than it, then for each the longest stay there in
      seconds. All 0 when no frame counts.
    """
    total = sum(config.weights)
    hands = [
        {f'{side}_{j}': w / total for j, w in zip(config.joints, config.weights, strict=True) if w}
        for side in body.SIDES
    ]
    x, y, visibility, observed = locate(
        batch, joint_names, [body.mouth(joint_names), *hands], scale_frames
    )
    distance = length(x[1:] - x[0], y[1:] - y[0])  # [2, B, T]
    distance = jnp.where(observed[1:] & observed[0], distance, jnp.inf).min(axis=0)
    counts = jnp.isfinite(distance)
    total = jnp.maximum(counts.sum(axis=1), 1)  # [B]
    near = distance[:, None] < jnp.asarray(config.near)[:, None]  # [B, K, T]
    columns = jnp.stack(
        [
            counts.mean(axis=1),
            jnp.where(counts, distance, jnp.inf).min(axis=1),
            jnp.where(counts, visibility[0], 0.0).sum(axis=1) / total,
        ],
        axis=1,
    )
    columns = jnp.concatenate(
        [
            columns,
            near.sum(axis=2) / total[:, None],
            _longest_run(near) / batch['fps'][:, None],
        ],
        axis=1,
    )
    return jnp.where(counts.any(axis=1)[:, None], columns, 0.0)


def _longest_run(near: Array) -> Array:
    """The most True values in a row over the last axis."""
    frame = jnp.arange(near.shape[-1])
    # The last frame so far that was not near; -1 before there is one.
    left = lax.cummax(jnp.where(near, -1, frame), axis=near.ndim - 1)
    return (frame - left).max(axis=-1)
