"""A finished run, brought back from its directory alone."""

import dataclasses
import pathlib
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.source import conform
from posevid_jax.evaluation.decision import Decision
from posevid_jax.features.scaling import neutral_scaler
from posevid_jax.models import classifier
from posevid_jax.training import artifacts, optim
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained classifier and what it expects of clips.

    Attributes:
      workdir: the run directory.
      model: the classifier.
      state: restored, on the first local device.
      decision: calibration of the logits, and threshold of the positive class.
      inputs: scaler.json: names of features, joints and classes, frames.
    """

    workdir: pathlib.Path
    model: classifier.Classifier
    state: states.TrainState
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
        decision = artifacts.read_decision(workdir, config.eval.calibration)
        joint_names = tuple(known['joint_names'])
        model = classifier.build(
            config, num_classes=len(known['class_names']), joint_names=joint_names
        )
        scaler = neutral_scaler(len(known['scaled_names']), np.shape(known['center'])[:-1])
        if known['pooled']:
            *steps, count = np.shape(known['pooled']['center'])
            scaler = scaler.replace(pooled=neutral_scaler(count, tuple(steps)))
        example = _example_batch(known, 2 * config.features.context)
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
        checkpoints = Checkpoints(workdir)
        state = checkpoints.restore(checkpoints.resolve(checkpoint), abstract)
        checkpoints.close()
        return cls(workdir, model, state, decision, known)

    def conform(self, clips: Clips, source: str) -> Clips:
        """Clips as the run knows them: its features, its joints where it reads them, its classes.

        Clips of another length are fine for statistics over time, and for a network that attends
        within windows.

        Args:
          clips: any set.
          source: where it comes from, for the message.

        Returns:
          the clips, labelled with the run's classes, found by name.

        Raises:
          InputError: other features or joints than the run was trained on, or another class.
        """
        return conform(clips, self.inputs, source, like=str(self.workdir))


def _example_batch(known: dict[str, Any], around: int) -> dict[str, np.ndarray]:
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
