"""A finished run, brought back from its directory alone."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.errors import InputError
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.features import columns, sources
from posevid_jax.features.scaling import neutral_scaler
from posevid_jax.inference.recordings import FrameJudge, frame_judge
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import classifier, families
from posevid_jax.runs import training_clips
from posevid_jax.runs.config import differences
from posevid_jax.runs.directory import read_decision
from posevid_jax.runs.files import read_json
from posevid_jax.training import optim, validation
from posevid_jax.training import state as states
from posevid_jax.training.checkpoint import Checkpoints, DoesNotFit


@dataclasses.dataclass(frozen=True)
class SingleRun(TrainedRun):
    """What one training left.

    Attributes:
      model: the classifier.
      state: restored, on the first local device.
    """

    model: classifier.Classifier
    state: states.Trained

    @classmethod
    def restore(cls, config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> 'SingleRun':
        """Reads a run.

        Args:
          config: the run's.
          workdir: the run directory.
          checkpoint: `best`, `last` or a step.

        Raises:
          InputError: not a run directory, no such checkpoint, or one that does not fit the
            configuration.
        """
        known = read_json(workdir / 'scaler.json')
        # Runs from before features were computed in the step scaled those of the archive.
        known = {'scaled_names': known['feature_names'], 'pooled': None, 'biases': 0} | known
        decision = read_decision(workdir, config.eval.calibration)
        joint_names = tuple(known['joint_names'])
        portable = config.copy_and_resolve_references()
        portable.update_from_flattened_dict(families.of(config).portable)
        model = classifier.build(
            portable, num_classes=len(known['class_names']), joint_names=joint_names
        )
        scaler = neutral_scaler(len(known['scaled_names']), np.shape(known['center'])[:-1])
        if known['pooled']:
            *steps, count = np.shape(known['pooled']['center'])
            scaler = dataclasses.replace(scaler, pooled=neutral_scaler(count, tuple(steps)))
        if known['biases']:
            biases = np.zeros(known['biases'], np.float32)
            scaler = dataclasses.replace(scaler, biases=biases)
        example = example_batch(known, 2 * config.features.context)
        # The schedule shapes no array of the state: one step per epoch is as good as any.
        schedule = optim.learning_rate(config.train, 1)
        optimizer = optim.optimizer(config.train, schedule, families.of(config))
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
        try:
            with Checkpoints(workdir) as checkpoints:
                step = checkpoints.resolve(checkpoint)
                state = checkpoints.restore_trained(step, abstract.trained)
        except DoesNotFit as error:
            raise _explained(error, workdir, config) from None
        return cls(config, workdir, decision, known, model, state)

    @property
    def step(self) -> int:
        return int(self.state.step)

    @property
    def reads_features(self) -> bool:
        return families.input_spec(self.config).reads_archive

    @property
    def context(self) -> int:
        return self.config.features.context

    @property
    def clip_frames(self) -> int:
        return self.config.features.subclip or self.inputs['num_frames']

    def arrays(self, clips: Clips) -> dict[str, Column]:
        return columns.host_arrays(clips, families.input_spec(self.config))

    def count_trained_on(self, clips: Clips) -> int:
        return training_clips.count(self.workdir, clips)

    def check_stream(self) -> None:
        """Whatever it reads: of its context, what comes after a clip is missing then."""

    def z_scored(self, batch: Mapping[str, Array]) -> tuple[Array, Array]:
        if self.reads_features:
            return batch['features'], batch['mask']
        features, names = self.config.features, tuple(self.inputs['joint_names'])
        return sources.COMPUTED[features.source].compute(dict(batch), names, features)

    def logits(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        logits = validation.compile_predictor(self.model, self.config, parallel)
        return lambda clips: logits(self.state, self.arrays(clips))

    def frame_judge(self, parallel: Parallel) -> FrameJudge:
        logits = validation.compile_stretch_predictor(self.model, self.config, parallel)
        form = dataclasses.replace(
            self.form, num_frames=self.inputs['num_frames'], subclip=self.model.subclip
        )
        return frame_judge(lambda clips: logits(self.state, self.arrays(clips)), form, self.config)

    def logits_of_batch(self) -> Callable[[Mapping[str, Array]], Array]:
        step = validation.logits_step(self.model, self.config)
        return lambda batch: mean_logits(step(self.state.variables, self.state.scaler, batch))


def _explained(error: DoesNotFit, workdir: pathlib.Path, config: ConfigDict) -> InputError:
    """The error, with the keys in which the configuration is not the run's own."""
    found = differences(workdir, config, ('features', 'model', 'train'))
    changed = [
        f'config.{key}: found {now!r}, the run was trained with {before!r}'
        for key, (before, now) in found.items()
    ]
    if not changed:
        return InputError(f'{error}: it is not the state that config.json describes')
    return InputError(f'--{"; --".join(changed)}; so the checkpoint does not fit ({error})')


def example_batch(known: dict[str, Any], around: int) -> dict[str, np.ndarray]:
    """A batch of one clip, with every column that a network may read; for its shapes.

    Args:
      known: `SingleRun.inputs`.
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
