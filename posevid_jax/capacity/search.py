"""The largest batch that fits, from as few compiled batches as possible.

What a step takes is a line in the batch: two batches draw it, a third one proves where it meets the
budget. The line ends where the compiler, near a limit of its own, begins to recompute instead of
storing: from there the bytes hardly grow while the step gets slower, until even that does not
help. Hence two answers, and they need not touch: a budget below the compiler's limit is
overrun first and, once the compiler saves, met again.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

# The first line goes through the bytes of an empty batch, which is rough: stay short of it.
_CAUTION = 0.85
# Where to look for the plateau, as multiples of the compiler's limit on the line, and how to go on.
_LOOKS = (1.03, 1.15)
_STRIDE = 1.5


class Measurement(NamedTuple):
    """What compiling a batch told.

    Attributes:
      bytes: that the step takes; None when even compiling ran out of memory.
      recomputed: instructions that the compiler repeats to save memory.
    """

    bytes: int | None
    recomputed: int


@dataclasses.dataclass(frozen=True)
class Trial:
    """A batch that was compiled."""

    batch: int
    bytes: int | None
    recomputed: int
    fits: bool

    @property
    def clean(self) -> bool:
        return self.fits and not self.recomputed


@dataclasses.dataclass(frozen=True)
class Answer:
    """The outcome of a search.

    Attributes:
      best: the largest batch that fits without recomputation; None when there is none.
      largest: the largest batch that fits at all; None when there is none.
      bytes_per_clip: slope of the line at `best`.
      fixed_bytes: what the line says of an empty batch.
      trials: every batch compiled, in order.
    """

    best: Trial | None
    largest: Trial | None
    bytes_per_clip: float
    fixed_bytes: float
    trials: tuple[Trial, ...]


def search(
    measure: Callable[[int], Measurement],
    budget: int,
    *,
    fixed_bytes: int,
    multiple: int,
    first: int,
    limit: int,
    recompute_bytes: int | None,
    prove: bool,
    tolerance: float,
) -> Answer:
    """Finds the two batches.

    Args:
      measure: compiles a batch; called once for each batch tried.
      budget: bytes that a step may take.
      fixed_bytes: what an empty batch takes, roughly.
      multiple: batches are multiples of it.
      first: batch to begin with.
      limit: batch not to go beyond.
      recompute_bytes: where the compiler is expected to begin to recompute; None for never.
      prove: compile the multiple above the answer too, and go on should it fit.
      tolerance: beyond the reach of the line, answers are bracketed to this share of themselves.
    """
    return _Search(
        measure, budget, fixed_bytes, multiple, first, limit, recompute_bytes, prove, tolerance
    ).answer()


class _Search:
    def __init__(
        self, measure, budget, fixed_bytes, multiple, first, limit, recompute_bytes, prove, tolerance
    ):
        self._measure = measure
        self._budget = budget
        self._fixed = fixed_bytes
        self._multiple = multiple
        self._first = max(first // multiple, 1) * multiple
        self._limit = max(limit // multiple, 1) * multiple
        self._recompute = recompute_bytes
        self._prove = prove
        self._tolerance = tolerance
        self._trials: dict[int, Trial] = {}

    def answer(self) -> Answer:
        best = self._boundary(lambda trial: trial.clean, self._line_batch, 0, None, self._prove)
        largest = self._beyond(best)
        slope, fixed = self._line()
        return Answer(
            best=self._trials.get(best),
            largest=self._trials.get(largest),
            bytes_per_clip=slope,
            fixed_bytes=fixed,
            trials=tuple(self._trials.values()),
        )

    def _try(self, batch: int) -> Trial:
        if batch not in self._trials:
            size, recomputed = self._measure(batch)
            fits = size is not None and size <= self._budget
            self._trials[batch] = Trial(batch, size, recomputed, fits)
        return self._trials[batch]

    def _boundary(self, good, suggest, low: int, high: int | None, prove: bool) -> int:
        """The largest good batch, given that `low` is good (or 0) and `high` (or nothing) is not.

        `suggest(high)` names a batch, or None where there is nothing to go by.
        """
        stride, stalled = self._multiple, False
        while low < self._limit and (high is None or high - low > self._width(low, high)):
            wanted = suggest(high)
            if wanted is None:
                wanted = _STRIDE * low if high is None else (low + high) / 2
            elif 0 < low and wanted < low + self._multiple:
                if not prove:
                    break
                # Twice as far each time, in case the line is wrong for long.
                wanted = low + stride
                stride *= 2
            elif stalled:
                wanted = (low + high) / 2
            batch = self._round(wanted, low, high)
            before = None if high is None else high - low
            if good(self._try(batch)):
                low = batch
            else:
                high = batch
            # Interpolation can creep up on one side of a curve.
            stalled = before is not None and 2 * (high - low) > before
        return low

    def _width(self, low: int, high: int) -> float:
        if not self._trials[high].recomputed and not self._trials_recompute(low):
            return self._multiple
        return max(self._multiple, self._tolerance * low)

    def _trials_recompute(self, batch: int) -> bool:
        return batch in self._trials and self._trials[batch].recomputed > 0

    def _round(self, wanted: float, low: int, high: int | None) -> int:
        top = self._limit if high is None else high - self._multiple
        batch = int(min(wanted, top) // self._multiple) * self._multiple
        return min(max(batch, low + self._multiple), top)

    def _points(self) -> list[tuple[int, float]]:
        measured = [
            (trial.batch, trial.bytes)
            for trial in self._trials.values()
            if trial.bytes is not None and not trial.recomputed
        ]
        return [(0, self._fixed), *sorted(measured)]

    def _line_batch(self, high: int | None) -> float | None:
        """Where the line through the nearest two batches meets the budget."""
        if not self._trials:
            return self._first
        points = self._points()
        if len(points) == 1:
            return None if high is None else high / 2
        batch = _crossing(points, self._reach())
        if len(points) == 2 and points[1][1] <= self._reach():
            batch *= _CAUTION
        return None if high is not None and batch >= high else batch

    def _reach(self) -> int:
        return self._budget if self._recompute is None else min(self._budget, self._recompute)

    def _line(self) -> tuple[float, float]:
        """Slope and offset where the line meets the budget."""
        points = self._points()
        if len(points) == 1:
            return 0.0, float(self._fixed)
        (a, a_bytes), (b, b_bytes) = _nearest(points, self._reach())
        slope = (b_bytes - a_bytes) / (b - a)
        return slope, b_bytes - slope * b

    def _beyond(self, best: int) -> int:
        """The largest batch that fits, with the compiler's help."""
        recomputed = [t for t in self._trials.values() if t.recomputed and t.batch > best]
        if not recomputed and self._recompute is not None and best < self._limit:
            slope, fixed = self._line()
            for look in _LOOKS:
                wanted = (look * self._recompute - fixed) / slope if slope > 0 else self._limit
                trial = self._try(self._round(wanted, best, None))
                if trial.recomputed or trial.batch == self._limit:
                    recomputed = [trial]
                    break
        fitting = [trial.batch for trial in recomputed if trial.fits]
        if not fitting:
            return best
        low = max(fitting)
        high = min((b for b, t in self._trials.items() if b > low and not t.fits), default=None)
        return self._boundary(lambda trial: trial.fits, lambda _: None, low, high, prove=True)


def _nearest(points, size: float):
    """The two points on either side of `size`, or the two nearest where all are on one side."""
    above = next((i for i, (_, y) in enumerate(points) if y > size), len(points) - 1)
    last = min(max(above, 1), len(points) - 1)
    return points[last - 1], points[last]


def _crossing(points, size: float) -> float:
    (a, a_bytes), (b, b_bytes) = _nearest(points, size)
    if b_bytes <= a_bytes:
        return float('inf') if b_bytes <= size else float(a)
    return a + (size - a_bytes) * (b - a) / (b_bytes - a_bytes)
