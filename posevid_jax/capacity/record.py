"""A row of the probe's table as the record of the report, see `schema`."""

from typing import Any

from posevid_jax.capacity.candidate import Candidate
from posevid_jax.capacity.search import Answer, Trial


def of_answer(
    answer: Answer, candidate: Candidate, compiles: list[dict[str, Any]], fingerprint: str
) -> dict[str, Any]:
    """The record of a search; what only running steps can tell is None.

    Args:
      answer: of the search.
      candidate: that was compiled.
      compiles: the batches compiled, in the form of the report.
      fingerprint: of the candidate, for the platform of the report.
    """
    best, largest = _batch(answer.best), _batch(answer.largest)
    following = answer.largest_next
    compiled = {item['batch']: item for item in compiles}
    why = 'the largest without recomputation; throughput was not measured on this device'
    if not best:
        why = 'the largest that fits; even the smallest is recomputed by the compiler'
    which = 'best_batch' if best else 'max_batch'
    return candidate.identity._asdict() | {
        'best_batch': best,
        'best_next': answer.best_next and answer.best_next.batch,
        'max_batch': largest,
        'max_next': following and following.batch,
        'max_bracket': following and following.batch - largest,
        'max_recomputed': answer.largest.recomputed if answer.largest else 0,
        'peak_bytes': compiled[best]['bytes'] if best else None,
        'max_peak_bytes': compiled[largest]['bytes'] if largest else None,
        'workspace_bytes': compiled[best or largest]['workspace_bytes'] if largest else 0,
        'bytes_per_clip': round(answer.line.per_clip, 1),
        'fixed_bytes': round(answer.line.fixed),
        'state_bytes': candidate.state_bytes,
        'parameter_bytes': candidate.parameter_bytes,
        'throughput_clips_per_s': None,
        'knee_batch': None,
        'ladder': None,
        'verified': None,
        'recommended': recommended(best or largest, candidate, which, why) if largest else None,
        'compiles': compiles,
        'fingerprint': fingerprint,
    }


def recommended(batch: int, candidate: Candidate, which: str, why: str) -> dict[str, Any]:
    """A batch per device and over all devices, the key that it is from, and why."""
    return {
        'batch': batch,
        'global_batch': batch * candidate.num_devices,
        'which': which,
        'why': why,
    }


def _batch(trial: Trial | None) -> int:
    return trial.batch if trial else 0
