"""The largest batch that fits, from as few compiled batches as possible.

What a step takes is a line in the batch: two batches draw it, a third one proves where it meets the
budget. The line ends where the compiler, near a limit of its own, begins to recompute instead of
storing: from there the bytes hardly grow while the step gets slower, until even that does not
help. Hence two answers, and they need not touch: a budget below the compiler's limit is
overrun first and, once the compiler saves, met again.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

# The first line goes through the bytes of an empty batch, which is rough: stay short of it.
_CAUTION = 0.85
# Where to look for the plateau, as multiples of the compiler's limit on the line, and how to go on.
_LOOKS = (1.03, 1.15)
_STRIDE = 1.5


Point = tuple[int, float]  # a batch and its bytes


class Measurement(NamedTuple):
    """The outcome of compiling a batch.

    Attributes:
      bytes: how many the step takes; None when even compiling ran out of memory.
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
      bytes_per_clip: slope of the line from the smallest batch to `best`.
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
        measure=measure,
        budget=budget,
        fixed_bytes=fixed_bytes,
        multiple=multiple,
        first=max(first // multiple, 1) * multiple,
        limit=max(limit // multiple, 1) * multiple,
        recompute_bytes=recompute_bytes,
        prove=prove,
        tolerance=tolerance,
    ).answer()


@dataclasses.dataclass
class _Search:
    measure: Callable[[int], Measurement]
    budget: int
    fixed_bytes: int
    multiple: int
    first: int
    limit: int
    recompute_bytes: int | None
    prove: bool
    tolerance: float
    trials: dict[int, Trial] = dataclasses.field(default_factory=dict)

    def answer(self) -> Answer:
        best = self._boundary(
            lambda trial: trial.clean, self._line_batch, 0, None, self._width, self.prove
        )
        largest = self._beyond(best)
        slope, fixed = self._chord(best)
        return Answer(
            best=self.trials.get(best),
            largest=self.trials.get(largest),
            bytes_per_clip=slope,
            fixed_bytes=fixed,
            trials=tuple(self.trials.values()),
        )

    def _try(self, batch: int) -> Trial:
        if batch not in self.trials:
            size, recomputed = self.measure(batch)
            fits = size is not None and size <= self.budget
            self.trials[batch] = Trial(batch, size, recomputed, fits)
        return self.trials[batch]

    def _boundary(
        self,
        good: Callable[[Trial], bool],
        suggest: Callable[[int | None], float | None],
        low: int,
        high: int | None,
        width: Callable[[int, int], float],
        prove: bool,
    ) -> int:
        """The largest good batch, given that `low` is good (or 0) and `high` (or nothing) is not.

        `suggest(high)` names a batch, or None where there is nothing to go by; `width(low, high)`
        is how near the two may stay.
        """
        stride, stalled = self.multiple, False
        while low < self.limit and (high is None or high - low > width(low, high)):
            wanted = suggest(high)
            if wanted is None:
                wanted = _STRIDE * low if high is None else (low + high) / 2
            elif low > 0 and wanted < low + self.multiple:
                if not prove:
                    break
                # Twice as far each time, in case the line is wrong for long.
                wanted = low + stride if high is None else min(low + stride, (low + high) / 2)
                stride *= 2
            elif stalled and high is not None:
                wanted = (low + high) / 2
            batch = self._round(wanted, low, high)
            before = None if high is None else high - low
            if good(self._try(batch)):
                low = batch
            else:
                high = batch
            # Interpolation can creep up on one side of a curve.
            stalled = before is not None and high is not None and 2 * (high - low) > before
        return low

    def _width(self, low: int, high: int) -> float:
        if not self.trials[high].recomputed and not self._recomputes(low):
            return self.multiple
        return self._bracket(low)

    def _bracket(self, low: int) -> float:
        return max(self.multiple, self.tolerance * low)

    def _recomputes(self, batch: int) -> bool:
        return batch in self.trials and self.trials[batch].recomputed > 0

    def _round(self, wanted: float, low: int, high: int | None) -> int:
        top = self.limit if high is None else high - self.multiple
        batch = int(min(wanted, top) // self.multiple) * self.multiple
        return min(max(batch, low + self.multiple), top)

    def _points(self) -> list[Point]:
        measured: list[Point] = [
            (trial.batch, trial.bytes)
            for trial in self.trials.values()
            if trial.bytes is not None and not trial.recomputed
        ]
        return [(0, self.fixed_bytes), *sorted(measured)]

    def _line_batch(self, high: int | None) -> float | None:
        """Where the line through the nearest two batches meets the budget."""
        if not self.trials:
            return self.first
        points = self._points()
        if len(points) == 1:
            return None if high is None else high / 2
        batch = _crossing(points, self._reach())
        if len(points) == 2 and points[1][1] <= self._reach():
            batch *= _CAUTION
        return None if high is not None and batch >= high else batch

    def _reach(self) -> int:
        """How many bytes the line is good for, as far as is known by now."""
        kept = max(size for _, size in self._points())
        if self.recompute_bytes is None or kept > self.recompute_bytes:
            return self.budget
        return min(self.budget, self.recompute_bytes)

    def _line(self) -> tuple[float, float]:
        """Slope and offset where the line meets the budget."""
        points = self._points()
        if len(points) == 1:
            return 0.0, float(self.fixed_bytes)
        (a, a_bytes), (b, b_bytes) = _nearest(points, self._reach())
        slope = (b_bytes - a_bytes) / (b - a)
        return slope, b_bytes - slope * b

    def _chord(self, best: int) -> tuple[float, float]:
        """Slope and offset of the line from the smallest batch compiled to the best.

        Neighbours may differ by more than a clip takes, in either direction: the compiler orders
        and fuses anew for every batch. Over a long way that evens out.
        """
        first = min(self.trials)
        if first >= best:
            return self._line()
        low, high = self.trials[first].bytes, self.trials[best].bytes
        assert low is not None and high is not None  # the best fits, and a smaller one compiles
        slope = (high - low) / (best - first)
        return slope, low - slope * first

    def _beyond(self, best: int) -> int:
        """The largest batch that fits, with the compiler's help."""
        self._look_beyond(best)
        fitting = [t.batch for t in self.trials.values() if t.fits and t.batch > best]
        if not fitting:
            return best
        low = max(fitting)
        high = min((b for b, t in self.trials.items() if b > low and not t.fits), default=None)
        return self._boundary(
            lambda trial: trial.fits,
            lambda _: None,
            low,
            high,
            lambda low, _: self._bracket(low),
            prove=True,
        )

    def _look_beyond(self, best: int) -> None:
        """Tries where the compiler should have begun to save, until one such batch fits."""
        slope, fixed = self._line()
        if self.recompute_bytes is None or slope <= 0:
            return
        for look in _LOOKS:
            tried = [trial for trial in self.trials.values() if trial.batch > best]
            if best == self.limit or any(trial.fits for trial in tried):
                return
            # What was recomputed in vain here will be a little further on as well.
            if look == _LOOKS[0] and any(trial.recomputed for trial in tried):
                continue
            self._try(self._round((look * self.recompute_bytes - fixed) / slope, best, None))


def _nearest(points: Sequence[Point], size: float) -> tuple[Point, Point]:
    """The two points on either side of `size`, or the two nearest where all are on one side."""
    above = next((i for i, (_, y) in enumerate(points) if y > size), len(points) - 1)
    last = min(max(above, 1), len(points) - 1)
    return points[last - 1], points[last]


def _crossing(points: Sequence[Point], size: float) -> float:
    (a, a_bytes), (b, b_bytes) = _nearest(points, size)
    if b_bytes <= a_bytes:
        return float('inf') if b_bytes <= size else float(a)
    return a + (size - a_bytes) * (b - a) / (b_bytes - a_bytes)
