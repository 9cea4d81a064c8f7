"""Video Swin in plain PyTorch, the way published code computes it: the other side of a benchmark.

Windows are laid out in full, padding included, and attended by batched products; each operation is
a kernel of its own. Parameter names are those of published checkpoints (official layout) and of the
earlier pose system (legacy). Needs the `torch` extra.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from posevid_jax.models import windows


class Attention(nn.Module):
    """Multi-head attention within full windows `[windows, N, C]`, with a relative position bias."""

    def __init__(self, width, heads, window):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        rows = int(np.prod(windows.table_shape(window)))
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        index = torch.from_numpy(windows.relative_index(window))
        self.register_buffer('relative_position_index', index, persistent=False)

    def forward(self, x, mask):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)  # [windows, heads, N, N]
        index = self.relative_position_index[:n, :n].reshape(-1)
        bias = self.relative_position_bias_table[index].reshape(n, n, -1)
        logits = logits + bias.permute(2, 0, 1).contiguous()
        if mask is not None:
            logits = logits.view(b // len(mask), len(mask), self.heads, n, n) + mask[:, None]
            logits = logits.view(-1, self.heads, n, n)
        x = (logits.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)
        return self.proj(x)


class Block(nn.Module):
    """A Swin block on `[B, T, H, W, C]`."""

    def __init__(self, width, heads, window, shifted, legacy):
        super().__init__()
        self.window, self.shifted, self.legacy = window, shifted, legacy
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, heads, window)
        self.mlp = nn.ModuleDict(
            {'fc1': nn.Linear(width, 4 * width), 'fc2': nn.Linear(4 * width, width)}
        )

    def forward(self, x):
        x = x + self._attend(self.norm1(x))
        return x + self.mlp['fc2'](F.gelu(self.mlp['fc1'](self.norm2(x))))

    def _attend(self, x):
        grid = x.shape[1:4]
        plan = windows.plan_windows(grid, self.window, shifted=self.shifted, clamp=True)
        box, shift = plan.box, plan.shift
        if self.legacy:
            box, shift = self.window, tuple(w // 2 * self.shifted for w in self.window)
        back, axes = tuple(-s for s in shift), (1, 2, 3)
        counts = [-(-g // b) for g, b in zip(grid, box, strict=True)]
        pad = [(0, n * b - g) for n, b, g in zip(counts, box, grid, strict=True)]
        pad = [0, 0, *(side for axis in reversed(pad) for side in axis)]
        if self.legacy:
            x = F.pad(torch.roll(x, back, axes) if any(shift) else x, pad)
        else:
            x = F.pad(x, pad)
            x = torch.roll(x, back, axes) if any(shift) else x
        b, _, _, _, c = x.shape
        (nt, nh, nw), (t, h, w) = counts, box
        x = x.view(b, nt, t, nh, h, nw, w, c).permute(0, 1, 3, 5, 2, 4, 6, 7).contiguous()
        region = None if self.legacy else windows.region_mask(plan)
        region = None if region is None else torch.from_numpy(region).to(x)
        x = self.attn(x.view(-1, t * h * w, c), region)
        x = x.view(b, nt, nh, nw, t, h, w, c).permute(0, 1, 4, 2, 5, 3, 6, 7).contiguous()
        x = x.view(b, nt * t, nh * h, nw * w, c)
        if self.legacy:
            x = x[:, : grid[0], : grid[1], : grid[2]].contiguous()
            return torch.roll(x, shift, axes) if any(shift) else x
        x = torch.roll(x, shift, axes) if any(shift) else x
        return x[:, : grid[0], : grid[1], : grid[2]].contiguous()


class Merging(nn.Module):
    """Neighbours concatenated, normalised and projected to twice the width."""

    def __init__(self, width, legacy):
        super().__init__()
        self.legacy = legacy
        count = 8 if legacy else 4
        self.norm = nn.LayerNorm(count * width)
        self.reduction = nn.Linear(count * width, 2 * width, bias=False)

    def forward(self, x):
        step = (2, 2, 2) if self.legacy else (1, 2, 2)
        pad = [-n % s for n, s in zip(x.shape[1:4], step, strict=True)]
        x = F.pad(x, (0, 0, 0, pad[2], 0, pad[1], 0, pad[0]))
        places = [(0, 0), (1, 0), (0, 1), (1, 1)]  # (h, w) of the official order
        if self.legacy:
            parts = [x[:, t::2, h::2, w::2] for t in range(2) for h in range(2) for w in range(2)]
        else:
            parts = [x[:, :, h::2, w::2] for h, w in places]
        return self.reduction(self.norm(torch.cat(parts, -1)))


class Swin(nn.Module):
    """The whole network on `[B, C, T, H, W]`; logits `[B, K]`."""

    def __init__(self, *, channels, embed_dim, depths, num_heads, patch, window, outputs, legacy):
        super().__init__()
        self.legacy, self.patch = legacy, patch
        self.embed = nn.Conv3d(channels, embed_dim, patch, patch)
        if legacy:
            self.pos_bias = nn.Parameter(torch.zeros(1, 1, 1, 1, embed_dim))
        else:
            self.embed_norm = nn.LayerNorm(embed_dim)
        widths = [embed_dim * 2**stage for stage in range(len(depths))]
        self.stages = nn.ModuleList(
            nn.ModuleList(
                Block(width, heads, window, index % 2 == 1, legacy) for index in range(depth)
            )
            for width, depth, heads in zip(widths, depths, num_heads, strict=True)
        )
        self.downs = nn.ModuleList(Merging(width, legacy) for width in widths[:-1])
        self.norm = nn.LayerNorm(widths[-1])
        self.head = nn.Linear(widths[-1], outputs)

    def forward(self, x):
        if not self.legacy:
            pad = [-n % p for n, p in zip(x.shape[2:], self.patch, strict=True)]
            x = F.pad(x, (0, pad[2], 0, pad[1], 0, pad[0]))
        x = self.embed(x).permute(0, 2, 3, 4, 1).contiguous()
        x = x + self.pos_bias if self.legacy else self.embed_norm(x)
        for stage, blocks in enumerate(self.stages):
            if stage:
                x = self.downs[stage - 1](x)
            for block in blocks:
                x = block(x)
        if self.legacy:
            return self.head(self.norm(x.mean((1, 2, 3))))
        return self.head(self.norm(x).mean((1, 2, 3)))

    def load_published(self, state):
        """Takes a state dict of numpy arrays with published names; every tensor must fit."""
        renamed = {}
        for name, value in state.items():
            if name.endswith('relative_position_index'):
                continue
            name = name.removeprefix('backbone.')
            for old, new in (
                ('patch_embed.proj.', 'embed.'), ('patch_embed.norm.', 'embed_norm.'),
                ('patch_embed.', 'embed.'), ('attn.rel_pos.', 'attn.'), ('layers.', 'stages.'),
                ('cls_head.fc_cls.', 'head.'), ('.blocks.', '.'),
            ):  # fmt: skip
                name = name.replace(old, new)
            for old in ('downsample', 'down'):
                stage, found, rest = name.partition(f'.{old}.')
                if found:
                    name = f'downs.{stage.removeprefix("stages.")}.{rest}'
            renamed[name] = torch.from_numpy(np.asarray(value))
        self.load_state_dict(renamed)
