"""Several members as one classifier: the mean of their logits.

The mean of logits, not of probabilities: calibration works on logits, and a member that is sure
counts for more than one that is not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from posevid_jax.evaluation.results import Spread


def mean_logits(logits: Any) -> Any:
    """The members' logits `[N, M, K]` to `[N, K]`; those of one classifier, `[N, K]`, stay.

    Arrays of numpy or of JAX.
    """
    return logits.mean(axis=1) if logits.ndim == 3 else logits


def spread(numbers: Sequence[Mapping[str, float | None]]) -> dict[str, Spread]:
    """How far the members' numbers lie apart, by name.

    Args:
      numbers: of each member, by the same names.
    """
    return {name: _spread([of[name] for of in numbers]) for name in numbers[0]}


def _spread(each: list[float | None]) -> Spread:
    known = [value for value in each if value is not None]
    whole = len(known) == len(each)
    return Spread(
        mean=float(np.mean(known)) if whole else None,
        std=float(np.std(known, ddof=1)) if whole and len(each) > 1 else None,
        each=each,
    )
