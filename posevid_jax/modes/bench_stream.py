"""What a stream takes for a frame.

Run it on one core: `taskset -c 0 python main.py --mode=bench --config.bench.what=stream
--workdir=DIR`.
"""

import pathlib
import time
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.inference.restore import restore
from posevid_jax.inference.stream import Stream

_WARM_UP = 20  # frames


def bench_stream(config: ConfigDict, workdir: pathlib.Path | None) -> list[dict[str, Any]]:
    """Times the frames of a random stream through a run.

    Args:
      config: the whole configuration: `bench.stream_frames`.
      workdir: the run directory.

    Returns:
      one record: `model`, `frames`, and under `time` milliseconds per frame: `p50_ms`, `p99_ms`,
      `max_ms`.

    Raises:
      InputError: no run, or no frames.
    """
    if workdir is None:
        raise InputError('--workdir: not given, expected a run directory with bench.what=stream')
    if config.bench.stream_frames < 1:
        raise InputError(
            f'bench.stream_frames: found {config.bench.stream_frames}, expected at least 1'
        )
    stream = Stream(restore(config, workdir, 'best'), fps=30)
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(_WARM_UP + config.bench.stream_frames):
        joints = rng.random((len(stream.joint_names), 4))
        started = time.perf_counter()
        stream.push(joints)
        seconds.append(time.perf_counter() - started)
    milliseconds = 1e3 * np.array(seconds[_WARM_UP:])
    p50, p99 = np.quantile(milliseconds, [0.5, 0.99]).tolist()
    times = {'p50_ms': p50, 'p99_ms': p99, 'max_ms': float(milliseconds.max())}
    print(
        f'{config.model.name}: {len(milliseconds)} frames, p50 {p50:.2f} ms, p99 {p99:.2f} ms, '
        f'longest {times["max_ms"]:.2f} ms'
    )
    return [{'model': config.model.name, 'frames': len(milliseconds), 'time': times}]
