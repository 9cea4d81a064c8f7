"""One live line in a terminal, plain lines in a log."""

import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

import jax
import tqdm

_SECONDS_BETWEEN_LINES = 10.0


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
        # Step, time and `waited` that rates count from.
        self._first: tuple[int, float, float] | None = None
        self._printed = time.monotonic()
        self._bar = tqdm.tqdm(
            initial=step, total=total, unit='step', disable=not self._live, dynamic_ncols=True
        )

    def read(self, numbers: Mapping[str, Any]) -> None:
        """Takes `loss` and `learning_rate` from the metrics of a step, on the host."""
        self.loss, self.learning_rate = float(numbers['loss']), float(numbers['learning_rate'])

    def update(self, step: int) -> None:
        """Shows the progress up to a step; a log gets a line every few seconds."""
        now = time.monotonic()
        if self._first is None:
            # The first step holds the compilation, which says nothing about those to come.
            self._first = (step, now, self.waited)
            self._bar.update(step - self._bar.n)
            return
        first_step, started, waited = self._first
        seconds = max(now - started, 1e-9)
        rate = (step - first_step) / seconds
        if self._live or now - self._printed >= _SECONDS_BETWEEN_LINES:
            waiting = (self.waited - waited) / seconds
            self._show(step, now, rate, waiting)

    def _show(self, step: int, now: float, rate: float, waiting: float) -> None:
        loss = '' if self.loss is None else f'loss {self.loss:.4f}, '
        learning_rate = '' if self.learning_rate is None else f'lr {self.learning_rate:.2g}, '
        text = (
            f'{loss}{learning_rate}{rate * self._batch_size:,.0f} clips/s, '
            f'{waiting:.0%} of the time waiting for data, {_memory()}'
        )
        if self._live:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)
        else:
            self._printed = now
            left = (self._total - step) / max(rate, 1e-9)
            self.say(f'step {step}/{self._total}, {text}, {left:,.0f} s left')

    def say(self, line: str) -> None:
        """A line of its own, above the live one."""
        if self._live:
            self._bar.write(line)
        else:
            print(line, flush=True)

    def close(self) -> None:
        self._bar.close()


def _memory() -> str:
    """Peak memory of the first device, or of this process where the device does not report it."""
    stats = jax.local_devices()[0].memory_stats()
    if stats is not None:
        return f'{stats["peak_bytes_in_use"] / 2**30:.1f} GiB of the device'
    unit = 1 if sys.platform == 'darwin' else 1024
    return f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB'
