"""One live line in a terminal, plain lines in a log."""

import sys
import time

import tqdm

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Steps, loss, clips per second, share of waiting for data, and time left."""

    def __init__(self, *, step: int, total: int, batch_size: int):
        """Starts counting; `loss` and `waited` are the latest known, set by whoever knows them.

        `loss` is of a step, `waited` are the seconds spent waiting for data since the start.

        Args:
          step: steps done before.
          total: steps when the run is complete.
          batch_size: clips a step.
        """
        self.loss: float | None = None
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

    def update(self, step: int) -> None:
        """Shows where the run is."""
        now = time.monotonic()
        if self._first is None:
            # The first step holds the compilation, which says nothing about those to come.
            self._first = (step, now, self.waited)
            self._bar.update(step - self._bar.n)
            return
        first_step, started, waited = self._first
        seconds = max(now - started, 1e-9)
        rate = (step - first_step) / seconds
        loss = '' if self.loss is None else f'loss {self.loss:.4f}, '
        text = (
            f'{loss}{rate * self._batch_size:,.0f} clips/s, '
            f'{(self.waited - waited) / seconds:.0%} of the time waiting for data'
        )
        if self._live:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)
        elif now - self._printed >= _SECONDS_BETWEEN_LINES:
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
