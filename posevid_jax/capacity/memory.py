"""The memory of a compiled step: bytes on one device, and what the compiler did to save some."""

import dataclasses
import math
import re

import jax

# XLA names the copy that it computes a second time after the original: `fusion.7.remat2`.
_RECOMPUTED = re.compile(r'^\s*(?:ROOT )?%?[\w.-]*\.remat[\w.]* = ', re.MULTILINE)
_DOUBLE = re.compile(r'\bf64\[')
_ALL_REDUCE = re.compile(r' all-reduce(?:-start)?\(')
# The first output, the gradient of the queries.
_ATTENTION = re.compile(r' = \(\w+\[([\d,]+)\].*custom_call_target="__cudnn\$fmha\w*Backward"')


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
      attention_elements: numbers in the queries of the largest fused attention; 0 without one.
    """

    argument: int
    output: int
    temp: int
    alias: int
    recomputed: int
    all_reduces: int
    doubles: int
    attention_elements: int = 0

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
    return of_text(
        program,
        argument=sizes.argument_size_in_bytes,
        output=sizes.output_size_in_bytes,
        temp=sizes.temp_size_in_bytes,
        alias=sizes.alias_size_in_bytes,
    )


def of_text(program: str, **sizes: int) -> StepMemory:
    """From the optimised program and the sizes of its buffers, as `StepMemory` names them."""
    return StepMemory(
        **sizes,
        recomputed=len(_RECOMPUTED.findall(program)),
        all_reduces=len(_ALL_REDUCE.findall(program)),
        doubles=len(_DOUBLE.findall(program)),
        attention_elements=max(map(_elements, _ATTENTION.findall(program)), default=0),
    )


def ran_out(error: Exception) -> bool:
    """Whether an error of JAX says that memory ran out."""
    return 'RESOURCE_EXHAUSTED' in str(error)


def _elements(dimensions: str) -> int:
    return math.prod(map(int, dimensions.split(',')))
