"""The bytes of a step for a GPU that is not here, known before its kernels are generated.

XLA optimises a program, assigns its buffers, and then generates and assembles some hundred kernels,
which takes more than half of the time and changes no byte. It has no option to stop in between, but
writes what it has assigned when asked to (`xla_dump_to`). So a step is compiled in a process of its
own, which ends as soon as that has been written. Should another version of XLA write something
else, the compile runs to its end, and says the same.
"""

import multiprocessing
import os
import pathlib
import re
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.capacity import devices, memory
from posevid_jax.capacity.candidate import Candidate
from posevid_jax.capacity.memory import StepMemory

_PROGRAM = '*gpu_after_optimizations.txt'
_ASSIGNMENT = '*gpu_after_optimizations-buffer-assignment.txt'
_LAST = '*gpu_after_optimizations-memory-usage-report.txt'  # written after the other two
_ALLOCATION = re.compile(r'^allocation \d+: size (\d+), (.*):$', re.MULTILINE)
_POLL_SECONDS = 0.2


Compile = Callable[[ConfigDict, int, pathlib.Path], StepMemory | None]
"""Compiles a batch; what XLA has to say of it on the way goes to the directory."""


def to_the_end(config: ConfigDict, batch: int, directory: pathlib.Path) -> StepMemory | None:
    """The memory of the whole compile; None when even that ran out of it."""
    jax.config.update('jax_platforms', 'cpu')  # a GPU that is here has no part in this
    target = devices.find(config.probe)
    candidate = Candidate(config, target.kind, tuple(target.devices))
    options: dict[str, Any] = {'xla_dump_to': str(directory), 'xla_dump_hlo_as_text': True}
    return candidate.compile(batch, dict(target.compiler_options) | options)


def compile_apart(
    config: ConfigDict, batch: int, compile_step: Compile = to_the_end
) -> StepMemory | None:
    """Compiles the step of a configuration for its described GPU, as far as needed.

    Args:
      config: the whole configuration, with the size and pack of a row; `probe.device` names a GPU.
      batch: clips per device.
      compile_step: what the process does.

    Returns:
      its memory; None when even compiling ran out of memory.

    Raises:
      RuntimeError: the compile failed; its process has said why.
    """
    # Forked from a process that has imported JAX and started nothing of it.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([__name__])
    receiving, sending = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as directory:
        arguments = (compile_step, config, batch, pathlib.Path(directory), sending)
        process = context.Process(target=_run, args=arguments, daemon=True)
        process.start()
        sending.close()
        try:
            return receiving.recv()
        except EOFError:
            raise RuntimeError(f'compiling a batch of {batch} ended without an answer') from None
        finally:
            process.kill()  # where this process was interrupted
            process.join()


def read(directory: pathlib.Path) -> StepMemory | None:
    """What XLA wrote of a step; None before the last file is there."""
    if not any(directory.glob(_LAST)):
        return None
    (assignment,), (program,) = (list(directory.glob(name)) for name in (_ASSIGNMENT, _PROGRAM))
    sizes = dict.fromkeys(('argument', 'output', 'temp', 'alias'), 0)
    for size, attributes in _ALLOCATION.findall(assignment.read_text()):
        kinds = re.sub(r'\|.*?\|', '', attributes)
        parameter, output = kinds.startswith('parameter'), kinds.endswith('maybe-live-out')
        sizes['argument'] += parameter * int(size)
        sizes['output'] += output * int(size)
        sizes['alias'] += (parameter and output) * int(size)
        sizes['temp'] += kinds.startswith('preallocated-temp') * int(size)
    return memory.of_text(program.read_text(), **sizes)


def _run(
    compile_step: Compile,
    config: ConfigDict,
    batch: int,
    directory: pathlib.Path,
    answer: Connection,
) -> None:
    first = threading.Lock()
    threading.Thread(target=_watch, args=(directory, answer, first), daemon=True).start()
    found = compile_step(config, batch, directory)
    first.acquire()
    answer.send(found)


def _watch(directory: pathlib.Path, answer: Connection, first: threading.Lock) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is the process that it started
    while (found := read(directory)) is None:
        parent.join(_POLL_SECONDS)
        if not parent.is_alive():
            os._exit(1)  # nobody waits for the answer
    first.acquire()
    answer.send(found)
    os._exit(0)
