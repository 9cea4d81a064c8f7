"""What a training step would do on a GPU that is not here: compiled for it and read, never run."""

import time
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.capacity import devices, kernels, memory
from posevid_jax.evaluation.table import GrowingTable, Table
from posevid_jax.machine import parallel
from posevid_jax.modes import bench_network

_HEADER = (
    'size', 'dtype', 'batch', 'compile s', 'GFLOP', 'kernels', 'GB written', 'MB', 'ms by FLOP',
    'ms by bytes',
)  # fmt: skip


def count_steps(config: ConfigDict) -> list[dict[str, Any]]:
    """Compiles the training step of each size, dtype and batch size for the GPU `bench.device`.

    Args:
      config: the whole configuration; what `config.bench` does not vary is as in training.

    Returns:
      one record per row: `size`, `dtype`, `batch_size`, `device`, `gflop` of the step's matrix
      products, the `bytes` it needs, `kernels` that it starts, `bytes_written` by them, the same
      three `by_kind`, and under `floor_ms` the least that a step can take: `flop` with all products
      at the GPU's rate, `bytes` with everything written at the rate of its memory and nothing read.

    Raises:
      InputError: an unknown GPU, no CUDA plugin, or a size, dtype or shape that cannot be built.
    """
    gpu = devices.named('bench.device', config.bench.device)
    layout = parallel.Parallel('jit', devices.topology_devices(gpu, 1, 'bench.device'))
    print(f'{gpu.kind}, described: compiled for it, not run')
    variants = bench_network.variants(devices.as_trained_on(gpu, config))
    table = GrowingTable(_HEADER, bench_network.names(config), room=len('bfloat16'))
    records = []
    for size, dtype, changed in variants:
        for batch_size in config.bench.batch_sizes:
            record = {'size': size, 'dtype': dtype, 'batch_size': batch_size, 'device': gpu.kind}
            record |= _count(changed, batch_size, layout, gpu)
            records.append(record)
            table.add(_row(record))
            print('\n'.join(_kinds(record).lines()), flush=True)
    return records


def _count(
    config: ConfigDict, batch_size: int, layout: parallel.Parallel, gpu: devices.Gpu
) -> dict[str, Any]:
    started = time.perf_counter()
    compiled = compile_step(config, batch_size, layout)
    program = compiled.as_text()
    assert program is not None  # XLA's GPU compiler gives it
    found = kernels.kernels(program)
    work = kernels.total(found)
    rate = gpu.bfloat16_flops if config.model.dtype == 'bfloat16' else gpu.float32_flops
    return {
        'gflop': work.flop / 1e9,
        'bytes': memory.of_compiled(compiled).bytes,
        'kernels': work.kernels,
        'bytes_written': work.bytes,
        'by_kind': {kind: each._asdict() for kind, each in kernels.by_kind(found).items()},
        'floor_ms': {'flop': 1e3 * work.flop / rate, 'bytes': 1e3 * work.bytes / gpu.bandwidth},
        'time': {'compile_s': time.perf_counter() - started},
    }


def compile_step(
    config: ConfigDict, batch_size: int, layout: parallel.Parallel
) -> jax.stages.Compiled:
    """The training step for the one described device of a layout; allocates nothing on it."""
    step, create, batch = bench_network.network_step(config, batch_size)
    arguments = (jax.eval_shape(create), batch, jax.random.key(0))
    lowered = layout.compile_train(step).lower(*devices.shapes_on(layout.devices[0], arguments))
    return lowered.compile(compiler_options=devices.DESCRIBED_OPTIONS)


def _row(record: dict[str, Any]) -> list[str]:
    return [
        record['size'],
        record['dtype'],
        str(record['batch_size']),
        f'{record["time"]["compile_s"]:.1f}',
        f'{record["gflop"]:.1f}',
        str(record['kernels']),
        f'{record["bytes_written"] / 1e9:.2f}',
        f'{record["bytes"] / 1e6:.0f}',
        *(f'{record["floor_ms"][key]:.2f}' for key in ('flop', 'bytes')),
    ]


def _kinds(record: dict[str, Any]) -> Table:
    return Table(
        '',
        ('kind', 'kernels', 'GB written', 'GFLOP'),
        [
            (kind, str(of['kernels']), f'{of["bytes"] / 1e9:.2f}', f'{of["flop"] / 1e9:.1f}')
            for kind, of in record['by_kind'].items()
        ],
    )
