"""Several processes, on one host or many, that train one model together.

Each reads its own share of every batch; process 0 alone writes files and prints. JAX is imported
where it is needed: files are written here by modes that do without it.
"""

import os
import pathlib
import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from posevid_jax.errors import InputError

_LONGEST_PATH = 4096  # bytes


class Place(NamedTuple):
    """A process among others.

    Attributes:
      coordinator: `host:port` of process 0, where all meet.
      num_processes: how many there are.
      process_id: this one's number, from 0.
      local_devices: numbers of the host's devices that are this process's; None for all.
    """

    coordinator: str
    num_processes: int
    process_id: int
    local_devices: list[int] | None = None


def find_place(
    coordinator: str | None,
    num_processes: int | None,
    process_id: int | None,
    environment: Mapping[str, str],
) -> Place | None:
    """The place of this process: from the command line, a Slurm step or an indexed Kubernetes job.

    Kubernetes gives the number of the pod (`JOB_COMPLETION_INDEX`); the job must set the rest,
    `JAX_COORDINATOR_ADDRESS` and `JAX_NUM_PROCESSES`. Elsewhere `JAX_PROCESS_ID` is the number.

    Args:
      coordinator, num_processes, process_id: flags; all or none.
      environment: variables of the process.

    Returns:
      None for a process on its own.

    Raises:
      InputError: what is given is incomplete or impossible.
    """
    flags = (coordinator, num_processes, process_id)
    if any(flag is not None for flag in flags):
        if coordinator is None or num_processes is None or process_id is None:
            raise InputError(
                f'--coordinator, --num_processes, --process_id: found {flags}, expected all three'
            )
        return _checked('--coordinator', Place(coordinator, num_processes, process_id))
    if int(environment.get('SLURM_STEP_NUM_TASKS', '1')) > 1:
        return _checked('SLURM_STEP_NODELIST', _slurm(environment))
    index = environment.get('JAX_PROCESS_ID', environment.get('JOB_COMPLETION_INDEX'))
    if index and {'JAX_COORDINATOR_ADDRESS', 'JAX_NUM_PROCESSES'} <= environment.keys():
        address = environment['JAX_COORDINATOR_ADDRESS']
        place = Place(address, int(environment['JAX_NUM_PROCESSES']), int(index))
        return _checked('JAX_COORDINATOR_ADDRESS', place)
    return None


def _slurm(environment: Mapping[str, str]) -> Place:
    nodes = environment['SLURM_STEP_NODELIST']
    first = re.match(r'([^\[,]+)(?:\[(\d+))?', nodes)
    if first is None:
        raise InputError(f'SLURM_STEP_NODELIST: found {nodes!r}, expected names of hosts')
    # A port that other jobs on the host do not take either, in the range of ephemeral ones.
    port = 61440 + int(environment['SLURM_JOB_ID']) % 4096
    alone = re.fullmatch(r'1(\(x\d+\))?', environment.get('SLURM_STEP_TASKS_PER_NODE', ''))
    return Place(
        f'{first[1]}{first[2] or ""}:{port}',
        int(environment['SLURM_STEP_NUM_TASKS']),
        int(environment['SLURM_PROCID']),
        # Several tasks on a host have a device each, a single one has all.
        None if alone else [int(environment['SLURM_LOCALID'])],
    )


def _checked(source: str, place: Place) -> Place:
    if not re.fullmatch(r'\S+:\d+', place.coordinator):
        raise InputError(f'{source}: found {place.coordinator!r}, expected HOST:PORT')
    if not 0 <= place.process_id < place.num_processes:
        raise InputError(
            f'{source}: found process {place.process_id} of {place.num_processes}, '
            'expected one from 0 on'
        )
    return place


def start(place: Place | None) -> None:
    """Joins the other processes; must come before the first use of a device.

    Raises:
      InputError: the processes do not meet.
    """
    if place is None or place.num_processes == 1:
        return
    import jax

    # On CPUs; GPUs have collectives of their own.
    jax.config.update('jax_cpu_collectives_implementation', 'gloo')
    try:
        jax.distributed.initialize(
            place.coordinator,
            place.num_processes,
            place.process_id,
            place.local_devices,
            cluster_detection_method='deactivate',
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f'--coordinator: {place.num_processes} processes do not meet at {place.coordinator} '
            f'({str(error).splitlines()[0]})'
        ) from error
    if place.process_id:
        sys.stdout = pathlib.Path(os.devnull).open('w')  # noqa: SIM115


def count() -> int:
    """How many processes there are; a process that has not imported JAX is on its own."""
    jax = sys.modules.get('jax')
    return 1 if jax is None else jax.process_count()


def is_first() -> bool:
    """Whether this process writes the files."""
    return count() == 1 or sys.modules['jax'].process_index() == 0


def any_of(flag: bool) -> bool:
    """Whether `flag` is true in any process; every process must call this."""
    if count() == 1:
        return flag
    from jax.experimental import multihost_utils

    return bool(multihost_utils.process_allgather(np.asarray(flag)).any())


def wait_for_all(what: str) -> None:
    """Returns when every process has called this."""
    if count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(what)


def path_of_first(path: pathlib.Path | None) -> pathlib.Path:
    """The path that process 0 passes; the others may pass None."""
    if path is not None and count() == 1:
        return path
    from jax.experimental import multihost_utils

    text = str(path or '').encode().ljust(_LONGEST_PATH)
    sent = multihost_utils.broadcast_one_to_all(np.frombuffer(text, np.uint8))
    return pathlib.Path(bytes(np.asarray(sent)).decode().strip())


def on_host(tree: Any) -> Any:
    """The arrays of a tree, replicated on every device, as NumPy arrays."""
    import jax

    return jax.tree.map(lambda leaf: np.asarray(leaf.addressable_data(0)), tree)
