"""The parts of the proof, in order of importance: a part is a row of the table."""

import dataclasses
import pathlib
from typing import Any

Row = dict[str, Any]
"""What was found at a time; a part is a generator of them, so that none is lost when it is cut."""


@dataclasses.dataclass(frozen=True)
class Context:
    """What every part is called with.

    Attributes:
      dry: walk the same code at toy size, on any device.
      folder: of this part, for whatever it writes.
      data: an archive of clips to train on; '' for the synthetic default.
    """

    dry: bool
    folder: pathlib.Path
    data: str = ''


@dataclasses.dataclass(frozen=True)
class Part:
    """A part, which is a process of its own.

    Attributes:
      name: of its files.
      title: what it shows.
      function: `module:function` of this package, from a `Context` to rows.
      seconds: it may take; what is not done by then is not known.
      needs: packages that must be installed; without them the part is skipped.
      on_host: whether JAX is kept off the GPU, which another framework has for itself.
    """

    name: str
    title: str
    function: str
    seconds: int
    needs: tuple[str, ...] = ()
    on_host: bool = False


PARTS = (
    Part('parity', 'published numbers on this device', 'parity:rows', 60),
    Part('bytes', 'predicted and measured bytes of steps', 'memory:predicted_rows', 120),
    Part('largest', 'the probe, its largest batch and the next one', 'memory:largest_rows', 120),
    Part('steps', 'throughput of the step', 'speed:step_rows', 150),
    Part('torch', 'the same networks in PyTorch', 'peers:rows', 180, ('torch',), True),
    Part('attention', 'fused attention against plain', 'speed:attention_rows', 60),
    Part('deterministic', 'the cost of determinism', 'speed:deterministic_rows', 60),
    Part('devices', 'a run made here, evaluated on a CPU, and back', 'runs:device_rows', 90),
    Part('export', 'export and stream', 'runs:export_rows', 60),
    Part('loader', 'the loader against the step', 'runs:loader_rows', 60),
    Part('training', 'whole trainings', 'runs:training_rows', 180),
)


def find(name: str) -> Part:
    return next(part for part in PARTS if part.name == name)
