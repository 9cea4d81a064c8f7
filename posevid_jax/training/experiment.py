"""Everything a configuration determines before the first step."""

import dataclasses
from typing import Any

import grain
import jax
import numpy as np
import optax
from ml_collections import ConfigDict

from posevid_jax.data import loader, sampling, source
from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.features import augment, inputs
from posevid_jax.features.scaling import Scaler
from posevid_jax.models import classifier, torch_import
from posevid_jax.training import losses, optim, steps
from posevid_jax.training import state as states
from posevid_jax.training.records import BEST_METRICS


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Data, model and optimiser of one configuration; nothing here is on a device or on disk.

    Attributes:
      config: the whole configuration.
      train: the training clips.
      val: the validation clips.
      arrays: what the training batches are gathered from, row by row.
      order: in which order.
      augment: what happens to them in training; None for nothing.
      scaler: fitted on `train`.
      model: the classifier.
      schedule: the learning rate by step.
      optimizer: reads `schedule`.
      steps_per_epoch: optimiser steps an epoch.
    """

    config: ConfigDict
    train: Clips
    val: Clips
    arrays: dict[str, np.ndarray]
    order: sampling.Order
    augment: augment.Augment | None
    scaler: Scaler
    model: classifier.Classifier
    schedule: optax.Schedule
    optimizer: optax.GradientTransformation
    steps_per_epoch: int

    @property
    def total_steps(self) -> int:
        return self.config.train.num_epochs * self.steps_per_epoch

    def data(self) -> grain.DatasetIterator:
        """The training batches from the first step on."""
        return loader.train_batches(
            self.arrays,
            order=self.order,
            batch_size=self.config.train.batch_size,
            num_steps=self.total_steps,
        )

    def create_state(self) -> states.TrainState:
        """The state before the first step; traceable."""
        example = next(loader.eval_batches(self.arrays, 1))
        return states.create(self.model, self.optimizer, self.scaler, example, self.config.seed)

    def initial_state(self) -> states.TrainState:
        """The state of step 0, on the device: `create_state`, then the pretrained weights.

        Raises:
          InputError: the pretrained weights do not fit the model.
        """
        state = jax.jit(self.create_state)()
        model = self.config.model
        if not model.pretrained:
            return state
        params, notes = torch_import.import_weights(
            torch_import.read_state_dict(model.pretrained),
            jax.device_get(state.params),
            window=model.video_swin.window_size,
            source_window=model.pretrained_window,
            allow=model.pretrained_allow,
        )
        print('\n'.join(f'{model.pretrained}: {note}' for note in notes))
        return state.replace(params=jax.device_put(params))

    def abstract_state(self) -> states.TrainState:
        """Shapes and dtypes of `create_state`."""
        return jax.eval_shape(self.create_state)

    def train_step(self) -> steps.TrainStep:
        """The step to compile."""
        return steps.make_train_step(
            self.model,
            self.optimizer,
            self.schedule,
            self.config.train,
            micro_batches=self.config.train.micro_batches,
            augment=self.augment,
        )

    def input_description(self) -> dict[str, Any]:
        """What the run knows about its input, for scaler.json."""
        features, joints = _read_names(self.train, self.config)
        scaled = inputs.scaled_names(self.train, self.config)
        return {
            'feature_names': list(features),
            'joint_names': list(joints),
            'class_names': list(self.train.class_names),
            'num_frames': self.train.features.shape[1],
            'zscore': self.config.features.zscore,
            'scaled_names': list(scaled),
            'center': self.scaler.center[..., : len(scaled)].tolist(),
            'scale': self.scaler.scale[..., : len(scaled)].tolist(),
        }


def build(config: ConfigDict) -> Experiment:
    """Reads the data and puts the experiment together.

    Raises:
      InputError: a key, a file or their combination that cannot work.
    """
    losses.check(config.train)
    optim.check(config.train)
    if config.train.best_metric not in BEST_METRICS:
        raise InputError(
            f'train.best_metric: found {config.train.best_metric!r}, '
            f'expected one of {", ".join(BEST_METRICS)}'
        )
    if config.model.pretrained and config.model.name != 'video_swin':
        raise InputError(f'model.pretrained: found a file with {config.model.name}, expected none')
    train, val = source.train_and_val(config.data, config.seed)
    if inputs.reads_features(config) and not train.feature_names:
        raise InputError(
            f'data.train: {config.data.train} holds a skeleton and no features; expected '
            'features.source=body, or model.name=video_swin with features.layout=skeleton'
        )
    model = classifier.build(config, num_classes=train.num_classes, joint_names=train.joint_names)
    arrays = inputs.host_arrays(train, config)
    if config.data.sample_by_weight:
        # A weight counts once: in how often a clip is drawn, so no more in its loss.
        arrays['weight'] = np.ones_like(train.weight)
    order = sampling.make_order(train, config.data, config.seed)
    steps_per_epoch = -(-order.draws_per_epoch // config.train.batch_size)
    schedule = optim.learning_rate(config.train, steps_per_epoch)
    return Experiment(
        config=config,
        train=train,
        val=val,
        arrays=arrays,
        order=order,
        augment=_augment(train, config),
        scaler=inputs.fit_scaler(train, config),
        model=model,
        schedule=schedule,
        optimizer=optim.optimizer(config.train, schedule),
        steps_per_epoch=steps_per_epoch,
    )


def _augment(clips: Clips, config: ConfigDict) -> augment.Augment | None:
    features, joints = _read_names(clips, config)
    built = augment.build(
        config.augment,
        feature_names=features,
        joint_names=joints,
        num_classes=clips.num_classes,
    )
    if built and config.features.context:
        raise InputError(
            f'features.context: found {config.features.context} with config.augment, which leaves '
            'the frames around clips as they are; expected 0, or no augmentation'
        )
    return built


def _read_names(clips: Clips, config: ConfigDict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the features and of the joints of the clips, () for what is not read."""
    return (
        clips.feature_names if inputs.reads_features(config) else (),
        clips.joint_names if inputs.reads_skeleton(config) else (),
    )
