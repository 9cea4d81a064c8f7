"""A run over frames as they come: a probability and changes of events after each.

What a clip is to a prediction of files, the last T frames are here (`TrainedRun.clip_frames`): the
probability after a frame is that of the clip that ends with it, so an event is reported up to a
clip's length after it began.
Everything is causal, and memory does not grow. Four things differ from files for that: the mean
and deviation of a whole video (`features.zscore=per_video`) are those of the frames so far, of the
context around a clip (`features.context`) what comes after it is missing, a frame has one clip's
probability, not the mean of all that cover it, and probabilities are not smoothed over time
(`predict.smooth`). A duration model (`predict.decoder`) looks ahead by `predict.look_ahead`.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.errors import InputError
from posevid_jax.inference import decoders, events
from posevid_jax.inference.decoded_events import DecodedEventFinder
from posevid_jax.inference.events import Event, EventFinder, Rule
from posevid_jax.inference.min_risk import MinRiskModel
from posevid_jax.inference.nan_inputs import from_nan, nan_function
from posevid_jax.inference.recordings import frame_features
from posevid_jax.inference.restore import restore_directory
from posevid_jax.inference.stream_rate import StreamRate
from posevid_jax.inference.trained_run import TrainedRun

_Changes = list[tuple[str, Event]]


class Update(NamedTuple):
    """What is known after a frame.

    Attributes:
      frame: its number, from 0.
      prob: probability of the gesture in the clip that ends with it.
      probs: [K] of each class.
      uncertain: the mouth or both wrists cannot be seen in it.
      changes: of events, `('start', event so far)` or `('end', event)`; frames of an event are
        those whose `prob` makes it. With `predict.decoder=durations` they are told
        `predict.look_ahead` seconds late.
    """

    frame: int
    prob: float
    probs: np.ndarray
    uncertain: bool
    changes: list[tuple[str, Event]]


class Stream:
    """Frame after frame of one video through a run.

    Attributes:
      fps: frames per second that come.
      run_fps: frames per second that the run is given.
      joint_names: J names of the joints of a frame.
      class_names: K names of the classes.
    """

    def __init__(
        self,
        run: str | os.PathLike[str] | TrainedRun,
        *,
        fps: float,
        aspect: float = 1.0,
        joint_names: Sequence[str] | None = None,
        checkpoint: str = 'best',
    ):
        """Restores a checkpoint and compiles it.

        Args:
          run: a run directory, or a run; its `predict` keys say what an event is.
          fps: frames per second; where they differ much from those of the training clips, frames
            at that rate are made of those that come.
          aspect: width / height of the picture.
          joint_names: of the joints of a frame; None for those that the run reads, or MediaPipe's
            33 where it reads features computed from joints.
          checkpoint: `best`, `last` or a step, of a directory.

        Raises:
          InputError: the run cannot be read, or reads what a stream does not have.
        """
        if not 0 < fps < np.inf or not 0 < aspect < np.inf:
            raise InputError(f'fps, aspect: found {fps}, {aspect}, expected numbers above 0')
        self._run = run = run if isinstance(run, TrainedRun) else restore_directory(run, checkpoint)
        run.check_stream()
        events.check(run.config.predict)
        self.fps, self.class_names = fps, tuple(run.inputs['class_names'])
        self._rate = StreamRate(fps, run.form.rate_for(fps) or fps, run.config.prepare.max_gap)
        self.run_fps = fps = self._rate.fps
        reads = tuple(run.inputs['joint_names']) or MEDIAPIPE_33
        self.joint_names = tuple(reads if joint_names is None else joint_names)
        self._order = self._place(reads if run.inputs['joint_names'] else self.joint_names)
        self._names = tuple(self.joint_names[j] for j in self._order)
        self._around = run.context
        frames = self._around + run.clip_frames
        self._window = np.full((frames, len(self._order), 4), np.nan, np.float32)
        self._after = np.full((self._around, len(self._order), 4), np.nan, np.float32)
        self._fps, self._aspect = np.full(1, fps, np.float32), np.full(1, aspect, np.float32)
        function, self._reads = nan_function(run)
        self._function = jax.jit(function)
        self._scaled = jax.jit(from_nan(run.z_scored))
        self._statistics = _RunningStatistics(len(run.inputs['scaled_names']))
        self._find, self._finish = _event_finder(run, fps)
        self._frame = -1
        # Compiles, and refuses what a stream cannot serve; the answer before the first frame.
        self._probs = self._probabilities(self._batch())

    def push(self, joints: np.ndarray) -> Update:
        """Takes the next frame.

        Args:
          joints: [J, 4] x, y (shares of width and height), z (shares of the width) and visibility,
            in the order of `joint_names`; NaN = missing.

        Raises:
          InputError: another shape.
        """
        joints = np.asarray(joints, np.float32)
        if joints.shape != (len(self.joint_names), 4):
            raise InputError(
                f'joints: found shape {joints.shape}, expected ({len(self.joint_names)}, 4)'
            )
        self._frame += 1
        kept = joints[self._order]
        kept[~np.isfinite(kept).all(-1)] = np.nan
        changes = []
        for frame in self._rate.push(kept):
            changes += self._take(frame)
        least = self._run.config.predict.min_visibility
        seen = events.visible(kept[None], self._names, least)[0]
        prob = float(1 - self._probs[0])
        return Update(self._frame, prob, self._probs, not seen, self._at_frames(changes))

    def finish(self) -> list[tuple[str, Event]]:
        """Ends the event that is open when there are no more frames."""
        return self._at_frames(self._finish())

    def _take(self, joints: np.ndarray) -> _Changes:
        """Moves the window on by a frame at the run's rate, [J, 4]; the changes of events."""
        self._window[:-1] = self._window[1:]
        self._window[-1] = joints
        batch = self._batch()
        if 'video_mean' in self._reads:
            self._statistics.add(self._last_scaled(batch))
        self._probs = self._probabilities(batch)
        return self._find(self._probs)

    def _at_frames(self, changes: _Changes) -> _Changes:
        """Changes whose events count the frames that came."""
        frame = self._rate.frame
        return [
            (kind, dataclasses.replace(event, start=frame(event.start), end=frame(event.end)))
            for kind, event in changes
        ]

    def _batch(self) -> dict[str, np.ndarray]:
        """The clip in the window, with NaN for what is missing."""
        before, clip = np.split(self._window, [self._around])
        batch = {
            'skeleton': clip[None],
            'context_skeleton': np.concatenate([before, self._after])[None],
            'fps': self._fps,
            'aspect': self._aspect,
        }
        if self._run.reads_features:
            batch['features'] = frame_features(
                self._run.form, clip[None], self._names, self._fps, self._aspect, 'stream'
            )
        return batch

    def _probabilities(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """[K] of a clip."""
        mean, deviation = self._statistics.values()
        batch = batch | {'video_mean': mean, 'video_std': deviation}
        return np.asarray(self._function({name: batch[name] for name in self._reads}))[0]

    def _last_scaled(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """[F] what the z-score is of, in the last frame; NaN = missing."""
        values, mask = (np.asarray(part)[0, -1] for part in self._scaled(batch))
        return np.where(mask, values, np.nan)

    def _place(self, wanted: Sequence[str]) -> list[int]:
        missing = next((name for name in wanted if name not in self.joint_names), None)
        if missing is not None:
            raise InputError(
                f'joint_names: {missing} not found, the joints are {", ".join(self.joint_names)}'
            )
        return [self.joint_names.index(name) for name in wanted]


def _event_finder(
    run: TrainedRun, fps: float
) -> tuple[Callable[[np.ndarray], _Changes], Callable[[], _Changes]]:
    """(from the probabilities [K] of the next frame to changes of events, the last changes)."""
    durations = decoders.of_run(run)
    if isinstance(durations, MinRiskModel):
        raise InputError(
            'predict.decoder: found min_risk, which needs whole recordings; a stream expects '
            'thresholds or durations'
        )
    if durations is not None:
        look_ahead = round(run.config.predict.look_ahead * fps)
        decoded = DecodedEventFinder(durations, fps, look_ahead)
        return decoded.push, decoded.finish
    finder = EventFinder(Rule.of(run.config.predict, run.threshold, fps))
    return lambda probs: finder.push(float(1 - probs[0])), finder.finish


class _RunningStatistics:
    """Mean and deviation of the observed values so far, each feature by itself (Welford 1962)."""

    def __init__(self, num_features: int):
        self._count, self._mean, self._squares = np.zeros((3, num_features))

    def add(self, values: np.ndarray) -> None:
        """Takes the features [F] of a frame, NaN = missing."""
        seen = np.isfinite(values)
        gap = np.where(seen, values - self._mean, 0)
        self._count += seen
        self._mean += gap / np.maximum(self._count, 1)
        self._squares += gap * np.where(seen, values - self._mean, 0)

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """(mean, deviation), both [1, F] f32, 0 where nothing was observed."""
        deviation = np.sqrt(self._squares / np.maximum(self._count, 1))
        return self._mean[None].astype(np.float32), deviation[None].astype(np.float32)
