"""What the fourth number of a joint means: a table of the scales that estimators use."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from posevid_jax.errors import InputError


class Scale(NamedTuple):
    """A way to write visibility.

    Attributes:
      name: as it is told to the user; '' for the one that needs no word.
      fits: whether the observed values (finite, without the sentinel -1) are on this scale.
      convert: values to 0..1.
    """

    name: str
    fits: Callable[[np.ndarray], bool]
    convert: Callable[[np.ndarray], np.ndarray]


def _unchanged(v: np.ndarray) -> np.ndarray:
    return v


# In this order. A score of a heat map lies a little beyond 0 and 1 at times.
_SCALES = (
    Scale('', lambda v: v.min() >= 0 and v.max() <= 1, _unchanged),
    Scale(
        'flags 0, 1, 2 (not there, hidden, seen)',
        lambda v: bool(np.isin(v, (0, 1, 2)).all()),
        lambda v: v / 2,
    ),
    Scale(
        'scores that leave 0 to 1, clipped',
        lambda v: v.min() >= -0.5 and np.median(v) <= 1.5 and v.max() <= 20,
        lambda v: np.clip(v, 0, 1),
    ),
    Scale('percent', lambda v: v.min() >= 0 and v.max() <= 100, lambda v: v / 100),
    Scale(
        'logits, squashed',
        lambda v: v.min() < 0 and np.abs(v).max() <= 50,
        lambda v: 1 / (1 + np.exp(-v)),
    ),
)


def to_shares(where: str, visibility: np.ndarray) -> tuple[np.ndarray, str]:
    """Visibility from 0 to 1, and the scale that it came in ('' for this one).

    NaN stays; so does the sentinel -1, which says that a joint was not found.

    Args:
      where: file and format, for the message.
      visibility: [D, J] as in the file.

    Raises:
      InputError: the values are on no scale that is known.
    """
    known = np.isfinite(visibility) & (visibility != -1)
    values = visibility[known]
    if not values.size:
        return visibility, ''
    for scale in _SCALES:
        if scale.fits(values):
            converted = visibility.copy()
            converted[known] = scale.convert(values)
            return converted, scale.name
    raise InputError(
        f'{where}: visibility: found values from {values.min():g} to {values.max():g}, expected '
        '0 to 1, percent or logits'
    )
