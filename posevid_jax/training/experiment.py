"""Everything a configuration determines before the first step."""

import dataclasses
from typing import Any

import grain
import jax
import numpy as np
import optax
from ml_collections import ConfigDict

from posevid_jax.data import loader, sampling, source, typical
from posevid_jax.data.clips import Clips
from posevid_jax.data.mapped import Column
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation import decision
from posevid_jax.features import augment, columns, fitting, subclips
from posevid_jax.features.check import check_nothing_is_ignored
from posevid_jax.features.inputs import InputSpec
from posevid_jax.features.scaling import Scaler
from posevid_jax.machine.prefetch import Batch
from posevid_jax.models import classifier, families, torch_import
from posevid_jax.runs import records
from posevid_jax.training import (
    adaptation,
    checkpoint,
    earlier,
    groups,
    hardest,
    losses,
    nonfinite,
    optim,
    steps,
)
from posevid_jax.training import state as states


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
      start: what an earlier run learned, on the host, to start from; None to start anew.
    """

    config: ConfigDict
    train: Clips
    val: Clips
    arrays: dict[str, Column]
    order: sampling.Order
    augment: augment.Augment | None
    scaler: Scaler
    model: classifier.Classifier
    schedule: optax.Schedule
    optimizer: optax.GradientTransformationExtraArgs
    steps_per_epoch: int
    start: states.Trained | None = None

    @property
    def total_steps(self) -> int:
        return self.config.train.num_epochs * self.steps_per_epoch

    def data(self, done: int = 0) -> grain.DatasetIterator[Batch]:
        """This process's share of the training batches after the `done` first steps."""
        batches = loader.train_batches(
            self.arrays,
            order=self.order,
            batch_size=self.config.train.batch_size,
            num_steps=self.total_steps,
            process_index=jax.process_index(),
            process_count=jax.process_count(),
        )
        if done:
            batches.set_state(batches.get_state() | {'next_index': done})
        return batches

    def create_state(self) -> states.TrainState:
        """The state before the first step; traceable."""
        example = next(loader.eval_batches(self.arrays, 1))
        return states.create(
            self.model,
            self.optimizer,
            self.scaler,
            example,
            self.config.seed,
            self.config.train.num_seeds,
            ema=self.config.train.ema_decay > 0,
        )

    def initial_state(self) -> states.TrainState:
        """The state of step 0, on the device: `create_state`, then the pretrained weights.

        Raises:
          InputError: the pretrained weights do not fit the model.
        """
        state = jax.jit(self.create_state)()
        if self.start:
            learned = {key: getattr(self.start, key) for key in ('params', 'batch_stats', 'ema')}
            return state.replace(**jax.device_put(learned))
        if not self.config.model.pretrained:
            return state
        params, notes = self._import_pretrained(state.params)
        print('\n'.join(f'{self.config.model.pretrained}: {note}' for note in notes))
        ema = jax.device_put(params) if state.ema else {}
        return state.replace(params=jax.device_put(params), ema=ema)

    def check_pretrained(self) -> None:
        """Raises InputError when there are pretrained weights that do not fit the model."""
        if self.config.model.pretrained and not self.start:
            self._import_pretrained(jax.jit(self.create_state)().params)

    def _import_pretrained(self, params: Any) -> tuple[Any, list[str]]:
        """Parameters on the host with the pretrained weights, and what is to be said of them."""
        members = self.config.train.num_seeds
        weights = torch_import.read_state_dict(self.config.model.pretrained)
        import_weights = families.of(self.config).import_weights
        assert import_weights  # `check` refuses a file otherwise
        params = jax.device_get(params)
        if members == 1:
            return import_weights(weights, params, self.config)
        # What the file does not hold, such as the head, stays each member's own.
        each = [
            import_weights(weights, jax.tree.map(lambda p, i=i: p[i], params), self.config)
            for i in range(members)
        ]
        return jax.tree.map(lambda *p: np.stack(p), *(p for p, _ in each)), each[0][1]

    def abstract_state(self) -> states.TrainState:
        """Shapes and dtypes of `create_state`."""
        return jax.eval_shape(self.create_state)

    def train_step(self) -> steps.TrainStep:
        """The step to compile."""
        train = self.config.train
        step = steps.make_train_step(
            self.model,
            self.optimizer,
            self.schedule,
            train,
            micro_batches=train.micro_batches,
            augment=self.augment,
        )
        if train.num_seeds == 1:
            return step
        return steps.for_members(step, self.config.seed, train.num_seeds)

    def input_description(self) -> dict[str, Any]:
        """What the run knows about its input, for scaler.json."""
        spec = families.input_spec(self.config)
        features, joints = _read_names(self.train, spec)
        scaled = columns.scaled_names(self.train, spec)
        pooled = self.scaler.pooled
        return {
            'feature_names': list(features),
            'joint_names': list(joints),
            'class_names': list(self.train.class_names),
            'num_frames': self.train.features.shape[1],
            'typical': typical.describe(self.train),
            'zscore': self.config.features.zscore,
            'scaled_names': list(scaled),
            'center': self.scaler.center[..., : len(scaled)].tolist(),
            'scale': self.scaler.scale[..., : len(scaled)].tolist(),
            'biases': 0 if self.scaler.biases is None else len(self.scaler.biases),
            'pooled': pooled and {'center': pooled.center.tolist(), 'scale': pooled.scale.tolist()},
        }


def build(config: ConfigDict) -> Experiment:
    """Reads the data and puts the experiment together.

    Raises:
      InputError: a key, a file or their combination that cannot work.
    """
    check(config)
    before = earlier.run_of(config)
    if before is None:
        return _fitted(config, *source.train_and_val(config.data, config.seed))
    known = None if config.data.val else before.sides
    sets = source.train_and_val(config.data, config.seed, known)
    experiment = _fitted(before.decided(config), *sets)
    before.check(experiment.config, experiment.train)
    start = before.trained(experiment.abstract_state().trained)
    print(printable(before.told(start, experiment.val)))
    return dataclasses.replace(experiment, start=start, scaler=start.scaler)


def _fitted(config: ConfigDict, train: Clips, val: Clips) -> Experiment:
    """`assemble`, with the configuration fitted to the clips, and a line for what that changed."""
    config, lines = adaptation.adapted(config, train)
    for line in lines:
        print(printable(line))
    return assemble(config, train, val)


def check(config: ConfigDict) -> None:
    """Raises InputError for a key that can be seen to be wrong without the data."""
    losses.check(config.train)
    decision.check(config)
    optim.check(config.train)
    nonfinite.check(config.train)
    hardest.check(config.train)
    checkpoint.check(config.checkpoint)
    records.check(config.train)
    groups.check_patterns('model.pretrained_allow', config.model.pretrained_allow)
    check_nothing_is_ignored(families.input_spec(config))
    reads_files = families.of(config).import_weights is not None
    if config.model.pretrained and not reads_files and earlier.run_of(config) is None:
        raise InputError(
            f'model.pretrained: {config.model.pretrained}: found no run directory, expected one, '
            f"or '': {config.model.name} has no weights of other programs"
        )


def assemble(
    config: ConfigDict, train: Clips, val: Clips, steps_per_epoch: int | None = None
) -> Experiment:
    """Puts an experiment together.

    Args:
      config: the whole configuration, checked.
      train, val: its clips.
      steps_per_epoch: None for as many as one epoch of `train` takes.

    Raises:
      InputError: the clips do not fit the configuration.
    """
    family, spec = families.of(config), families.input_spec(config)
    losses.check_classes(config.train, train.num_classes)
    subclips.check(config.features, train.features.shape[1])
    model = classifier.build(config, num_classes=train.num_classes, joint_names=train.joint_names)
    arrays = columns.host_arrays(train, spec)
    if config.data.sample_by_weight:
        # A weight counts once: in how often a clip is drawn, so no more in its loss.
        arrays['weight'] = np.ones_like(train.weight)
    order = sampling.make_order(train, config.data, config.seed)
    batch_size: int = config.train.batch_size
    if steps_per_epoch is None:
        steps_per_epoch = -(-order.draws_per_epoch // batch_size)
    config, steps_per_epoch = optim.in_epochs(config, steps_per_epoch)
    schedule = optim.learning_rate(config.train, steps_per_epoch)
    return Experiment(
        config=config,
        train=train,
        val=val,
        arrays=arrays,
        order=order,
        augment=_augment(train, config, spec),
        scaler=fitting.fit_scaler(train, arrays, spec),
        model=model,
        schedule=schedule,
        optimizer=optim.optimizer(config.train, schedule, family, steps_per_epoch),
        steps_per_epoch=steps_per_epoch,
    )


def _augment(clips: Clips, config: ConfigDict, spec: InputSpec) -> augment.Augment | None:
    features, joints = _read_names(clips, spec)
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


def _read_names(clips: Clips, spec: InputSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the features and of the joints of the clips, () for what is not read."""
    return (
        clips.feature_names if spec.reads_archive else (),
        clips.joint_names if spec.reads_joints else (),
    )
