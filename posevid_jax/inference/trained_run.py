"""What can be asked of a run directory, whatever was trained in it."""

import abc
import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data import source, typical
from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.errors import printable
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.recordings import FrameJudge
from posevid_jax.machine.parallel import Parallel
from posevid_jax.runs import split, training_clips


@dataclasses.dataclass(frozen=True)
class TrainedRun(abc.ABC):
    """A trained classifier and what it expects of clips: a `SingleRun`, or several `EnsembleRun`.

    Attributes:
      config: the whole configuration.
      workdir: the run directory.
      decision: calibration of the logits, and threshold of the positive class.
      inputs: scaler.json: names of features, joints and classes, frames.
    """

    config: ConfigDict
    workdir: pathlib.Path
    decision: Decision
    inputs: dict[str, Any]

    @property
    def threshold(self) -> float | None:
        """Decision threshold of the positive class; None with more than two classes."""
        return self.decision.threshold

    @property
    @abc.abstractmethod
    def step(self) -> int:
        """Optimiser steps done."""

    @property
    @abc.abstractmethod
    def reads_features(self) -> bool:
        """Whether it reads the features of clips; else their joints alone."""

    @property
    @abc.abstractmethod
    def context(self) -> int:
        """Frames that it reads before a clip, and as many after it."""

    @property
    @abc.abstractmethod
    def clip_frames(self) -> int:
        """Frames that it is at its best with: those of a training clip, or of a sub-clip where
        clips are judged by these."""

    @abc.abstractmethod
    def arrays(self, clips: Clips) -> dict[str, Column]:
        """The columns that it reads, one row per clip, and perhaps more."""

    @abc.abstractmethod
    def z_scored(self, batch: Mapping[str, Array]) -> tuple[Array, Array]:
        """What `features.zscore=per_video` measures against the video: values and mask
        `[B, T, F]` of a batch of `arrays`. Traceable."""

    @abc.abstractmethod
    def logits(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        """A function from clips, as `conform` gives them, to logits before calibration.

        They are `[N, K]`, or `[N, M, K]` of M seeds, whose mean counts. Compiled once for all clips
        of one length.
        """

    @abc.abstractmethod
    def frame_judge(self, parallel: Parallel) -> FrameJudge:
        """A function from recordings to the logits of their frames before calibration; of members
        the mean."""

    @abc.abstractmethod
    def logits_of_batch(self) -> Callable[[Mapping[str, Array]], Array]:
        """The same to be traced: a batch of `arrays` to the mean logits `[B, K]` f32.

        Parameters and scaler are constants of it.
        """

    def predictor(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        """A function from clips, as `conform` gives them, to calibrated class probabilities
        `[N, K]` f64.

        The one way from a run to its predictions, with `function`.
        """
        logits = self.logits(parallel)
        return lambda clips: self.decision.probabilities(mean_logits(logits(clips)))

    def function(self) -> Callable[[Mapping[str, Array]], Array]:
        """The same to be traced: a batch of `arrays` to the probabilities `[B, K]` f32."""
        logits_of, calibration = self.logits_of_batch(), self.decision.calibration

        def probabilities(batch: Mapping[str, Array]) -> Array:
            logits = calibration.factor * logits_of(batch) + calibration.offset
            if logits.shape[1] > 1:
                return jax.nn.softmax(logits)
            positive = jax.nn.sigmoid(logits)
            return jnp.concatenate([1 - positive, positive], axis=1)

        return probabilities

    @abc.abstractmethod
    def count_trained_on(self, clips: Clips) -> int:
        """How many of some clips, by their content, it was trained on; 0 where it is not known."""

    @abc.abstractmethod
    def check_stream(self) -> None:
        """Raises InputError where it cannot take frames as they come."""

    @property
    def form(self) -> ClipForm:
        """What it expects of clips, judged one by one."""
        return ClipForm.of(
            self.inputs,
            whose=str(self.workdir),
            num_frames=self.clip_frames,
            context=self.context,
            reads_features=self.reads_features,
        )

    def warn_of_other_clips(self, clips: Clips, name: str) -> None:
        """Prints a line where clips differ much from those it was trained on.

        Args:
          clips: any set.
          name: where they come from.
        """
        known = self.form.typical
        for line in typical.unlike(known, clips) if known else ():
            print(printable(f'warning: {name} is unlike what {self.workdir} knows: {line}'))

    def validation_clips(self) -> Clips:
        """The clips that it was validated on while it was trained.

        Raises:
          InputError: they cannot be read.
        """
        known = split.read(self.workdir)
        train, val = source.train_and_val(self.config.data, self.config.seed, known)
        training_clips.check(self.workdir, train, self.config.data.train)
        return val

    def conform(self, clips: Clips, name: str) -> Clips:
        """Clips as the run knows them: `ClipForm.conform`."""
        return self.form.conform(clips, name)
