"""What the loader delivers, beside grain's own batching of single clips.

Run it on one core: `taskset -c 0 python main.py --mode=bench --config.bench.what=loader ...`.
"""

import pathlib
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import grain
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import loader, sampling
from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.mapped import Column
from posevid_jax.data.shard_reader import read_shards
from posevid_jax.data.shards import write_shards
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import GrowingTable
from posevid_jax.machine.prefetch import Batch

_FRAMES, _FEATURES = 75, 36
_PASSES = 3  # over the clips, the fastest counts
_GRAIN = "grain's .batch"


def bench_loader(config: ConfigDict) -> list[dict[str, Any]]:
    """Times whole epochs of batches, with every column that a training batch has.

    Args:
      config: the whole configuration: `bench.loader_clips`, `train.batch_size`.

    Returns:
      one record per way of loading: `loader`, `num_clips`, `clip_shape`, `batch_size`, and under
      `time` `clips_per_s` and `ratio`, how many times as fast as grain's own it is.

    Raises:
      InputError: there are fewer clips than two batches hold.
    """
    num_clips, batch_size = config.bench.loader_clips, config.train.batch_size
    if not 0 < 2 * batch_size <= num_clips:
        raise InputError(
            f'bench.loader_clips: found {num_clips}, expected at least twice train.batch_size = '
            f'{batch_size}'
        )
    clips = _random_clips(num_clips)
    arrays = clips.arrays(skeleton=False)
    steps = num_clips // batch_size
    print(f'{num_clips} clips of {_FRAMES} frames, {_FEATURES} features, batches of {batch_size}')
    with tempfile.TemporaryDirectory() as folder:
        write_shards(pathlib.Path(folder) / 'shards', [clips])
        mapped = read_shards(pathlib.Path(folder) / 'shards').arrays(skeleton=False)
        ways = {
            _GRAIN: lambda: _grains_own(arrays, batch_size),
            'in memory': lambda: _ours(arrays, batch_size, steps),
            'memory-mapped': lambda: _ours(mapped, batch_size, steps),
        }
        table = GrowingTable(('loader', 'clips/s', 'ratio'), ways, room=10)
        rates = {}
        records = []
        for name, batches in ways.items():
            rates[name] = max(_rate(batches()) for _ in range(_PASSES))
            measured = {'clips_per_s': rates[name], 'ratio': rates[name] / rates[_GRAIN]}
            table.add((name, f'{rates[name]:,.0f}', f'{measured["ratio"]:.1f}'))
            records.append(
                {
                    'loader': name,
                    'num_clips': num_clips,
                    'clip_shape': [_FRAMES, _FEATURES],
                    'batch_size': batch_size,
                    'time': measured,
                }
            )
    return records


def _random_clips(num_clips: int) -> Clips:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((num_clips, _FRAMES, _FEATURES), np.float32)
    features[rng.random((num_clips, _FRAMES)) < 0.1] = np.nan
    label = rng.integers(0, 2, num_clips)
    return from_arrays(source='random', features=features, label=label, in_place=True)


def _ours(arrays: dict[str, Column], batch_size: int, steps: int) -> Iterator[Batch]:
    label = np.asarray(arrays['label'])
    order = sampling.Order(sampling.make_streams(label, label, balance=False), seed=0)
    return loader.train_batches(arrays, order=order, batch_size=batch_size, num_steps=steps)


def _grains_own(arrays: dict[str, Column], batch_size: int) -> Iterator[Batch]:
    """Single clips, shuffled and put together by grain."""
    # grain asks for a length and items, and declares a whole Sequence.
    rows: Any = _Rows(arrays)
    clips = grain.MapDataset.source(rows).shuffle(seed=0)
    batches = clips.batch(batch_size, drop_remainder=True)
    return iter(batches.to_iter_dataset(grain.ReadOptions(num_threads=0)))


class _Rows:
    """Random access to single clips."""

    def __init__(self, arrays: dict[str, Column]):
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays['label'])

    def __getitem__(self, row: int) -> dict[str, np.ndarray]:
        valid = {'valid': np.ones((), np.float32)}
        return {name: values[row] for name, values in self._arrays.items()} | valid


def _rate(batches: Iterator[Batch]) -> float:
    """Clips a second after the first batch, which warms up."""
    next(batches)
    started, count = time.perf_counter(), 0
    for batch in batches:
        count += len(batch['label'])
    return count / (time.perf_counter() - started)
