"""One step function, compiled with jit for one device or with pmap for several.

The state is replicated without a leading device axis; only batches have one.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from posevid_jax.errors import InputError

AXIS = 'batch'
KINDS = ('auto', 'jit', 'pmap')


class Parallel:
    """How the steps of a run are laid out over devices."""

    def __init__(self, kind: str = 'auto', devices: Sequence[jax.Device] | None = None):
        """Chooses the layout.

        Args:
          kind: `auto` (pmap when there are several devices), `jit` (the first device) or `pmap`.
          devices: those to use, by default all of all processes.

        Raises:
          InputError: unknown kind, or one that cannot span the processes.
        """
        if kind not in KINDS:
            raise InputError(f'parallel: found {kind!r}, expected one of {", ".join(KINDS)}')
        devices = list(jax.devices() if devices is None else devices)
        self._processes = len({device.process_index for device in devices})
        if kind == 'jit' and self._processes > 1:
            raise InputError(
                f"parallel: found 'jit' with {self._processes} processes, expected pmap"
            )
        self.use_pmap = kind == 'pmap' or (kind == 'auto' and len(devices) > 1)
        self.devices = devices if self.use_pmap else devices[:1]
        # The sharding of inputs and outputs of the compiled steps: a state with another one, or
        # with none of its own, would cost one more compilation.
        mine = [device for device in self.devices if device.process_index == jax.process_index()]
        mesh = Mesh(mine, (AXIS,))
        self._split = NamedSharding(mesh, PartitionSpec(AXIS)) if self.use_pmap else None
        whole = NamedSharding(mesh, PartitionSpec())
        self._everywhere = whole if self.use_pmap else SingleDeviceSharding(self.devices[0])

    def __str__(self) -> str:
        kind = 'pmap' if self.use_pmap else 'jit'
        processes = f' in {self._processes} processes' if self._processes > 1 else ''
        return f'{kind} on {len(self.devices)} x {self.devices[0].device_kind}{processes}'

    def check_batch_size(self, key: str, batch_size: int, micro_batches: int = 1) -> None:
        """Raises InputError, naming the nearest sizes that work, unless the parts come out even."""
        unit = len(self.devices) * micro_batches
        if batch_size < 1 or batch_size % unit:
            below = batch_size // unit * unit
            nearest = ' or '.join(str(size) for size in (below, below + unit) if size > 0)
            parts = f' x {micro_batches} micro-batches' if micro_batches > 1 else ''
            raise InputError(
                f'{key}: found {batch_size}, expected a multiple of the {len(self.devices)} '
                f'devices{parts} ({nearest})'
            )

    def compile_train(self, train_step: Callable[..., Any]) -> jax.stages.Wrapped:
        """`(state, batch, rng) -> (state, metrics)`; donates the state passed in."""
        if not self.use_pmap:
            return jax.jit(train_step, donate_argnums=0)
        return jax.pmap(
            functools.partial(train_step, axis_name=AXIS),
            axis_name=AXIS,
            in_axes=(None, 0, None),
            out_axes=(None, None),
            donate_argnums=0,
            devices=self.devices,
        )

    def compile_eval(self, eval_step: Callable[..., Any]) -> Callable[..., Any]:
        """`(variables, scaler, batch) -> outputs`, each output with the axes of the batch."""
        if not self.use_pmap:
            return jax.jit(eval_step)
        if self._processes == 1:
            return jax.pmap(eval_step, in_axes=(None, None, 0), devices=self.devices)

        def gathered(variables: Any, scaler: Any, batch: Any) -> Any:
            return jax.lax.all_gather(eval_step(variables, scaler, batch), AXIS)

        return jax.pmap(
            gathered, AXIS, in_axes=(None, None, 0), out_axes=None, devices=self.devices
        )

    def share(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """This process's part of a batch that all processes have."""
        if self._processes == 1:
            return batch
        index, count = jax.process_index(), self._processes
        return {
            key: value[index * len(value) // count : (index + 1) * len(value) // count]
            for key, value in batch.items()
        }

    def put(self, batch: dict[str, np.ndarray]) -> dict[str, jax.Array]:
        """Starts the transfer of a host batch `[B, ...]` to where the compiled step wants it."""
        return jax.device_put(self.split(batch), self._split)

    def put_state(self, state: Any) -> Any:
        """A pytree of arrays where the compiled steps want it: on all devices, whole."""
        return jax.device_put(state, self._everywhere)

    def split(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Gives a host batch `[B, ...]` the device axis, `[D, B / D, ...]`, where there is one.

        Both B and D are this process's.
        """
        if not self.use_pmap:
            return batch
        count = len(self.devices) // self._processes
        return {
            key: value.reshape(count, len(value) // count, *value.shape[1:])
            for key, value in batch.items()
        }

    def join(self, output: Any) -> np.ndarray:
        """The inverse of `split` for one output, fetched to the host."""
        if self._processes > 1:
            output = output.addressable_data(0)  # gathered: the same everywhere
        output = np.asarray(output)
        return output.reshape(-1, *output.shape[2:]) if self.use_pmap else output
