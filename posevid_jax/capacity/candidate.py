"""One row of the probe's table: a configuration whose very training step is compiled, never run."""

import dataclasses
import hashlib
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from ml_collections import ConfigDict

from posevid_jax.capacity import devices as known_devices
from posevid_jax.capacity import memory
from posevid_jax.capacity.memory import StepMemory
from posevid_jax.machine import processes
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import families
from posevid_jax.runs.config import as_json
from posevid_jax.training import experiment as experiments
from posevid_jax.training import optim
from posevid_jax.training.experiment import Experiment

# Any batch would do: a fingerprint is about the program, not about its sizes.
_FINGERPRINT_BATCH = 8


class Identity(NamedTuple):
    """What a record of the report answers for; the keys by which training finds it."""

    model: str
    size: str | None  # None for a family of one size
    pack: str
    dtype: str
    remat: list[bool]  # by stage; empty for a family that never recomputes
    optimiser: str
    clip_shape: list[int]  # T, F
    devices: int
    micro_batches: int  # that a step works through one after the other
    seeds: int  # members trained side by side


class Candidate:
    """The training step of a configuration at any batch, on the devices of a target."""

    def __init__(self, config: ConfigDict, kind: str, devices: tuple[jax.Device, ...]):
        """Reads the data, for the shapes of a batch.

        Args:
          config: the whole configuration; its batch size plays no part.
          kind: `jax.Device.device_kind`, for the fingerprint.
          devices: those to train on, present or described.

        Raises:
          InputError: the configuration cannot be trained.
        """
        config = config.copy_and_resolve_references()
        # Whatever it says: the sizes of a batch are arguments here. Every process reads a row.
        config.train.batch_size = processes.count()
        self.experiment: Experiment = experiments.build(config)
        self.parallel = Parallel(config.parallel, devices)
        self._kind = kind
        self._state = self.experiment.abstract_state()
        self._row = next(self.experiment.data())

    @property
    def num_devices(self) -> int:
        return len(self.parallel.devices)

    @property
    def identity(self) -> Identity:
        config = as_json(self.experiment.config)
        family = families.of(self.experiment.config)
        return Identity(
            model=config['model']['name'],
            size=config['model']['size'] if family.sizes else None,
            pack=config['features']['pack'],
            dtype=config['model']['dtype'],
            remat=list(family.remat(self.experiment.config)),
            optimiser='adamw',  # the one there is, see training/optim.py
            clip_shape=list(self.experiment.train.features.shape[1:]),
            devices=self.num_devices,
            micro_batches=config['train']['micro_batches'],
            seeds=config['train']['num_seeds'],
        )

    @property
    def state_bytes(self) -> int:
        """Of the whole training state: parameters, optimiser, statistics."""
        return _tree_bytes(self._state)

    @property
    def parameter_bytes(self) -> int:
        """Of the parameters, and so of one gradient."""
        return _tree_bytes(self._state.params)

    @property
    def largest_parameter(self) -> int:
        """Number of elements of the largest parameter."""
        return max(leaf.size for leaf in jax.tree.leaves(self._state.params))

    @property
    def clip_bytes(self) -> int:
        """Of one clip of a batch."""
        return sum(value.nbytes for value in self._row.values())

    def compile(self, batch: int, compiler_options: dict[str, Any]) -> StepMemory | None:
        """Compiles the step for `batch` clips per device; allocates nothing on any device.

        Returns:
          its memory; None when even compiling ran out of memory.
        """
        step = self.parallel.compile_train(self.experiment.train_step())
        lowered = step.lower(*self._arguments(batch))
        try:
            return memory.of_compiled(lowered.compile(compiler_options=compiler_options))
        except jax.errors.JaxRuntimeError as error:
            if not memory.ran_out(error):
                raise
            return None

    def fingerprint(self, platform: str) -> str:
        """Says whether a record is still true: the program, the versions and the device.

        The learning rate, its schedule and the number of epochs are constants of the program that
        no byte depends on, so the program is lowered with a schedule of its own.

        Args:
          platform: to lower for, 'cuda' or 'cpu'; need not be here.
        """
        config, schedule = self.experiment.config, optax.constant_schedule(1.0)
        experiment = dataclasses.replace(
            self.experiment,
            schedule=schedule,
            optimizer=optim.optimizer(config.train, schedule, families.of(config)),
        )
        batch = _FINGERPRINT_BATCH * config.train.micro_batches
        arguments = (self._state, self._batch(batch, ()), _key())
        lowered = (
            jax.jit(experiment.train_step()).trace(*arguments).lower(lowering_platforms=(platform,))
        )
        digest = hashlib.sha256()
        for part in (lowered.as_text(), jax.__version__, self._kind, str(self.num_devices)):
            digest.update(part.encode())
        return digest.hexdigest()[:16]

    def _arguments(self, batch: int) -> tuple[Any, ...]:
        if self.parallel.use_pmap:
            return self._state, self._batch(batch, (self.num_devices,)), _key()
        # A described device is chosen by the sharding of the arguments, as a present one is.
        arguments = (self._state, self._batch(batch, ()), _key())
        return known_devices.shapes_on(self.parallel.devices[0], arguments)

    def _batch(self, size: int, leading: tuple[int, ...]) -> dict[str, jax.ShapeDtypeStruct]:
        return {
            key: jax.ShapeDtypeStruct((*leading, size, *value.shape[1:]), value.dtype)
            for key, value in self._row.items()
        }


def platform_of(device: jax.Device) -> str:
    """The platform that programs for a device are lowered for."""
    return 'cuda' if device.platform == 'gpu' else device.platform


def _key() -> jax.ShapeDtypeStruct:
    return jax.eval_shape(lambda: jax.random.key(0))


def _tree_bytes(tree: Any) -> int:
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
