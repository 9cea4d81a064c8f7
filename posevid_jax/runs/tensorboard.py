"""The numbers of a run as TensorBoard's event files."""

import contextlib
import pathlib
import time
from collections.abc import Generator, Mapping
from typing import Any

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import Summary

from posevid_jax.errors import InputError


class EventFiles:
    """Curves by step: `step/*` of single steps, `train/*` and `val/*` of epochs.

    Written at once, not by tensorboardX's thread, which would wait forever on a full disk.
    """

    def __init__(self, workdir: pathlib.Path, step: int):
        """Opens the folder `tensorboard`; TensorBoard hides what an earlier start wrote later.

        Args:
          workdir: the run directory.
          step: the step from which the run goes on.

        Raises:
          InputError: the folder cannot be written.
        """
        self._folder = workdir / 'tensorboard'
        with self._writing():
            self._folder.mkdir(exist_ok=True)
            self._events = EventsWriter(str(self._folder / 'events'), f'.{step:08d}')
            self._write(step + 1, session_log=SessionLog(status=SessionLog.START))

    def add(self, group: str, step: int, numbers: Mapping[str, Any]) -> None:
        """Adds a point to each curve; what is not a number is left out.

        Raises:
          InputError: it cannot be written.
        """
        values = [
            Summary.Value(tag=f'{group}/{key}', simple_value=value)
            for key, value in numbers.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        with self._writing():
            self._write(step, summary=Summary(value=values))

    def flush(self) -> None:
        """Returns when all points are on disk."""
        with self._writing():
            self._events.flush()

    def close(self) -> None:
        with self._writing():
            self._events.close()

    def _write(self, step: int, **content: Any) -> None:
        self._events.write_event(Event(wall_time=time.time(), step=step, **content))

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f'{self._folder}: cannot be written ({error.strerror})') from None
