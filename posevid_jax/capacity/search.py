"""The largest batch that fits, from as few compiled batches as possible.

What a step takes is a line in the batch: two batches draw it, a third is where it meets the budget,
and a fourth, the next multiple, proves that no more fits. The line ends where the compiler, near a
limit of its own, begins to recompute instead of storing: from there the bytes hardly grow while the
step gets slower, until even that does not help. Hence two answers, and they need not touch: a
budget below the compiler's limit is overrun first and, once the compiler saves, met again.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

# The first line goes through the bytes of an empty batch, which is rough: stay short of it.
_CAUTION = 0.97
# Where to look for the plateau, as a multiple of the compiler's limit on the line. The compiler
# saves no more than it must, and so hardly ever below this share of its limit.
_LOOK, _SAVED = 1.03, 0.95
# Where it saves before it should: how far to go back at first, as a share of the batch.
_BACK = 0.01
# How far to go on along the plateau while nothing is known to fail.
_STRIDE = 1.5


class Line(NamedTuple):
    """What a step takes: `fixed` bytes, and `per_clip` for each clip of a batch."""

    per_clip: float
    fixed: float


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
      best_next: the smallest larger batch compiled that does not; None when there is none.
      largest: the largest batch that fits at all; None when there is none.
      largest_next: the smallest larger batch compiled that does not; None when there is none.
      line: through the smallest batch and `best`.
      trials: every batch compiled, in order.
    """

    best: Trial | None
    best_next: Trial | None
    largest: Trial | None
    largest_next: Trial | None
    line: Line
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

    With `prove`, `best` is exact: the multiple above it, unless that is over the limit, was
    compiled too. Should bytes not grow from each multiple to the next, it is one of the batches
    with such a neighbour.

    Args:
      measure: compiles a batch; called once for each batch tried.
      budget: bytes that a step may take.
      fixed_bytes: what an empty batch takes, roughly.
      multiple: batches are multiples of it.
      first: batch to begin with; the nearer to the answer, the better.
      limit: batch not to go beyond.
      recompute_bytes: where the compiler is expected to begin to recompute; None for never.
      prove: compile the multiple above the answer too, and go on should it fit.
      tolerance: where the compiler recomputes, `largest` is bracketed to this share of itself.
    """
    limit = max(limit // multiple, 1) * multiple
    return _Search(
        measure=measure,
        budget=budget,
        fixed_bytes=fixed_bytes,
        multiple=multiple,
        first=min(max(first // multiple, 1) * multiple, limit),
        limit=limit,
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
        best = self._best()
        self._look_beyond(best)
        largest = self._largest()
        return Answer(
            best=self.trials.get(best),
            best_next=self._above(best, lambda trial: not trial.clean),
            largest=self.trials.get(largest),
            largest_next=self._above(largest, lambda trial: not trial.fits),
            line=self._line(self.trials.get(best)),
            trials=tuple(self.trials.values()),
        )

    def _try(self, batch: int) -> Trial:
        if batch not in self.trials:
            size, recomputed = self.measure(batch)
            fits = size is not None and size <= self.budget
            self.trials[batch] = Trial(batch, size, recomputed, fits)
        return self.trials[batch]

    def _above(self, batch: int, wanted: Callable[[Trial], bool]) -> Trial | None:
        above = [trial for trial in self.trials.values() if trial.batch > batch and wanted(trial)]
        return min(above, key=lambda trial: trial.batch, default=None)

    def _best(self) -> int:
        """A clean batch whose next multiple is not; 0 when there is none."""
        low, high = 0, self.limit + self.multiple
        stride = 1
        while high - low > self.multiple:
            middle, wanted = (low + high) / 2, self._crossing()
            if low > 0 and wanted < low + self.multiple:
                if not self.prove:
                    break
                # Twice as far each time, in case the line is wrong for long.
                wanted = min(low + stride * self.multiple, middle)
                stride *= 2
            elif wanted >= high:
                wanted = max(high - stride * max(self.multiple, _BACK * high), middle)
                stride *= 2
            batch = self._round(wanted, low, high)
            if self._try(batch).clean:
                low = batch
            else:
                high = batch
        return low

    def _round(self, wanted: float, low: int, high: int) -> int:
        """The multiple strictly between the two that is nearest below `wanted`."""
        top = high - self.multiple
        batch = int(min(wanted, top) // self.multiple) * self.multiple
        return max(batch, low + self.multiple)

    def _kept(self) -> list[tuple[int, int]]:
        """Batches and their bytes, where nothing is recomputed."""
        return [
            (trial.batch, trial.bytes)
            for trial in self.trials.values()
            if trial.bytes is not None and not trial.recomputed
        ]

    def _reach(self) -> int:
        """How many bytes the line is good for, as far as is known by now."""
        kept = max((size for _, size in self._kept()), default=0)
        if self.recompute_bytes is None or kept > self.recompute_bytes:
            return self.budget
        return min(self.budget, self.recompute_bytes)

    def _crossing(self) -> float:
        """The batch where the line is expected to end, from the trial that is nearest to it."""
        if not self.trials:
            return self.first
        kept, reach = self._kept(), self._reach()
        if not kept:
            return math.inf
        batch, size = min(kept, key=lambda point: abs(point[1] - reach))
        slope = self._slope(batch, size)
        if slope <= 0:
            return math.inf if size <= reach else batch - 1
        further = (reach - size) / slope
        return batch + (_CAUTION if further > batch else 1) * further

    def _slope(self, batch: int, size: int) -> float:
        """Bytes per clip over a long way.

        Neighbours may differ by more or less than a clip takes, in either direction: the compiler
        orders and fuses anew for every batch. Over a long way that evens out.
        """
        other, other_size = min(self._kept())
        if 2 * other > batch:
            other, other_size = 0, self.fixed_bytes
        return (size - other_size) / (batch - other)

    def _line(self, best: Trial | None) -> Line:
        if best is None:
            return Line(0.0, self.fixed_bytes)
        assert best.bytes is not None  # it fits
        slope = self._slope(best.batch, best.bytes)
        return Line(slope, best.bytes - slope * best.batch)

    def _look_beyond(self, best: int) -> None:
        """Tries where the compiler should have begun to save, unless there is no use in it."""
        limit, beyond = self.recompute_bytes, self._above(best, lambda trial: trial.recomputed > 0)
        if limit is None or _SAVED * limit > self.budget or beyond or not 0 < best < self.limit:
            return
        slope, fixed = self._line(self.trials[best])
        if slope > 0:
            wanted = (_LOOK * limit - fixed) / slope
            self._try(self._round(wanted, best, self.limit + self.multiple))

    def _largest(self) -> int:
        """The largest batch that fits, with the compiler's help."""
        low = max((batch for batch, trial in self.trials.items() if trial.fits), default=0)
        while low and self.trials[low].recomputed:
            failed = self._above(low, lambda trial: not trial.fits)
            high = failed.batch if failed else self.limit + self.multiple
            if high - low <= max(self.multiple, self.tolerance * low):
                break
            batch = self._round((low + high) / 2 if failed else _STRIDE * low, low, high)
            low = batch if self._try(batch).fits else low
        return low
