"""Several members as one classifier: the mean of their logits.

The mean of logits, not of probabilities: calibration works on logits, and a member that is sure
counts for more than one that is not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from posevid_jax.evaluation.metrics import Record


def mean_logits(logits: Any) -> Any:
    """The members' logits `[N, M, K]` to `[N, K]`; those of one classifier, `[N, K]`, stay.

    Arrays of numpy or of JAX.
    """
    return logits.mean(axis=1) if logits.ndim == 3 else logits


def spread(records: Sequence[Record]) -> Record:
    """How far the members' numbers lie apart.

    Args:
      records: one a member, with the same keys.

    Returns:
      JSON-ready, for each key that holds a number: `mean`, `std` (of a sample, so of two members or
      more) and `each`; mean and std are None where a member has no such number.
    """
    return {
        key: _spread([record[key] for record in records])
        for key, value in records[0].items()
        if value is None or isinstance(value, float)
    }


def _spread(each: list[float | None]) -> Record:
    known = None not in each
    return {
        'mean': float(np.mean(each)) if known else None,
        'std': float(np.std(each, ddof=1)) if known and len(each) > 1 else None,
        'each': each,
    }
