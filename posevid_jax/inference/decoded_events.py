"""From class probabilities per frame to events, by a duration model."""

import collections
import itertools

import numpy as np

from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Event
from posevid_jax.inference.viterbi import OnlineDecoder, decode


def decoded_events(probs: np.ndarray, model: DurationModel, fps: float) -> list[Event]:
    """The events of a whole recording.

    Args:
      probs: [T, K] class probabilities of each frame.
      model: of K classes.
      fps: frames per second.
    """
    return segments(decode(log_probs(probs), model, fps), probs)


def segments(labels: np.ndarray, probs: np.ndarray) -> list[Event]:
    """Stretches of frames of one class, other than class 0, in order of time.

    Args:
      labels: [T] class numbers.
      probs: [T, K] class probabilities; an event's confidence is the mean of those of its class.
    """
    labels = np.asarray(labels)
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
    return [
        Event(int(a), int(b), float(probs[a:b, labels[a]].mean()), int(labels[a]))
        for a, b in itertools.pairwise(edges)
        if b > a and labels[a]
    ]


class DecodedEventFinder:
    """Finds events frame by frame as `OnlineDecoder` tells classes, in memory that does not grow.

    An event begins and ends where the class that is told changes; it is told as soon as it begins.
    """

    def __init__(self, model: DurationModel, fps: float, look_ahead_frames: int):
        """Starts before the first frame; see `OnlineDecoder`."""
        self._decoder = OnlineDecoder(model, fps, look_ahead_frames)
        self._waiting: collections.deque[np.ndarray] = collections.deque()  # for their class
        self._frame, self._start, self._label, self._sum = 0, 0, 0, 0.0

    def push(self, probs: np.ndarray) -> list[tuple[str, Event]]:
        """Takes the class probabilities [K] of the next frame.

        Returns:
          what changed, as from `EventFinder.push`.
        """
        self._waiting.append(probs)
        label = self._decoder.push(log_probs(probs))
        return [] if label is None else self._add(label)

    def finish(self) -> list[tuple[str, Event]]:
        """Tells what the last frames change, and ends the event that is open, if there is one."""
        changes = [change for label in self._decoder.finish() for change in self._add(label)]
        ended, self._label = self._ended(), 0
        return changes + ended

    def _add(self, label: int) -> list[tuple[str, Event]]:
        """Takes the class of the frame that has waited longest."""
        prob, changes = float(self._waiting.popleft()[label]), []
        begins = label != self._label
        if begins:
            changes = self._ended()
            self._start, self._label, self._sum = self._frame, label, 0.0
        self._frame += 1
        self._sum += prob
        return [*changes, ('start', self._event())] if begins and label else changes

    def _ended(self) -> list[tuple[str, Event]]:
        return [('end', self._event())] if self._label else []

    def _event(self) -> Event:
        confidence = self._sum / (self._frame - self._start)
        return Event(self._start, self._frame, confidence, self._label)


def log_probs(probs: np.ndarray) -> np.ndarray:
    """The logarithm, -inf of 0."""
    with np.errstate(divide='ignore'):
        return np.log(probs)
