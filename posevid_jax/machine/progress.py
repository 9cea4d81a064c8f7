"""One live line in a terminal, plain lines in a log."""

import collections
import contextlib
import resource
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import jax
import tqdm

_T = TypeVar('_T')

_SECONDS_BETWEEN_LINES = 10.0
# Rates are those of the last so many seconds. Steps are counted when they are handed to the device,
# which may be many at once, so that a shorter time says nothing.
_WINDOW, _LEAST_SECONDS, _SECONDS_BETWEEN_MARKS = 30.0, 2.0, 1.0


class _Mark(NamedTuple):
    """Where the run was at a moment; seconds count training alone."""

    step: int
    seconds: float
    waited: float


class Progress:
    """Shows step, loss, learning rate, clips per second, share of waiting, memory and time left."""

    def __init__(self, *, step: int, total: int, batch_size: int):
        """Starts counting; the caller keeps `loss` and `waited`, the seconds spent waiting for
        data, up to date.

        Args:
          step: steps done before.
          total: steps when the run is complete.
          batch_size: clips per step.
        """
        self.loss: float | None = None
        self.learning_rate: float | None = None
        self.waited = 0.0
        self._live = sys.stderr.isatty()
        self._batch_size = batch_size
        self._total = total
        self._aside = 0.0  # seconds that were no training
        self._first: tuple[int, float] | None = None  # step and time that the time left counts from
        self._marks: collections.deque[_Mark] = collections.deque()
        self._printed = time.monotonic()
        self._bar = tqdm.tqdm(
            initial=step, total=total, unit='step', disable=not self._live, dynamic_ncols=True
        )

    def read(self, numbers: Mapping[str, Any]) -> None:
        """Takes `loss` and `learning_rate` from the metrics of a step, on the host."""
        self.loss, self.learning_rate = float(numbers['loss']), float(numbers['learning_rate'])

    @contextlib.contextmanager
    def aside(self) -> Generator[None]:
        """The block's seconds, of an evaluation perhaps, do not count in the clips per second."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._aside += time.monotonic() - started

    def update(self, step: int) -> None:
        """Shows the progress up to a step; a log gets a line every few seconds."""
        now = time.monotonic()
        mark = _Mark(step, now - self._aside, self.waited)
        if self._first is None:
            # The first step holds the compilation, which says nothing about those to come.
            self._first, self._printed = (step, now), now
        if not self._marks or mark.seconds - self._marks[-1].seconds >= _SECONDS_BETWEEN_MARKS:
            self._marks.append(mark)
        while len(self._marks) > 1 and mark.seconds - self._marks[1].seconds >= _WINDOW:
            self._marks.popleft()
        if self._live or now - self._printed >= _SECONDS_BETWEEN_LINES:
            self._show(step, now, self._rates(mark), *self._first)

    def _rates(self, now: _Mark) -> str:
        """Clips per second and share of waiting, '' where it is too early to tell."""
        since = self._marks[0]
        seconds = now.seconds - since.seconds
        if seconds < _LEAST_SECONDS or now.step == since.step:
            return ''
        rate = (now.step - since.step) * self._batch_size / seconds
        waiting = (now.waited - since.waited) / seconds
        return f'{rate:,.0f} clips/s, {waiting:.0%} of the time waiting for data, '

    def _show(self, step: int, now: float, rates: str, first_step: int, started: float) -> None:
        loss = '' if self.loss is None else f'loss {self.loss:.4f}, '
        learning_rate = '' if self.learning_rate is None else f'lr {self.learning_rate:.2g}, '
        text = f'{loss}{learning_rate}{rates}{_memory()}'
        if self._live:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)
            return
        self._printed = now
        left = ''
        if rates:
            seconds = (self._total - step) * (now - started) / (step - first_step)
            left = f', {seconds:,.0f} s left'
        self.say(f'step {step}/{self._total}, {text}{left}')

    def say(self, line: str) -> None:
        """A line of its own, above the live one."""
        if self._live:
            self._bar.write(line)
        else:
            print(line, flush=True)

    def close(self) -> None:
        self._bar.close()


def counted(items: Iterable[_T], title: str, unit: str, total: int) -> Iterator[_T]:
    """Yields items, of which there are about `total`, and shows how many and how many a second."""
    live, started = sys.stderr.isatty(), time.monotonic()
    printed = started
    with tqdm.tqdm(
        items, title, total, unit=f' {unit}', disable=not live, dynamic_ncols=True
    ) as bar:
        for done, item in enumerate(bar, start=1):
            yield item
            now = time.monotonic()
            if not live and now - printed >= _SECONDS_BETWEEN_LINES:
                printed = now
                rate = done / (now - started)
                print(
                    f'{title}: {done:,} of {total:,} {unit}, {rate:.1f} {unit}/s',
                    file=sys.stderr,
                    flush=True,
                )


def _memory() -> str:
    """Peak memory of the first device, or of this process where the device does not report it."""
    stats = jax.local_devices()[0].memory_stats()
    if stats is not None:
        return f'{stats["peak_bytes_in_use"] / 2**30:.1f} GiB of the device'
    unit = 1 if sys.platform == 'darwin' else 1024
    return f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB'
