"""Pooled statistics of 100,000 clips, three ways on one core: a loop of numpy's nan functions over
clips, a full sort of every feature in XLA, and what the package does.

    python -m benchmarks.pooling [clips]

All three give mean, deviation, median, maximum and minimum of `[75, 36]` with a tenth missing. The
slower two are timed on a part of the clips.
"""

import os
import sys
import time
import warnings

# Before jax starts its threads.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ['JAX_PLATFORMS'] = 'cpu'

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from posevid_jax.features import pooling  # noqa: E402

_BATCH = 500
_FIVE = tuple(pooling.STATISTICS)


def numpy_loop(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A clip at a time."""
    holes = np.where(mask, x, np.nan)
    functions = [getattr(np, f'nan{name}') for name in _FIVE]
    return np.stack([np.stack([f(clip, axis=0) for f in functions]) for clip in holes])


@jax.jit
def full_sort(x: jax.Array, mask: jax.Array) -> jax.Array:
    """The median read from all frames in order."""
    count = mask.sum(axis=1)
    ordered = jnp.sort(jnp.where(mask, x, jnp.inf), axis=1)
    middle = [
        jnp.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
        for place in ((count - 1) // 2, count // 2)
    ]
    rows, _ = pooling.pool(x, mask, statistics=('mean', 'std', 'max', 'min'))
    median = 0.5 * (middle[0] + middle[1])
    return jnp.concatenate([rows[:, :2], median[:, None], rows[:, 2:]], axis=1)


@jax.jit
def selected(x: jax.Array, mask: jax.Array) -> jax.Array:
    """As in StatPool."""
    return pooling.pool(x, mask, statistics=_FIVE)[0]


def main(clips: int = 100_000) -> None:
    """Prints microseconds a clip and ratios, after checking that all three agree."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(_BATCH, 75, 36)).astype(np.float32)
    mask = rng.random(x.shape) > 0.1
    warnings.simplefilter('ignore', RuntimeWarning)
    expected = numpy_loop(x, mask)
    microseconds = {}
    for name, function, count in (
        ('numpy loop', numpy_loop, clips // 50),
        ('full sort', full_sort, clips // 10),
        ('selection', selected, clips),
    ):
        np.testing.assert_allclose(function(x, mask), expected, atol=1e-5)
        batches = max(count // _BATCH, 1)
        started = time.perf_counter()
        for _ in range(batches):
            np.asarray(function(x, mask))
        microseconds[name] = 1e6 * (time.perf_counter() - started) / (batches * _BATCH)
    for name, value in microseconds.items():
        ratio = microseconds['numpy loop'] / value
        print(f'{name:<12}{value:>8.1f} us a clip, {ratio:>6.1f} times as fast as the numpy loop')


if __name__ == '__main__':
    main(*map(int, sys.argv[1:]))
