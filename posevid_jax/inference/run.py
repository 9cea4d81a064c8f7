"""A finished run, brought back from its directory alone."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.source import conform
from posevid_jax.evaluation import ensemble
from posevid_jax.evaluation.decision import Decision
from posevid_jax.features.inputs import host_arrays, reads_features
from posevid_jax.features.scaling import neutral_scaler
from posevid_jax.models import classifier
from posevid_jax.training import artifacts, optim, validation
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints
from posevid_jax.training.parallel import Parallel


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained classifier and what it expects of clips.

    Attributes:
      config: the whole configuration.
      workdir: the run directory.
      model: the classifier.
      state: restored, on the first local device.
      decision: calibration of the logits, and threshold of the positive class.
      inputs: scaler.json: names of features, joints and classes, frames.
    """

    config: ConfigDict
    workdir: pathlib.Path
    model: classifier.Classifier
    state: states.Trained
    decision: Decision
    inputs: dict[str, Any]

    @classmethod
    def restore(cls, config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> 'Run':
        """Reads a run.

        Args:
          config: the run's.
          workdir: the run directory.
          checkpoint: `best`, `last` or a step.

        Raises:
          InputError: not a run directory, no such checkpoint, or one that does not fit the
            configuration.
        """
        known = artifacts.read_json(workdir / 'scaler.json')
        # Runs from before features were computed in the step scaled those of the archive.
        known = {'scaled_names': known['feature_names'], 'pooled': None} | known
        decision = artifacts.read_decision(workdir, config.eval.calibration)
        joint_names = tuple(known['joint_names'])
        model = classifier.build(
            config, num_classes=len(known['class_names']), joint_names=joint_names
        )
        scaler = neutral_scaler(len(known['scaled_names']), np.shape(known['center'])[:-1])
        if known['pooled']:
            *steps, count = np.shape(known['pooled']['center'])
            scaler = scaler.replace(pooled=neutral_scaler(count, tuple(steps)))
        example = example_batch(known, 2 * config.features.context)
        # The schedule shapes no array of the state: one step an epoch is as good as any.
        optimizer = optim.optimizer(config.train, optim.learning_rate(config.train, 1))
        abstract = jax.eval_shape(
            lambda: states.create(
                model,
                optimizer,
                scaler,
                example,
                config.seed,
                config.train.num_seeds,
                ema=config.train.ema_decay > 0,
            )
        )
        with Checkpoints(workdir) as checkpoints:
            state = checkpoints.restore_trained(checkpoints.resolve(checkpoint), abstract.trained)
        return cls(config, workdir, model, state, decision, known)

    @property
    def threshold(self) -> float | None:
        """Decision threshold of the positive class; None with more than two classes."""
        return self.decision.threshold

    def conform(self, clips: Clips, source: str) -> Clips:
        """Clips as the run knows them: its features, its joints where it reads them, its classes.

        Clips of another length are fine for statistics over time, and for a network that attends
        within windows; features do not matter to a network that reads joints.

        Args:
          clips: any set.
          source: where it comes from, for the message.

        Returns:
          the clips, labelled with the run's classes, found by name.

        Raises:
          InputError: other features or joints than the run was trained on, or another class.
        """
        names = self.inputs
        if not reads_features(self.config):  # runs from before listed those of the archive too
            names = names | {'feature_names': ()}
        return conform(clips, names, source, like=str(self.workdir))

    def predictor(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        """A function from clips, as `conform` gives them, to calibrated class probabilities
        `[N, K]` f64.

        Compiled once for all clips of one length. The one way from a run to its predictions, with
        `function`.
        """
        logits = validation.compile_predictor(self.model, self.config, parallel)
        return lambda clips: self.decision.probabilities(
            ensemble.mean_logits(logits(self.state, host_arrays(clips, self.config)))
        )

    def function(self) -> Callable[[Mapping[str, Array]], Array]:
        """The same to be traced: a batch of `host_arrays` to the probabilities `[B, K]` f32.

        Parameters, scaler and calibration are constants of it.
        """
        step = validation.logits_step(self.model, self.config)
        calibration = self.decision.calibration

        def probabilities(batch: Mapping[str, Array]) -> Array:
            logits = ensemble.mean_logits(step(self.state.variables, self.state.scaler, batch))
            logits = calibration.factor * logits + calibration.offset
            if logits.shape[1] > 1:
                return jax.nn.softmax(logits)
            positive = jax.nn.sigmoid(logits)
            return jnp.concatenate([1 - positive, positive], axis=1)

        return probabilities


def example_batch(known: dict[str, Any], around: int) -> dict[str, np.ndarray]:
    """A batch of one clip, with every column that a network may read; for its shapes.

    Args:
      known: `Run.inputs`.
      around: frames of the context, before and after together.
    """
    frames, scaled = known['num_frames'], len(known['scaled_names'])
    features, joints = len(known['feature_names']), len(known['joint_names'])
    return {
        'features': np.zeros((1, frames, features), np.float32),
        'mask': np.ones((1, frames, features), bool),
        'skeleton': np.zeros((1, frames, joints, 4), np.float32),
        'skeleton_mask': np.ones((1, frames, joints), bool),
        'context_skeleton': np.zeros((1, around, joints, 4), np.float32),
        'context_mask': np.ones((1, around, joints), bool),
        'fps': np.full(1, 30, np.float32),
        'aspect': np.ones(1, np.float32),
        'video_mean': np.zeros((1, scaled), np.float32),
        'video_std': np.ones((1, scaled), np.float32),
    }
