"""Frames that come at one rate, as frames at another: on the line between those that came."""

from collections.abc import Iterator

import numpy as np


class StreamRate:
    """Turns each frame of a stream into none, one or several at the rate of a run.

    Attributes:
      fps: of what comes out.
    """

    def __init__(self, given: float, fps: float, max_gap: float):
        """Starts before the first frame.

        Args:
          given: frames per second that come.
          fps: frames per second that are wanted.
          max_gap: seconds; frames that come farther apart are not interpolated between.
        """
        self.fps, self._given = fps, given
        self._bridges = 1 / given <= max_gap * (1 + 1e-6)
        self._came = self._made = 0
        self._last: np.ndarray | None = None

    def push(self, joints: np.ndarray) -> Iterator[np.ndarray]:
        """The frames whose time has come with this one.

        Args:
          joints: [J, 4], NaN = missing.
        """
        before = joints if self._last is None else self._last
        while self._made * self._given <= self._came * self.fps + 1e-9:
            # Between the last frame (0) and this one (1).
            place = self._made * self._given / self.fps - (self._came - 1)
            at_a_frame = abs(place - 1) < 1e-6 or self._last is None
            yield joints if at_a_frame else self._between(before, joints, place)
            self._made += 1
        self._last = joints
        self._came += 1

    def frame(self, made: int) -> int:
        """The number of the frame that came at the time of one that was made."""
        return round(made * self._given / self.fps)

    def _between(self, before: np.ndarray, after: np.ndarray, place: float) -> np.ndarray:
        if not self._bridges:
            return np.full_like(after, np.nan)
        return before + np.float32(place) * (after - before)
