"""Ctrl-C and SIGTERM, as a flag that the training loop reads between steps."""

import os
import signal
from types import FrameType


class Interrupt:
    """A context in which the first signal sets `requested` and the second ends the process."""

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.requested = False
        self._previous = {}

    def __enter__(self) -> 'Interrupt':
        for number in self._SIGNALS:
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        # Not Python's own handler, which would wait for the device to finish its step.
        for other in self._SIGNALS:
            signal.signal(other, signal.SIG_DFL)
        # print() may be in the middle of a line.
        name = signal.Signals(number).name
        os.write(2, f'\n{name}: finishing the step, then saving; once more ends at once\n'.encode())
