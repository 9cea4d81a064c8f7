"""The wall time of a start, by phase."""

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Any


class Phases:
    """Seconds spent in each phase; time outside every phase counts as `other_s`."""

    def __init__(self):
        self._started = time.monotonic()
        self._seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Counts the block's seconds for a phase."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.add(name, time.monotonic() - started)

    def add(self, name: str, seconds: float) -> None:
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def mark(self) -> tuple[float, float]:
        """The current moment, to be passed to `add_rest`."""
        return time.monotonic(), sum(self._seconds.values())

    def add_rest(self, name: str, since: tuple[float, float]) -> None:
        """Adds to a phase the time since `mark` that no other phase has counted."""
        started, counted = since
        passed = time.monotonic() - started
        self.add(name, passed - (sum(self._seconds.values()) - counted))

    def read(self) -> dict[str, float]:
        """`<phase>_s` of each, `other_s` and `total_s`."""
        total = time.monotonic() - self._started
        phases = {f'{name}_s': seconds for name, seconds in self._seconds.items()}
        return phases | {'other_s': total - sum(self._seconds.values()), 'total_s': total}


def announced(
    step: Callable[..., Any], say: Callable[[str], None], phases: Phases
) -> Callable[..., Any]:
    """Wraps a compiled function so that its first call says how long the compilation took.

    Args:
      step: from `Parallel.compile_train`; the first call compiles it.
      say: prints a line.
      phases: counts the seconds as `compile`.
    """
    compiled = False

    def call(*arguments: Any) -> Any:
        nonlocal compiled
        if compiled:
            return step(*arguments)
        compiled = True
        say('compiling the training step ...')
        started = time.monotonic()
        result = step(*arguments)
        seconds = time.monotonic() - started
        phases.add('compile', seconds)
        say(f'compiled in {seconds:.1f} s')
        return result

    return call
