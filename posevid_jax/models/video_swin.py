"""Video Swin Transformer (Liu et al. 2022, https://arxiv.org/abs/2106.13230).

Shapes of one clip batch `[B, T, H, W, C]`, with patch (pt, ph, pw), width E and K outputs:

    patches      [B, T/pt, H/ph, W/pw, E]
    stage 0      the same; then merging by (1, 2, 2): [B, T/pt, H/2ph, W/2pw, 2E]
    ...          and so on: each merging halves the map and doubles the width
    last stage   [B, T', H', W', 2^(stages-1) E]
    pooled       [B, 2^(stages-1) E]      mean over the (observed) tokens
    logits       [B, K]                  or [B, W, K], of its sub-clips

A block with windows of M tokens computes (paper, eq. 1 and 3)

    z' = z + (S)W-MSA(LN(z))          attention within windows, shifted by half in odd blocks
    z  = z' + MLP(LN(z'))
    Attention(Q, K, V) = softmax(Q K^T / sqrt(d) + B) V      B: relative position bias [M, M]

Two layouts of the one model:

    official   input padded to whole patches; windows clamped to the map; regions that a shift
               brings together do not see each other; merging over space; norm, then mean.
    legacy     the earlier pose system's variant: what does not fill a patch is dropped; one
               learned offset; windows never clamped but filled with zero tokens that take part;
               no shift mask; merging over time and space; mean, then norm.

The zero tokens of a legacy window all have the projection's biases as key b_k and value b_v, so
their weight in a query's softmax is one term, exp(q.b_k) sum_j exp(B_ij): a single extra key
with the bias log sum_j exp(B_ij). They are never laid out, and the result is exact.
"""

from typing import Any

import chex
import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import Array

from posevid_jax.features.inputs import Inputs
from posevid_jax.features.joint_rows import neighbours
from posevid_jax.features.subclips import cut
from posevid_jax.models import windows
from posevid_jax.models.layers import (
    WEIGHT_INIT,
    Dense,
    LayerNorm,
    Mlp,
    branch_of,
    crop_to_multiple,
    pad_to_multiple,
    to_patches,
)
from posevid_jax.models.merging import PatchMerging
from posevid_jax.models.residual import Branch, Drop, Stream, drop_factors
from posevid_jax.models.window_attention import attend_map
from posevid_jax.models.windows import Size

SIZES = {
    'mini': dict(embed_dim=32, depths=(2, 2), num_heads=(2, 4)),
    'body': dict(embed_dim=64, depths=(2, 2), num_heads=(4, 4), mlp_ratio=2.0),
    'tiny': dict(embed_dim=96, depths=(2, 2, 6, 2), num_heads=(3, 6, 12, 24)),
    'small': dict(embed_dim=96, depths=(2, 2, 18, 2), num_heads=(3, 6, 12, 24)),
    'base': dict(embed_dim=128, depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32)),
}
# What makes a size the earlier system's network: VideoSwin(**SIZES['tiny'], **LEGACY, ...).
LEGACY = dict(
    layout='legacy',
    merge=(2, 2, 2),
    patch_size=(2, 4, 4),
    window_size=(2, 7, 7),
    patch_norm=False,
    mask_padding=False,
)


class WindowAttention(nn.Module):
    """Multi-head attention within windows of `[B, T, H, W, C]`: a branch, see `Dense.branch`."""

    plan: windows.WindowPlan
    num_heads: int
    qkv_bias: bool
    dropout: float
    dtype: Any
    form: str

    @nn.compact
    def __call__(
        self, x: Array, mask: Array | None, drop: Drop | None = None, *, train: bool
    ) -> Branch:
        """Of `x` `[B, T, H, W, C]`; without a `mask` of its tokens, padding takes part."""
        width = x.shape[-1]
        project = Dense(3 * width, use_bias=self.qkv_bias, dtype=self.dtype, name='qkv')
        product, bias = project.parts(x)
        shape = (int(np.prod(windows.table_shape(self.plan.window))), self.num_heads)
        table = self.param('bias_table', WEIGHT_INIT, shape)
        # Dropped there, unless dropout comes between.
        within, after = (None, drop) if self.dropout else (drop, None)
        x = attend_map(product, bias, table, mask, within, self.plan, self.form)
        proj = Dense(width, dtype=self.dtype, name='proj')
        return branch_of(proj, nn.Dropout(self.dropout), x, after, train=train)


class SwinBlock(nn.Module):
    """Attention within windows, then an MLP, each a residual branch behind a norm."""

    plan: windows.WindowPlan
    num_heads: int
    mlp_ratio: float
    qkv_bias: bool
    dropout: float
    index: int  # among the blocks of the network
    dtype: Any
    attention: str

    @nn.compact
    def __call__(
        self, stream: Stream, mask: Array | None, drops: Array | None, train: bool
    ) -> Stream:
        """The stream with the block's branches, of which the last is still to be added.

        Args:
          stream: `[B, T, H, W, C]`, with the last branch of the block before.
          mask: `[B, T, H, W]`, tokens that were observed.
          drops: see `drop_of`.
          train: switches dropout on.
        """
        before, first, second = (drop_of(drops, 2 * self.index + i) for i in (-1, 0, 1))
        stream, y = LayerNorm(self.dtype, self.attention, name='norm1').after(stream, before)
        branch = WindowAttention(
            self.plan,
            self.num_heads,
            self.qkv_bias,
            self.dropout,
            self.dtype,
            self.attention,
            name='attn',
        )(y, mask, first, train=train)
        stream = stream._replace(branch=branch)
        stream, y = LayerNorm(self.dtype, self.attention, name='norm2').after(stream, first)
        mlp = Mlp(int(y.shape[-1] * self.mlp_ratio), self.dropout, self.dtype, name='mlp')
        return stream._replace(branch=mlp(y, second, train=train))


def drop_of(factors: Array | None, branch: int) -> Drop | None:
    """Of branch 0, 1, ... of the network; the first two, those of the first block, always stay.

    `factors` [branches - 2, B] are those of the others, or None where none is dropped.
    """
    return None if factors is None or branch < 2 else Drop(factors, branch - 2)


class VideoSwin(nn.Module):
    """Video Swin over clips `[B, T, H, W, C]`; see the head of this file for the shapes.

    Attributes:
      num_outputs: K, logits per clip.
      embed_dim: width of the first stage.
      depths: blocks per stage.
      num_heads: attention heads per stage.
      patch_size: cells (t, h, w) of one token; h = 0 takes `neighbours` of the rows.
      window_size: tokens (t, h, w) of one attention window.
      mlp_ratio: hidden width of an MLP over the width of its stage.
      qkv_bias: whether the query, key and value projection has a bias.
      patch_norm: whether a norm follows the patch embedding.
      layout: 'official' or 'legacy'.
      merge: neighbours (t, h, w) that merging joins, (1, 2, 2), (2, 2, 2) or (2, 2, 1).
      mask_padding: whether padding and missing tokens are kept out of attention and pooling.
        Takes effect when a mask is given.
      dropout: rate after the embedding, the projections and the MLP's layers.
      drop_path: rate of stochastic depth in the last block; it rises linearly from 0 in the
        first.
      remat: recompute the blocks' activations in the backward pass; for all stages or each.
      dtype: of the computation. Parameters, norms, softmax and logits stay float32.
      attention: how it is computed, see `attention.attend`.
      frame_output: also return a logit per frame.
      context: frames at the start and the end that are looked at and not judged: they take part
        in attention, not in the frame output. The pooling leaves out as many whole tokens of
        the last stage at either end; a token that holds frames of both is pooled.
      subclips: frames of the W sub-clips that a clip is judged by, and from one to the next,
        see features/subclips.py: each has the mean over its frames of the head's logits of the
        tokens, interpolated to frames. None to pool and judge the clip as one.
      statistics: a network whose logits are added to those of the head, or None; of the sub-clips
        of a clip, where there are any.

    Dropout and stochastic depth draw from the rng stream 'dropout'. The last stage's map (of
    the legacy layout: its mean before the norm) is sown as intermediates/features.
    """

    num_outputs: int
    embed_dim: int
    depths: tuple[int, ...]
    num_heads: tuple[int, ...]
    patch_size: Size = (2, 2, 2)
    window_size: Size = (8, 7, 7)
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    patch_norm: bool = True
    layout: str = 'official'
    merge: Size = (1, 2, 2)
    mask_padding: bool = True
    dropout: float = 0.0
    drop_path: float = 0.0
    remat: bool | tuple[bool, ...] = False
    dtype: Any = jnp.float32
    attention: str = 'auto'
    frame_output: bool = False
    context: int = 0
    subclips: tuple[int, int] | None = None
    statistics: nn.Module | None = None

    @nn.compact
    def __call__(self, inputs: Inputs, *, train: bool):
        """Scores clips.

        Args:
          inputs: of it the cells; `statistics` is called with it too. A token is missing when no
            cell of its patch was observed. Without a mask, or with `mask_padding` off: the
            published network, in which padding takes part.
          train: switches dropout and stochastic depth on.

        Returns:
          logits `[B, K]` float32, with `subclips` `[B, W, K]`; with `frame_output` the pair
          of these and `[B, T]`.
        """
        assert inputs.cells is not None  # the one input of this family
        x, mask = inputs.cells
        chex.assert_rank(x, 5)
        frames = x.shape[1]
        # Whoever calls the network by itself may have none.
        if mask is not None:  # pyright: ignore[reportUnnecessaryComparison]
            chex.assert_shape(mask, x.shape[:4])
        if not self.mask_padding:
            mask = None
        x, mask = self._embed(x, mask, train)
        drops = None
        if train and self.drop_path:
            rates = np.linspace(0.0, self.drop_path, sum(self.depths))[1:].repeat(2)
            drops = drop_factors(self.make_rng('dropout'), rates, x.shape[0])
        remat = (self.remat,) * len(self.depths) if isinstance(self.remat, bool) else self.remat
        block, stream = 0, Stream(x)
        for stage, depth in enumerate(self.depths):
            if stage:
                name = f'merge{stage - 1}'
                merging = PatchMerging(self.merge, self.dtype, self.attention, name=name)
                stream = Stream(merging(stream.sum(drop_of(drops, 2 * block - 1))))
                mask = None if mask is None else _any_of(mask, self.merge)
            module = nn.remat(SwinBlock, static_argnums=(4,)) if remat[stage] else SwinBlock
            for index in range(depth):
                _, t, h, w, _ = stream.x.shape
                plan = windows.plan_windows(
                    (t, h, w),
                    self.window_size,
                    shifted=index % 2 == 1,
                    clamp=self.layout == 'official',
                )
                stream = module(
                    plan,
                    self.num_heads[stage],
                    self.mlp_ratio,
                    self.qkv_bias,
                    self.dropout,
                    block,
                    self.dtype,
                    self.attention,
                    name=f'stage{stage}_block{index}',
                )(stream, mask, drops, train)
                block += 1
        x = stream.sum(drop_of(drops, 2 * block - 1))
        logits, *scores = self._head(x, mask, frames)
        if self.statistics is not None:
            more = self.statistics(inputs, train=train)
            logits = logits + (more.reshape(logits.shape) if self.subclips else more)
        return (logits, *scores) if scores else logits

    def _embed(self, x: Array, mask: Array | None, train: bool) -> tuple[Array, Array | None]:
        """Cells to tokens `[B, T', H', W', E]`, and which tokens were observed."""
        fit = crop_to_multiple if self.layout == 'legacy' else pad_to_multiple
        frames, rows, columns = self.patch_size
        patch = (frames, rows or neighbours(x.shape[2]), columns)
        if mask is not None:
            x = jnp.where(mask[..., None], x, 0)
            mask = _any_of(fit(mask, patch), patch)
        x = to_patches(fit(x, patch), patch)
        x = Dense(self.embed_dim, dtype=self.dtype, name='patch_embed')(x)
        if self.layout == 'legacy':
            offset = self.param('pos_bias', nn.initializers.zeros, (self.embed_dim,))
            x = x + offset.astype(self.dtype)
        if self.patch_norm:
            x = LayerNorm(self.dtype, self.attention, name='patch_norm')(x)
        return nn.Dropout(self.dropout)(x, deterministic=not train), mask

    def _head(self, x: Array, mask: Array | None, frames: int):
        """Scores the clip or its sub-clips from the last map, and each of its `frames`."""
        norm = LayerNorm(form=self.attention, name='norm')
        legacy = self.layout == 'legacy'
        if not legacy:
            x = norm(x)
            self.sow('intermediates', 'features', x)
        stride = self.patch_size[0] * self.merge[0] ** (len(self.depths) - 1)
        judged = slice(self.context // stride, x.shape[1] - self.context // stride)
        mask_judged = None if mask is None else mask[:, judged]
        pooled = masked_mean(x[:, judged], mask_judged, axes=(1, 2, 3))  # [B, C]
        if legacy:
            self.sow('intermediates', 'features', pooled)
            pooled = norm(pooled)
        head = Dense(self.num_outputs, name='head')
        if not (self.frame_output or self.subclips):
            return (head(pooled),)
        rows = masked_mean(x, mask, axes=(2, 3))  # [B, T', C]
        rows = norm(rows) if legacy else rows
        weights = frame_interpolation(rows.shape[1], frames, stride)
        weights = weights[:, self.context : frames - self.context]  # [T', T]
        if self.subclips:
            of_subclips = (
                cut(jnp.asarray(weights), *self.subclips).mean(axis=1).reshape(len(weights), -1)
            )
            logits = jnp.einsum('btk,tw->bwk', head(rows), of_subclips)
        else:
            logits = head(pooled)
        if not self.frame_output:
            return (logits,)
        return logits, Dense(1, name='frame_head')(rows)[..., 0] @ weights


def masked_mean(x: Array, mask: Array | None, axes: tuple[int, ...]) -> Array:
    """Mean of `x` [B, T, H, W, C] over `axes`, in float32, of the tokens in `mask` [B, T, H, W].

    Zero where no token is observed.
    """
    x = x.astype(jnp.float32)
    if mask is None:
        return x.mean(axes)
    kept = mask[..., None].astype(jnp.float32)
    return (x * kept).sum(axes) / jnp.maximum(kept.sum(axes), 1.0)


def frame_interpolation(tokens: int, frames: int, stride: int) -> np.ndarray:
    """Weights [tokens, frames] of linear interpolation from tokens of `stride` frames to frames.

    Token i stands at the middle of its frames, i * stride + (stride - 1) / 2; before the first
    and after the last the value is held.
    """
    place = (np.arange(frames) - (stride - 1) / 2) / stride
    return np.stack([np.interp(place, np.arange(tokens), row) for row in np.eye(tokens)]).astype(
        np.float32
    )


def _any_of(mask: Array, size: Size) -> Array:
    """Whether any cell of each `size` group is set: [B, T, H, W] -> [B, T', H', W']."""
    return to_patches(pad_to_multiple(mask, size)[..., None], size).any(-1)
