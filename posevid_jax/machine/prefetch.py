"""Batches that are on the devices before a step asks for them."""

import time
from collections.abc import Callable
from typing import Any

import grain
import numpy as np

Batch = dict[str, np.ndarray]

_AHEAD = 1  # batches that wait on the devices, beside the one that is on its way


class Prefetch:
    """Iterator that gathers and transfers in a thread of its own while the devices compute.

    Use it as a context manager, so that the thread ends with the loop.

    Attributes:
      position: what a checkpoint saves and restores: the place after the last batch that was
        handed out, however many are ahead.
      waited: seconds that the caller has spent waiting for batches.
    """

    def __init__(
        self,
        batches: grain.DatasetIterator[Batch],
        put: Callable[[Batch], dict[str, Any]],
    ):
        """Nothing is read before the first batch is asked for.

        Args:
          batches: host batches.
          put: starts the transfer of one.
        """
        self.position = grain.experimental.ThreadPrefetchDatasetIterator(
            _Transferred(batches, put), _AHEAD
        )
        self.waited = 0.0

    def __enter__(self) -> 'Prefetch':
        return self

    def __exit__(self, *_) -> None:
        self.position.close()

    def __next__(self) -> dict[str, Any]:
        started = time.monotonic()
        try:
            return next(self.position)
        finally:
            self.waited += time.monotonic() - started


class Clock:
    """Seconds since the clock was made, and the share of them spent waiting for batches."""

    def __init__(self, data: Prefetch):
        self._data = data
        self._started, self._waited = time.monotonic(), data.waited

    def read(self) -> dict[str, float]:
        """`train_s` and `data_wait_share`."""
        seconds = time.monotonic() - self._started
        share = (self._data.waited - self._waited) / max(seconds, 1e-9)
        return {'train_s': seconds, 'data_wait_share': share}


class _Transferred:
    """The batches of an iterator after `put`, with its positions."""

    def __init__(
        self, batches: grain.DatasetIterator[Batch], put: Callable[[Batch], dict[str, Any]]
    ):
        self._batches, self._put = batches, put
        self.get_state, self.set_state = batches.get_state, batches.set_state

    def __iter__(self) -> '_Transferred':
        return self

    def __next__(self) -> dict[str, Any]:
        return self._put(next(self._batches))
