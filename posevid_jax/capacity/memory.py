"""The memory of a compiled step: bytes on one device, and what the compiler did to save some."""

import dataclasses
import re

import jax

# XLA names the copy that it computes a second time after the original: `fusion.7.remat2`.
_RECOMPUTED = re.compile(r'^\s*(?:ROOT )?%?[\w.-]*\.remat[\w.]* = ', re.MULTILINE)
_DOUBLE = re.compile(r'\bf64\[')
_ALL_REDUCE = re.compile(r' all-reduce(?:-start)?\(')


@dataclasses.dataclass(frozen=True)
class StepMemory:
    """Bytes on one device, and counts of the optimised program.

    Attributes:
      argument: state and batch.
      output: new state and metrics.
      temp: activations, gradients, workspaces, buffers of the all-reduces.
      alias: outputs that take the place of donated arguments.
      recomputed: instructions that XLA computes twice because storing them did not fit.
      all_reduces: collective sums.
      doubles: float64 arrays, of which there should be none.
    """

    argument: int
    output: int
    temp: int
    alias: int
    recomputed: int
    all_reduces: int
    doubles: int

    @property
    def bytes(self) -> int:
        """The bytes that have to fit."""
        return self.argument + self.output + self.temp - self.alias


def of_compiled(compiled: jax.stages.Compiled) -> StepMemory:
    """Reads a compiled step; nothing runs.

    The sum is the allocator's view: `peak_memory_in_bytes` says the same for GPUs, and on a CPU
    leaves the temporaries out.
    """
    sizes, program = compiled.memory_analysis(), compiled.as_text()
    assert sizes is not None and program is not None  # on a CPU and a GPU they are there
    return StepMemory(
        argument=sizes.argument_size_in_bytes,
        output=sizes.output_size_in_bytes,
        temp=sizes.temp_size_in_bytes,
        alias=sizes.alias_size_in_bytes,
        recomputed=len(_RECOMPUTED.findall(program)),
        all_reduces=len(_ALL_REDUCE.findall(program)),
        doubles=len(_DOUBLE.findall(program)),
    )
