"""How fast the training step is, beside what the device can do at all."""

import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from benchmarks.gpu.parts import Context, Row
from configs import stat_pool, video_swin
from posevid_jax.capacity import memory
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import bench, bench_network
from posevid_jax.runs.files import read_json

DTYPES = ('float32', 'bfloat16')
ROOT = pathlib.Path(__file__).parents[2]
_POSES, _FILM = (75, 6, 6, 4), (32, 112, 112, 3)
_COPIED = 2**28  # numbers of float32, read and written, for the rate of memory


class Network(NamedTuple):
    """What is timed: a name, its configuration, and batches, the most telling one first."""

    name: str
    config: ConfigDict
    batches: tuple[int, ...]


def networks(dry: bool) -> list[Network]:
    """In order of importance."""
    if dry:
        return [_swin('mini', (8, 4, 4, 3), (2,)), _stat_pool((8, 5, 2), (2,))]
    return [
        _swin('tiny', _POSES, (64, 16, 256)),
        _swin('tiny', _FILM, (32, 8), patch=(2, 4, 4)),
        _stat_pool((75, 36, 4), (256, 64, 1024)),
        _swin('mini', _POSES, (64, 16, 256)),
        _swin('small', _POSES, (64, 16, 256)),
        _swin('base', _POSES, (64, 16, 256)),
        _swin('legacy', _POSES, (64, 16, 256)),
    ]


def _swin(
    size: str, shape: tuple[int, ...], batches: tuple[int, ...], patch: tuple[int, ...] = ()
) -> Network:
    config = video_swin.get_config('tiny' if size == 'mini' else size)
    config.model.size = 'tiny' if size == 'legacy' else size
    if patch:
        config.model.video_swin.patch_size = patch
    if size == 'mini':
        config.model.video_swin.remat = (False, False)  # it has two stages
    config.bench.sizes = (config.model.size,)
    config.bench.clip_shape = shape
    return Network(f'video_swin {size} {list(shape)}', config, batches)


def _stat_pool(shape: tuple[int, ...], batches: tuple[int, ...]) -> Network:
    config = stat_pool.get_config('features')
    config.bench.clip_shape = shape
    return Network(f'stat_pool {list(shape)}', config, batches)


def memory_rate() -> float:
    """GB per second that one large kernel reads and writes, the best of five."""
    x = jnp.ones(_COPIED if jax.default_backend() == 'gpu' else 2**22, jnp.float32)
    add = jax.jit(lambda x: x + 1)
    jax.block_until_ready(add(x))
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        jax.block_until_ready(add(x))
        seconds.append(time.perf_counter() - started)
    return 2 * x.nbytes / 1e9 / min(seconds)


def step_rows(context: Context) -> Iterator[Row]:
    """Every network at its most telling batch, then at its others."""
    rate = memory_rate()
    yield {'what': 'device', 'memory_gb_per_s': rate}
    known = networks(context.dry)
    for place in range(max(len(network.batches) for network in known)):
        for name, config, batches in known:
            for dtype in DTYPES if place < len(batches) else ():
                yield {'network': name} | timed(config, dtype, batches[place], rate)


def timed(config: ConfigDict, dtype: str, batch: int, memory_gb_per_s: float) -> Row:
    """The record of `--mode=bench` of one step, with its share of the rate of memory."""
    config = config.copy_and_resolve_references()
    config.bench.dtypes, config.bench.batch_sizes = (dtype,), (batch,)
    try:
        (record,) = bench.bench_steps(config)
    except jax.errors.JaxRuntimeError as error:
        if not memory.ran_out(error):
            raise
        return {'dtype': dtype, 'batch_size': batch, 'error': 'out of memory'}
    seconds = record['time']['step_ms'] / 1e3
    share = record['accessed_bytes'] / 1e9 / seconds / memory_gb_per_s
    return record | {'memory_share': share}


def attention_rows(context: Context) -> Iterator[Row]:
    """Large windows in bfloat16 with either form: the time, and loss and gradient of a step."""
    shape, batch = ((8, 16, 16, 3), 2) if context.dry else (_FILM, 16)
    rate = memory_rate()
    for form in ('plain', 'auto'):
        name, config, _ = _swin('mini' if context.dry else 'tiny', shape, (), (2, 4, 4))
        config.model.video_swin.attention = form
        config.model.dtype = 'bfloat16'
        step, create, given = bench_network.network_step(config, batch)
        state, rng = jax.jit(create)(), jax.random.key(0)
        _, metrics = Parallel('jit').compile_train(step)(state, given, rng)
        found = {key: float(metrics[key]) for key in ('loss', 'grad_norm')}
        yield {'network': name, 'attention': form} | found | timed(config, 'bfloat16', batch, rate)


def deterministic_rows(context: Context) -> Iterator[Row]:
    """The same step with and without: each in a process of its own, as XLA reads flags once."""
    shape = (8, 4, 4, 3) if context.dry else _POSES
    size, batch = ('mini', 2) if context.dry else ('tiny', 64)
    for deterministic in (False, True):
        folder = context.folder / str(deterministic)
        command = (
            'main.py', '--mode=bench', '--config=configs/video_swin.py:tiny',
            f'--workdir={folder}', f'--config.train.deterministic={deterministic}',
            f"--config.bench.sizes=('{size}',)", f'--config.bench.clip_shape={shape}',
            f'--config.bench.batch_sizes=({batch},)', f'--config.bench.dtypes={DTYPES}',
            *(['--config.model.video_swin.remat=(False,False)'] if context.dry else []),
        )  # fmt: skip
        subprocess.run([sys.executable, *command], check=True, cwd=ROOT)
        for record in read_json(folder / 'bench.json')['results']:
            yield {'deterministic': deterministic} | record
