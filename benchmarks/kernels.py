"""Convolution statistics beside aeon's MiniRocket, on the same random clips, in turns.

    python -m benchmarks.kernels [clips]

Clips have 125 frames of 60 channels, and both make 10,000 numbers of each on all cores; then the
same with the clips resampled to 64 frames, as configs/gesture.py does, which takes part of our time
and none of aeon's. Both are fitted, and compiled, before the clock starts; the median of five
rounds is printed. Needs `pip install aeon`.
"""

import os
import sys
import time
from collections.abc import Callable

os.environ['JAX_PLATFORMS'] = 'cpu'

import jax
import numpy as np

from posevid_jax.features import kernels, resampling

_FRAMES, _CHANNELS, _KERNELS = 125, 60, 10_000
_RESAMPLED = 64
_BATCH = 32
_ROUNDS = 5

Statistics = Callable[[np.ndarray], np.ndarray]
"""Clips `[N, T, F]` to their statistics `[N, K]`."""


def resample(x: jax.Array, mask: jax.Array, frames: int) -> jax.Array:
    """Clips as so many frames; 0 for as they are."""
    return resampling.resample(x, mask, frames)[0] if frames else x


def ours(x: np.ndarray, frames: int) -> Statistics:
    """The package's, of clips as so many frames."""
    bank = kernels.make_bank([range(_CHANNELS)], frames or _FRAMES, _KERNELS, seed=0)
    mask = np.ones((_BATCH, *x.shape[1:]), bool)
    biases = kernels.fit_biases(resampled(x, frames), bank, seed=0)
    compute = jax.jit(lambda x, mask: kernels.statistics(resample(x, mask, frames), bank, biases))
    return lambda x: np.concatenate(
        [np.asarray(compute(x[at : at + _BATCH], mask)) for at in range(0, len(x), _BATCH)]
    )


def resampled(x: np.ndarray, frames: int) -> np.ndarray:
    """`resample` on the host."""
    return np.asarray(jax.jit(resample, static_argnums=2)(x, np.ones(x.shape, bool), frames))


def aeons(x: np.ndarray, frames: int) -> Statistics:
    """MiniRocket's of these clips, laid out and resampled before."""
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
    except ImportError:
        sys.exit('benchmarks.kernels: aeon is not installed; pip install aeon')
    made = MiniRocket(n_kernels=_KERNELS, random_state=0, n_jobs=len(os.sched_getaffinity(0)))
    clips = np.ascontiguousarray(resampled(x, frames).transpose(0, 2, 1))
    made.fit(clips)
    return lambda x: made.transform(clips)


def main(clips: int = 512) -> None:
    """Prints clips a second of each, and how many times as fast as aeon's ours are."""
    clips = max(clips // _BATCH, 1) * _BATCH  # whole batches, of one compiled shape
    x = np.random.default_rng(0).normal(size=(clips, _FRAMES, _CHANNELS)).astype(np.float32)
    for frames in (0, _RESAMPLED):
        made = {'aeon': aeons(x, frames), 'ours': ours(x, frames)}
        seconds: dict[str, list[float]] = {name: [] for name in made}
        for function in made.values():
            function(x)  # compiles
        for _ in range(_ROUNDS):
            for name, function in made.items():
                started = time.perf_counter()
                found = function(x)
                seconds[name].append(time.perf_counter() - started)
                assert found.shape[0] == clips and found.shape[1] > 0.97 * _KERNELS
        aeon, own = (clips / float(np.median(seconds[name])) for name in ('aeon', 'ours'))
        print(
            f'{frames or _FRAMES:>4} frames: aeon {aeon:.0f} clips a second, ours {own:.0f}, '
            f'{own / aeon:.2f} times as fast'
        )


if __name__ == '__main__':
    main(*map(int, sys.argv[1:]))
