"""From a probability per frame to events: two thresholds, a shortest length, and gaps to bridge.

One small state machine reads frame after frame, so that events found in a whole recording and
events found while it is being made are the same.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError

DECODERS = ('thresholds', 'durations', 'min_risk')

_DEFAULT_HIGH = 0.5  # where a run of several classes has no threshold of its own


@dataclasses.dataclass(frozen=True)
class Rule:
    """What makes an event.

    Attributes:
      high: probability that it must reach in some frame.
      low: it lasts while the probability is at least this, at most `high`.
      min_frames: frames of the shortest event.
      gap_frames: frames below `low` that are bridged.
    """

    high: float
    low: float
    min_frames: int
    gap_frames: int

    @classmethod
    def of(cls, config: ConfigDict, threshold: float | None, fps: float) -> 'Rule':
        """The rule of a configuration.

        Args:
          config: `config.predict`, checked.
          threshold: the run's, used where `predict.high` is 0.
          fps: frames per second.
        """
        high = config.high or (_DEFAULT_HIGH if threshold is None else threshold)
        return cls(
            high=high,
            low=config.low * high,
            min_frames=max(round(config.min_length * fps), 1),
            gap_frames=round(config.merge_gap * fps),
        )


@dataclasses.dataclass(frozen=True)
class Event:
    """A stretch of frames.

    Attributes:
      start, end: frames; the end is the first one after it.
      confidence: mean probability of its frames.
      label: class number; None where events are of the gesture, whatever its class.
    """

    start: int
    end: int
    confidence: float
    label: int | None = None


class EventFinder:
    """Finds events frame by frame, in memory that does not grow."""

    def __init__(self, rule: Rule):
        self._rule = rule
        self._frame = -1
        self._reset()

    def push(self, prob: float) -> list[tuple[str, Event]]:
        """Takes the probability of the next frame.

        Returns:
          what changed: `('start', event so far)` as soon as a stretch is long and probable enough,
          `('end', event)` once it has been over for longer than a gap.
        """
        self._frame += 1
        rule = self._rule
        if prob < rule.low:
            self._total += prob
            over = self._frame - self._last > rule.gap_frames
            return self.finish() if over else []
        if self._start is None:
            self._start, self._total = self._frame, 0.0
        self._total += prob
        self._last, self._sum = self._frame, self._total
        self._high |= prob >= rule.high
        if self._begun or not self._high or self._frame + 1 - self._start < rule.min_frames:
            return []
        self._begun = True
        return [('start', self._event())]

    def finish(self) -> list[tuple[str, Event]]:
        """Ends the event that is open, if there is one."""
        ended = [('end', self._event())] if self._begun else []
        self._reset()
        return ended

    def _event(self) -> Event:
        assert self._start is not None  # or no event is open
        end = self._last + 1
        return Event(self._start, end, self._sum / (end - self._start))

    def _reset(self) -> None:
        self._start: int | None = None
        self._last = self._frame
        self._total = self._sum = 0.0  # of the probabilities since start: until now, until last
        self._high = self._begun = False


def find_events(prob: Sequence[float] | np.ndarray, rule: Rule) -> list[Event]:
    """The events of a whole recording.

    Args:
      prob: [T] probability of each frame.
    """
    finder = EventFinder(rule)
    changes = [change for p in prob for change in finder.push(float(p))] + finder.finish()
    return [event for kind, event in changes if kind == 'end']


def frame_means(values: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
    """What is said of each frame: the mean over the clips that cover it.

    A clip counts by how near to its middle the frame is (a Hann window): half of its frames decide
    what it shows, and those are not at its ends.

    Args:
      values: [N, K] of clips.
      start: [N] first frame of each; together they cover every frame from 0 to the last.
      length: frames of a clip.

    Returns:
      [T, K], T the end of the last clip.
    """
    weight = np.hanning(length + 2)[1:-1]  # without the zeros at both ends
    counted = np.concatenate([values, np.ones((len(values), 1))], 1)  # [N, K + 1]
    sums = np.zeros((start.max() + length, counted.shape[1]))
    frames = start[:, None] + np.arange(length)  # [N, length]
    np.add.at(sums, frames, weight[:, None] * counted[:, None])
    return sums[:, :-1] / sums[:, -1:]


def smooth(prob: np.ndarray, frames: int) -> np.ndarray:
    """Centred moving average of [T, ...] over an odd number of frames, fewer at the ends."""
    half = frames // 2
    sums = np.concatenate([np.zeros((1, *prob.shape[1:])), prob.cumsum(0)])
    frame = np.arange(len(prob))
    first, last = np.maximum(frame - half, 0), np.minimum(frame + half + 1, len(prob))
    counts = (last - first).reshape(-1, *[1] * (prob.ndim - 1))
    return (sums[last] - sums[first]) / counts


def visible(joints: np.ndarray, joint_names: Sequence[str], min_visibility: float) -> np.ndarray:
    """Whether the gesture could be seen: the mouth and at least one wrist.

    The nose stands for the mouth in maps without one.

    Args:
      joints: [T, J, 4], NaN where missing.

    Returns:
      [T] bool; all True where the map has no joint to tell by.
    """
    shown = np.isfinite(joints).all(-1) & (joints[..., 3] >= min_visibility)  # [T, J]
    number = {name: j for j, name in enumerate(joint_names)}

    def named(*names: str) -> np.ndarray:
        return shown[:, [number[name] for name in names if name in number]]

    wrists, mouth = named('left_wrist', 'right_wrist'), named('mouth_left', 'mouth_right')
    if not mouth.shape[1]:
        mouth = named('nose')
    return (wrists.any(1) | (wrists.shape[1] == 0)) & mouth.all(1)


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.predict` has an impossible value."""
    for key, low, high in (
        ('high', 0, 1),
        ('low', 0, 1),
        ('min_visibility', 0, 1),
        ('min_confidence', 0, 1),
        ('smooth', 0, np.inf),
        ('min_length', 0, np.inf),
        ('merge_gap', 0, np.inf),
        ('look_ahead', 0, np.inf),
    ):
        if not low <= config[key] <= high or config[key] == np.inf:
            what = f'{low} to {high}' if high == 1 else 'no negative number'
            raise InputError(f'predict.{key}: found {config[key]}, expected {what}')
    if config.decoder not in DECODERS:
        raise InputError(
            f'predict.decoder: found {config.decoder!r}, expected one of {", ".join(DECODERS)}'
        )
    if config.stride < 1:
        raise InputError(f'predict.stride: found {config.stride}, expected at least 1')
    if not config.overlaps or not all(0 < overlap <= 1 for overlap in config.overlaps):
        raise InputError(
            f'predict.overlaps: found {tuple(config.overlaps)}, expected numbers above 0, at most 1'
        )
