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
from posevid_jax.evaluation import ensemble, metrics
from posevid_jax.features.inputs import host_arrays, reads_skeleton
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
      threshold: decision threshold of the positive class; None with more than two classes.
      inputs: scaler.json: names of features, joints and classes, frames.
    """

    config: ConfigDict
    workdir: pathlib.Path
    model: classifier.Classifier
    state: states.TrainState
    threshold: float | None
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
        inputs = artifacts.read_json(workdir / 'scaler.json')
        threshold = artifacts.read_json(workdir / 'thresholds.json')['threshold']
        joint_names = tuple(inputs['joint_names'])
        model = classifier.build(
            config, num_classes=len(inputs['class_names']), joint_names=joint_names
        )
        features = len(inputs['feature_names'])
        example = example_batch(inputs['num_frames'], features, len(joint_names))
        # The schedule shapes no array of the state: one step an epoch is as good as any.
        optimizer = optim.optimizer(config.train, optim.learning_rate(config.train, 1))
        scaler = neutral_scaler(features)
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
        return cls(config, workdir, model, state, threshold, inputs)

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
        if reads_skeleton(self.config):
            names = names | {'feature_names': clips.feature_names}
        return conform(clips, names, source, like=str(self.workdir))

    def predictor(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        """A function from clips, as `conform` gives them, to class probabilities `[N, K]` f64.

        Compiled once for all clips of one length. The one way from a run to its predictions, with
        `function`.
        """
        logits = validation.compile_predictor(self.model, self.config, parallel)
        return lambda clips: metrics.probabilities(
            ensemble.mean_logits(logits(self.state, host_arrays(clips, self.config)))
        )

    def function(self) -> Callable[[Mapping[str, Array]], Array]:
        """The same to be traced: a batch of `host_arrays` to class probabilities `[B, K]` f32.

        Parameters and scaler are constants of it.
        """
        step = validation.logits_step(self.model, self.config)

        def probabilities(batch: Mapping[str, Array]) -> Array:
            logits = ensemble.mean_logits(step(self.state.variables, self.state.scaler, batch))
            if logits.shape[1] > 1:
                return jax.nn.softmax(logits)
            positive = jax.nn.sigmoid(logits)
            return jnp.concatenate([1 - positive, positive], axis=1)

        return probabilities


def example_batch(frames: int, features: int, joints: int) -> dict[str, np.ndarray]:
    """A batch of one clip, with every column that a network may read; for its shapes."""
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
