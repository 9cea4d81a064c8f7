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
from posevid_jax.features.inputs import Inputs, Masked
from posevid_jax.features.scaling import Scaler
from posevid_jax.machine import parallel
from posevid_jax.models import classifier, families
from posevid_jax.modes.bench_loader import bench_loader
from posevid_jax.modes.bench_stream import bench_stream
from posevid_jax.runs.config import as_json
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import write_json
from posevid_jax.training import optim, steps
from posevid_jax.training import state as states

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
        'step': lambda: bench_steps(config),
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
      one record per row: `size`, `dtype`, `batch_size`, `gflop` of the compiled step, the `bytes`
      it needs, and under `time` `compile_s`, `step_ms` (median), `clips_per_s`, `gflop_per_s`,
      `matmul_gflop_per_s` (one large product of the same dtype) and `share`, the ratio of the two.

    Raises:
      InputError: a size, dtype or shape that cannot be built.
    """
    settings, family = config.bench, families.of(config)
    axes = 'T, H, W, C' if family.inputs(config).cells else 'T, F, C'
    if len(settings.clip_shape) != len(axes.split()):
        raise InputError(
            f'bench.clip_shape: found {tuple(settings.clip_shape)}, expected sizes {axes} '
            f'for {config.model.name}'
        )
    layout = parallel.Parallel('jit')
    records = []
    sizes = settings.sizes if family.sizes else (config.model.name,)
    table = GrowingTable(_HEADER, sizes, room=len('bfloat16'))
    for size in sizes:
        for dtype in settings.dtypes:
            changed = config.copy_and_resolve_references()
            changed.model.dtype = dtype
            if family.sizes:
                changed.model.size = size
            peak = matmul_rate(dtype)
            for batch_size in settings.batch_sizes:
                cost = _measure(changed, batch_size, layout)
                cost['time'] |= {'matmul_gflop_per_s': peak}
                cost['time']['share'] = cost['time']['gflop_per_s'] / peak
                record = {'size': size, 'dtype': dtype, 'batch_size': batch_size} | cost
                records.append(record)
                table.add(_row(record))
    return records


def _measure(config: ConfigDict, batch_size: int, layout: parallel.Parallel) -> dict[str, Any]:
    step, state, batch = network_step(config, batch_size)
    rng = jax.random.key(0)
    started = time.perf_counter()
    compiled = layout.compile_train(step).lower(state, batch, rng).compile()
    compile_s = time.perf_counter() - started
    seconds = []
    for _ in range(config.bench.steps + 1):
        started = time.perf_counter()
        state, _ = jax.block_until_ready(compiled(state, batch, rng))
        seconds.append(time.perf_counter() - started)
    step_s = float(np.median(seconds[1:]))  # the first one warms up
    gflop = (compiled.cost_analysis() or {})['flops'] / 1e9
    return {
        'gflop': gflop,
        'bytes': memory.of_compiled(compiled).bytes,
        'time': {
            'compile_s': compile_s,
            'step_ms': 1e3 * step_s,
            'clips_per_s': batch_size / step_s,
            'gflop_per_s': gflop / step_s,
        },
    }


def network_step(
    config: ConfigDict, batch_size: int
) -> tuple[steps.TrainStep, states.TrainState, dict[str, np.ndarray]]:
    """The training step on random network inputs, a fresh state and a batch.

    The very step of training, except that the classifier reads its input from the batch instead of
    computing it, so that any clip shape can be timed: clips judged as one, by a network that reads
    nothing beside its main input. Nothing is augmented.

    Args:
      config: the whole configuration; `bench.clip_shape` is the shape of one input.
      batch_size: clips.
    """
    family, config = families.of(config), config.copy_and_resolve_references()
    config.update_from_flattened_dict(family.alone)
    config.features.subclip = config.features.context = 0
    main = 'cells' if family.inputs(config).cells else 'channels'
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch_size, *config.bench.clip_shape)).astype(np.float32)
    batch = {
        'x': x,
        'x_mask': np.ones(x.shape[:-1] if main == 'cells' else x.shape, bool),
        'label': rng.integers(0, 2, batch_size).astype(np.int32),
        'weight': np.ones(batch_size, np.float32),
        'valid': np.ones(batch_size, np.float32),
        'frame_label': rng.integers(0, 2, x.shape[:2]).astype(np.int8),
    }

    def read(batch: dict[str, jax.Array], scaler: Scaler) -> Inputs:
        given = Masked(batch['x'], batch['x_mask'])
        return Inputs(cells=given) if main == 'cells' else Inputs(channels=given)

    model = classifier.Classifier(
        classifier.build_network(config, num_classes=2),
        read=read,
    )
    schedule = optim.learning_rate(config.train, 100)
    optimizer = optim.optimizer(config.train, schedule, family)
    scaler = Scaler(center=np.zeros(1, np.float32), scale=np.ones(1, np.float32))
    state = jax.jit(lambda: states.create(model, optimizer, scaler, batch, config.seed))()
    return steps.make_train_step(model, optimizer, schedule, config.train), state, batch


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
