"""Mode bench: what a step or the loader costs, beside what the machine can do in the same run."""

import datetime
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.capacity import memory
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import GrowingTable
from posevid_jax.machine import parallel
from posevid_jax.modes import bench_network
from posevid_jax.modes.bench_described import count_steps
from posevid_jax.modes.bench_loader import bench_loader
from posevid_jax.modes.bench_stream import bench_stream
from posevid_jax.runs.config import as_json
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import write_json

# Large enough that a matrix product runs at the rate of the machine, small enough for a laptop.
_MATMUL_SIZE = {'cpu': 2048, 'gpu': 8192}


def bench(config: ConfigDict, workdir: pathlib.Path | None = None) -> list[dict[str, Any]]:
    """Measures what `bench.what` names, prints a table and writes `bench.json`.

    Args:
      config: the whole configuration.
      workdir: where `bench.json` goes; None makes a new numbered directory. Of `stream`, the run.

    Returns:
      one record per row of the table.

    Raises:
      InputError: a key of `config.bench` that cannot be measured.
    """
    kinds = {
        'step': lambda: (bench_steps if config.bench.device == 'local' else count_steps)(config),
        'loader': lambda: bench_loader(config),
        'stream': lambda: bench_stream(config, workdir),
    }
    if config.bench.what not in kinds:
        raise InputError(
            f'bench.what: found {config.bench.what!r}, expected one of {", ".join(kinds)}'
        )
    records = kinds[config.bench.what]()
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / 'bench')
    path = workdir / 'bench.json'
    write_json(
        path,
        {'date': datetime.date.today().isoformat()}
        | environment()
        | {'config': as_json(config), 'results': records},
    )
    print(path)
    return records


def bench_steps(config: ConfigDict) -> list[dict[str, Any]]:
    """Times the training step of each size, dtype and batch size in `config.bench`.

    Args:
      config: the whole configuration; what `config.bench` does not vary is as in training.

    Returns:
      one record per row: `size`, `dtype`, `batch_size`, `gflop` of the compiled step, the
      `accessed_bytes` that its kernels read and write, the `bytes` it needs, and under `time`
      `compile_s`, `step_ms` (median), `clips_per_s`, `gflop_per_s`, `matmul_gflop_per_s` (one large
      product of the same dtype) and `share`, the ratio of the two.

    Raises:
      InputError: a size, dtype or shape that cannot be built.
    """
    layout = parallel.Parallel('jit')
    variants = bench_network.variants(config)
    table = GrowingTable(_HEADER, bench_network.names(config), room=len('bfloat16'))
    records, peaks = [], {}
    for size, dtype, changed in variants:
        peaks[dtype] = peaks.get(dtype) or matmul_rate(dtype)
        for batch_size in config.bench.batch_sizes:
            cost = _measure(changed, batch_size, layout)
            cost['time'] |= {'matmul_gflop_per_s': peaks[dtype]}
            cost['time']['share'] = cost['time']['gflop_per_s'] / peaks[dtype]
            record = {'size': size, 'dtype': dtype, 'batch_size': batch_size} | cost
            records.append(record)
            table.add(_row(record))
    return records


def _measure(config: ConfigDict, batch_size: int, layout: parallel.Parallel) -> dict[str, Any]:
    step, create, batch = bench_network.network_step(config, batch_size)
    state, rng = jax.jit(create)(), jax.random.key(0)
    started = time.perf_counter()
    compiled = layout.compile_train(step).lower(state, batch, rng).compile()
    compile_s = time.perf_counter() - started
    seconds = []
    for _ in range(config.bench.steps + 1):
        started = time.perf_counter()
        state, _ = jax.block_until_ready(compiled(state, batch, rng))
        seconds.append(time.perf_counter() - started)
    step_s = float(np.median(seconds[1:]))  # the first one warms up
    cost = compiled.cost_analysis() or {}
    gflop = cost['flops'] / 1e9
    return {
        'gflop': gflop,
        'accessed_bytes': cost['bytes accessed'],
        'bytes': memory.of_compiled(compiled).bytes,
        'time': {
            'compile_s': compile_s,
            'step_ms': 1e3 * step_s,
            'clips_per_s': batch_size / step_s,
            'gflop_per_s': gflop / step_s,
        },
    }


def matmul_rate(dtype: str) -> float:
    """GFLOP per second of one large matrix product, the best of five."""
    size = _MATMUL_SIZE.get(jax.default_backend(), 2048)
    a = jax.random.normal(jax.random.key(0), (size, size), jnp.dtype(dtype))
    product: Callable[..., Any] = jax.jit(jnp.matmul)
    jax.block_until_ready(product(a, a))
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        jax.block_until_ready(product(a, a))
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / 1e9 / min(seconds)


_HEADER = (
    'size', 'dtype', 'batch', 'compile s', 'step ms', 'clips/s', 'GFLOP', 'MB', 'GFLOP/s', 'matmul',
    'share',
)  # fmt: skip


def _row(record: dict[str, Any]) -> list[str]:
    t = record['time']
    return [
        record['size'],
        record['dtype'],
        str(record['batch_size']),
        *(f'{t[key]:.1f}' for key in ('compile_s', 'step_ms', 'clips_per_s')),
        f'{record["gflop"]:.1f}',
        f'{record["bytes"] / 1e6:.0f}',
        *(f'{t[key]:.0f}' for key in ('gflop_per_s', 'matmul_gflop_per_s')),
        f'{t["share"]:.2f}',
    ]
