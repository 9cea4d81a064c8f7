"""A finished run, brought back from its directory alone."""

import dataclasses
import pathlib
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.features import inputs
from posevid_jax.features.scaling import Scaler
from posevid_jax.models import classifier
from posevid_jax.training import artifacts, optim
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained classifier and what it expects of clips.

    Attributes:
      config: the run's, with overrides.
      workdir: the run directory.
      model: the classifier.
      state: restored, on the first local device.
      threshold: decision threshold of the positive class.
      inputs: scaler.json: names of features, joints and classes, frames.
    """

    config: ConfigDict
    workdir: pathlib.Path
    model: classifier.Classifier
    state: states.TrainState
    threshold: float
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
        threshold = artifacts.read_json(workdir / 'thresholds.json')['threshold']
        joint_names = tuple(known['joint_names'])
        model = classifier.build(
            config, num_classes=len(known['class_names']), joint_names=joint_names
        )
        features = len(known['feature_names'])
        example = _example_batch(known['num_frames'], features, len(joint_names))
        # The schedule shapes no array of the state: one step an epoch is as good as any.
        optimizer = optim.optimizer(config.train, optim.learning_rate(config.train, 1))
        scaler = Scaler(center=np.zeros(features, np.float32), scale=np.ones(features, np.float32))
        abstract = jax.eval_shape(
            lambda: states.create(model, optimizer, scaler, example, config.seed)
        )
        checkpoints = Checkpoints(workdir)
        state = checkpoints.restore(checkpoints.resolve(checkpoint), abstract)
        checkpoints.close()
        return cls(config, workdir, model, state, threshold, known)

    def check_clips(self, clips: Clips) -> None:
        """Raises InputError when clips are not what the run was trained on: features, classes, and
        joints where it reads them.

        Clips of another length are fine for statistics over time, and for a network that attends
        within windows.
        """
        names = {
            'feature_names': inputs.feature_names(clips, self.config),
            'joint_names': clips.joint_names,
            'class_names': clips.class_names,
        }
        for key, found in names.items():
            expected = tuple(self.inputs[key])
            if found != expected and (expected or key != 'joint_names'):
                raise InputError(
                    f'{clips.videos[0]}: {key}: found {_brief(found)}, '
                    f'expected {_brief(expected)} as in {self.workdir}'
                )


def _brief(names: tuple[str, ...]) -> str:
    shown = ', '.join(names[:4])
    return f'{len(names)} ({shown}, ...)' if len(names) > 4 else f'{len(names)} ({shown})'


def _example_batch(frames: int, features: int, joints: int) -> dict[str, np.ndarray]:
    return {
        'features': np.zeros((1, frames, features), np.float32),
        'mask': np.ones((1, frames, features), bool),
        'skeleton': np.zeros((1, frames, joints, 4), np.float32),
        'skeleton_mask': np.ones((1, frames, joints), bool),
        'fps': np.full(1, 30, np.float32),
        'aspect': np.ones(1, np.float32),
        'video_mean': np.zeros((1, features), np.float32),
        'video_std': np.ones((1, features), np.float32),
    }
