"""Video Swin written out in numpy: every pair of tokens, float64, no windows to cut.

Independent of the model's code on purpose: a block is attention over all tokens of the padded map,
in which a token sees those that its position puts in the same window.
"""

import itertools
import math

import numpy as np


def logits(params, x, *, heads, depths, patch, window, merge, legacy):
    """Logits [B, K] of cells [B, T, H, W, C], from the model's parameters, in evaluation mode."""
    return np.stack(
        [_clip(params, np.asarray(clip, float), heads, depths, patch, window, merge, legacy)
         for clip in x]
    )  # fmt: skip


def _clip(params, x, heads, depths, patch, window, merge, legacy):
    x = _patches(params, x, patch, legacy)
    for stage, depth in enumerate(depths):
        if stage:
            x = _merge(params[f'merge{stage - 1}'], x, merge, legacy)
        for block in range(depth):
            p = params[f'stage{stage}_block{block}']
            x = x + _attention(
                p['attn'], _norm(p['norm1'], x), heads[stage], window, block % 2 == 1, legacy
            )
            hidden = _linear(p['mlp']['fc1'], _norm(p['norm2'], x))
            hidden = 0.5 * hidden * (1 + np.vectorize(math.erf)(hidden / math.sqrt(2)))
            x = x + _linear(p['mlp']['fc2'], hidden)
    if not legacy:
        x = _norm(params['norm'], x)
    pooled = x.reshape(-1, x.shape[-1]).mean(0)
    return _linear(params['head'], _norm(params['norm'], pooled) if legacy else pooled)


def _linear(p, x):
    return x @ np.asarray(p['kernel'], float) + np.asarray(p.get('bias', 0.0), float)


def _norm(p, x):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * np.asarray(p['scale'], float) + np.asarray(p['bias'], float)


def _cells(x, size, pad):
    """For each group of `size` cells: where it stands and its cells in the order (t, h, w)."""
    rounded = [math.ceil(n / s) if pad else n // s for n, s in zip(x.shape, size, strict=False)]
    full = np.zeros((*(n * s for n, s in zip(rounded, size, strict=True)), x.shape[-1]))
    kept = tuple(slice(min(n, m)) for n, m in zip(x.shape, full.shape, strict=False))[:3]
    full[kept] = x[kept]
    for place in itertools.product(*map(range, rounded)):
        yield (
            place,
            rounded,
            {
                offset: full[tuple(p * s + o for p, s, o in zip(place, size, offset, strict=True))]
                for offset in itertools.product(*map(range, size))
            },
        )


def _patches(params, x, patch, legacy):
    out = None
    for place, shape, cells in _cells(x, patch, pad=not legacy):
        token = _linear(params['patch_embed'], np.concatenate(list(cells.values())))
        out = np.zeros((*shape, len(token))) if out is None else out
        out[place] = token
    if legacy:
        out = out + np.asarray(params['pos_bias'], float)
    return _norm(params['patch_norm'], out) if 'patch_norm' in params else out


def _merge(p, x, merge, legacy):
    out = None
    for place, shape, cells in _cells(x, merge, pad=True):
        key = None if legacy else (lambda offset: (offset[0], offset[2], offset[1]))
        token = np.concatenate([cells[offset] for offset in sorted(cells, key=key)])
        token = _linear(p['reduction'], _norm(p['norm'], token))
        out = np.zeros((*shape, len(token))) if out is None else out
        out[place] = token
    return out


def _attention(p, x, heads, window, shifted, legacy):
    grid, width = x.shape[:3], x.shape[3]
    # Official: the window shrinks to the map, pad then roll. Legacy: roll then pad.
    box = window if legacy else tuple(map(min, grid, window))
    shift = [
        w // 2 if shifted and (legacy or g > w) else 0 for g, w in zip(grid, window, strict=True)
    ]
    full = [math.ceil(g / b) * b for g, b in zip(grid, box, strict=True)]
    tokens, home, place = [], [], []
    for at in itertools.product(*map(range, full)):  # positions after the roll
        if legacy:
            inside = all(a < g for a, g in zip(at, grid, strict=True))
            source = tuple((a + s) % g for a, s, g in zip(at, shift, grid, strict=True))
        else:
            source = tuple((a + s) % f for a, s, f in zip(at, shift, full, strict=True))
            inside = all(a < g for a, g in zip(source, grid, strict=True))
        tokens.append(x[source] if inside else np.zeros(width))
        home.append(source if inside else None)
        place.append(at)
    place = np.array(place)
    in_window = place // box
    offset = place % box
    same = (in_window[:, None] == in_window[None]).all(-1)
    region = np.stack(
        [
            (place[:, a] >= full[a] - box[a]).astype(int) + (place[:, a] >= full[a] - shift[a])
            if shift[a] and not legacy
            else np.zeros(len(place), int)
            for a in range(3)
        ],
        axis=-1,
    )
    # A clamped window reads the top-left corner of the full window's index: token number n of the
    # box takes the offset of token number n of the full window.
    number = np.ravel_multi_index(offset.T, box)
    full_offset = np.stack(np.unravel_index(number, window), -1)
    distance = full_offset[:, None] - full_offset[None] + np.array(window) - 1
    row = np.ravel_multi_index(np.moveaxis(distance, -1, 0), [2 * w - 1 for w in window])
    bias = np.asarray(p['bias_table'], float)[row]  # [tokens, tokens, heads]
    qkv = _linear(p['qkv'], np.stack(tokens)).reshape(len(place), 3, heads, -1)
    out = []
    for head in range(heads):
        q, k, v = qkv[:, 0, head], qkv[:, 1, head], qkv[:, 2, head]
        score = q @ k.T / math.sqrt(q.shape[1]) + bias[..., head]
        score = score - 100.0 * (region[:, None] != region[None]).any(-1)
        score = np.where(same, score, -np.inf)
        weight = np.exp(score - score.max(1, keepdims=True))
        out.append(weight / weight.sum(1, keepdims=True) @ v)
    mixed = _linear(p['proj'], np.concatenate(out, -1))
    result = np.zeros_like(x)
    for source, value in zip(home, mixed, strict=True):
        if source is not None:
            result[source] = value
    return result
