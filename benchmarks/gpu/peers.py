"""The networks of other frameworks, on the same inputs: PyTorch, eager and compiled."""

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from ml_collections import ConfigDict

from benchmarks import torch_step
from benchmarks.gpu import speed
from benchmarks.gpu.parts import Context, Row
from posevid_jax.config import get_config

_DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16}
_FILM = (3, 32, 112, 112)
_STEPS = 5

Build = Callable[[torch.dtype, Callable[..., Any]], Callable[[], None]]
"""From a dtype and what wraps a model to a function that makes a step."""


def rows(context: Context) -> Iterator[Row]:
    """Of each network, eager first; TF32 is allowed, as JAX does by default."""
    torch.set_float32_matmul_precision('high')
    torch.backends.cudnn.allow_tf32 = True
    for mode, wrap in (('eager', lambda model: model), ('compiled', torch.compile)):
        for name, batch, build in _networks(context.dry):
            for dtype in _DTYPES:
                row = {'network': name, 'mode': mode, 'dtype': dtype, 'batch_size': batch}
                try:
                    taken = torch_step.seconds(build(_DTYPES[dtype], wrap), _STEPS)
                except Exception as error:  # no compiler on this machine, or no memory
                    yield row | {'error': f'{type(error).__name__}: {error}'[:300]}
                    continue
                median = float(np.median(taken))
                yield row | {'step_ms': 1e3 * median, 'clips_per_s': batch / median}


def _networks(dry: bool) -> Iterator[tuple[str, int, Build]]:
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    for name, config, batches in speed.networks(dry):
        film = config.bench.clip_shape[-1] == 3  # torchvision has the same network
        if config.model.name == 'video_swin' and (dry or not film):
            yield name, batches[0], _own(config, batches[0], device)
    if importlib.util.find_spec('torchvision') is None:
        print('torchvision is not installed: its networks are left out')
        return
    from torchvision.models import video

    shape, batch = ((3, 4, 32, 32), 1) if dry else (_FILM, 32)
    for size in ('t',) if dry else ('t', 's', 'b'):
        build = getattr(video, f'swin3d_{size}')
        yield (
            f'torchvision swin3d_{size} {list(shape)}',
            batch,
            _published(build, shape, batch, device),
        )


def _own(config: ConfigDict, batch: int, device: str) -> Build:
    return lambda dtype, wrap: torch_step.torch_step(config, batch, device, dtype, wrap)


def _published(build: Callable[..., Any], shape: tuple[int, ...], batch: int, device: str) -> Build:
    def step(dtype: torch.dtype, wrap: Callable[..., Any]) -> Callable[[], None]:
        model = build(weights=None, num_classes=1).to(device)
        x = torch.randn(batch, *shape, device=device)
        return torch_step.training_step(wrap(model), x, get_config().train, dtype)

    return step
