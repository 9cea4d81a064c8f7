"""How long stretches of each class last and what follows them: a hidden semi-Markov model.

A stretch of a class lasts at least a minimum, and is then left at a constant rate: its duration in
frames is a geometric one, shifted (Yu 2010, "Hidden semi-Markov models"). A probability per frame
of a classifier takes the place of a likelihood (Bourlard and Morgan 1994, "Connectionist Speech
Recognition": p(x | k) is p(k | x) / p(k), up to a factor that all classes share).
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from posevid_jax.errors import InputError
from posevid_jax.runs.files import read_record

FILE = 'durations.json'  # in a run directory

_LONGEST_MINIMUM = 3600.0  # seconds, each frame of which is a state of the decoder
_SMALLEST, _LARGEST = 1e-9, 1e9  # numbers whose logarithms are of use
_LEAST_LOG_PROB = np.log(1e-7)  # so that no single frame forbids a class


@dataclasses.dataclass(frozen=True)
class DurationModel:
    """Durations and order of the stretches of K classes, class 0 being no event.

    Attributes:
      min_seconds: [K] shortest duration of each class.
      leave_per_second: [K] rate at which a stretch ends, once it has lasted so long.
      transition: [K][K] probability of the class (column) that follows a class (row); 0 on the
        diagonal, as stretches of one class do not follow each other.
      prior: [K] share of the time: the class of a recording's first frame, and what probabilities
        of frames are divided by.
      weight: power of the likelihood of a frame; below 1 because neighbouring frames, seen in the
        same clips, tell much the same.
      prior_weight: power of the prior that a frame's probabilities are divided by.
    """

    min_seconds: Sequence[float]
    leave_per_second: Sequence[float]
    transition: Sequence[Sequence[float]]
    prior: Sequence[float]
    weight: float = 1.0
    prior_weight: float = 1.0

    @property
    def num_classes(self) -> int:
        return len(self.min_seconds)

    def min_frames(self, fps: float) -> np.ndarray:
        """[K] frames of the shortest stretches, at least 1."""
        return min_frames(self.min_seconds, fps)

    def emissions(self, log_probs: np.ndarray) -> np.ndarray:
        """Score of each class in each frame: weight * (log p(k | frame) - prior_weight * log p(k)).

        Args:
          log_probs: [..., K] log of class probabilities; -inf counts as 1e-7.

        Returns:
          [..., K] f32, less the largest of a frame, which changes no comparison.
        """
        kept = np.maximum(np.asarray(log_probs, np.float64), _LEAST_LOG_PROB)
        scores = self.weight * (kept - self.prior_weight * np.log(self.prior))
        return (scores - scores.max(-1, keepdims=True)).astype(np.float32)


def min_frames(seconds: Sequence[float] | np.ndarray, fps: float | np.ndarray) -> np.ndarray:
    """Frames that a shortest duration is, at least 1; arrays are broadcast."""
    return np.maximum(np.rint(np.multiply(seconds, fps)), 1).astype(np.int64)


def read(path: pathlib.Path) -> DurationModel:
    """The model in a JSON file.

    Raises:
      InputError: the file cannot be read, or is no duration model.
    """
    model = read_record(DurationModel, path)
    check(model, str(path))
    return model


def check(model: DurationModel, where: str) -> None:
    """Raises InputError, which begins with `where`, for numbers that are no duration model."""
    classes = len(model.prior)
    if classes < 2:
        raise InputError(f'{where}: prior: found {classes} classes, expected at least 2')
    rows = {f'transition.{k}': row for k, row in enumerate(model.transition)}
    lists = {
        'min_seconds': model.min_seconds,
        'leave_per_second': model.leave_per_second,
        'transition': model.transition,
        **rows,
    }
    for key, values in lists.items():
        if len(values) != classes:
            raise InputError(f'{where}: {key}: found {len(values)} numbers, expected {classes}')
    numbers = (
        ('min_seconds', model.min_seconds, 0.0, _LONGEST_MINIMUM),
        ('leave_per_second', model.leave_per_second, _SMALLEST, _LARGEST),
        ('prior', model.prior, _SMALLEST, 1.0),
        ('weight', [model.weight], _SMALLEST, _LARGEST),
        ('prior_weight', [model.prior_weight], 0.0, _LARGEST),
    )
    for key, values, low, high in numbers:
        bad = [value for value in values if not low <= value <= high]
        if bad:
            raise InputError(f'{where}: {key}: found {bad[0]:g}, expected {low:g} to {high:g}')
    for key, row in {'prior': model.prior, **rows}.items():
        if not abs(sum(row) - 1) < 1e-6 or not min(row) >= 0:
            raise InputError(f'{where}: {key}: found {list(row)}, expected shares that sum to 1')
    for k, (key, row) in enumerate(rows.items()):
        if row[k]:
            raise InputError(f'{where}: {key}: found {row[k]:g} for class {k} itself, expected 0')
