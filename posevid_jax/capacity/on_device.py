"""Real steps on a device that is here: how fast, and whether the predicted bytes are true."""

import time
from typing import Any, NamedTuple

import jax

from posevid_jax.capacity import memory
from posevid_jax.capacity.candidate import Candidate
from posevid_jax.data import loader

_VERIFIED_STEPS = 3
_KNEE = 0.95


class Rung(NamedTuple):
    """A batch per device and its throughput over all devices; None when it ran out of memory."""

    batch: int
    clips_per_s: float | None


def ladder(largest: int, multiple: int, rungs: int) -> list[int]:
    """Batches to time: `largest` and its halves, multiples of `multiple`, smallest first."""
    batches = {max(largest >> rung, multiple) // multiple * multiple for rung in range(rungs)}
    return sorted(batches)


def knee(rungs: list[Rung]) -> int | None:
    """The smallest batch within 5 % of the best throughput; None when nothing ran."""
    timed = {rung.batch: rung.clips_per_s for rung in rungs if rung.clips_per_s is not None}
    if not timed:
        return None
    enough = _KNEE * max(timed.values())
    return min(batch for batch, clips_per_s in timed.items() if clips_per_s >= enough)


def throughput(candidate: Candidate, batch: int, steps: int) -> Rung:
    """Times `steps` training steps, after one to warm up."""
    try:
        seconds = _run(candidate, batch, steps)
    except jax.errors.JaxRuntimeError as error:
        if not memory.ran_out(error):
            raise
        return Rung(batch, None)
    return Rung(batch, batch * candidate.num_devices * steps / seconds)


def verify(candidate: Candidate, batch: int, predicted: int) -> dict[str, Any]:
    """Three real steps, and what the allocator says of them.

    The peak that a device reports is that of the process, so the caller goes from the smallest
    prediction to the largest.

    Returns:
      `steps` that ran, `predicted_bytes`, `peak_bytes_in_use` (None where the device does not
      say, as on a CPU) and `ratio`: the bytes in use over those predicted.
    """
    record = {'batch': batch, 'steps': 0, 'predicted_bytes': predicted}
    try:
        _run(candidate, batch, _VERIFIED_STEPS - 1)
        record['steps'] = _VERIFIED_STEPS
    except jax.errors.JaxRuntimeError as error:
        if not memory.ran_out(error):
            raise
    stats = candidate.parallel.devices[0].memory_stats()
    peak = None if stats is None else stats['peak_bytes_in_use']
    return record | {
        'peak_bytes_in_use': peak,
        'ratio': None if peak is None else peak / predicted,
    }


def _run(candidate: Candidate, batch: int, steps: int) -> float:
    experiment, parallel = candidate.experiment, candidate.parallel
    batches = loader.train_batches(
        experiment.arrays,
        order=experiment.order,
        batch_size=batch * candidate.num_devices,
        num_steps=1,
    )
    split = parallel.put(next(batches))
    rng = jax.random.key(experiment.config.seed)
    train_step = parallel.compile_train(experiment.train_step())
    state = parallel.put_state(jax.jit(experiment.create_state)())
    state, _ = jax.block_until_ready(train_step(state, split, rng))
    started = time.perf_counter()
    for _ in range(steps):
        # Awaited one by one: what runs out of memory does so here, where it is caught.
        state, _ = jax.block_until_ready(train_step(state, split, rng))
    return time.perf_counter() - started
