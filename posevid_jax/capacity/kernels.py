"""What a compiled step does on a GPU, read from XLA's text: its kernels, their bytes and products.

The text is a list of computations, each a list of instructions with the shape of their result:

    %fusion.2 = bf16[64,96]{1,0} fusion(%a, %b), kind=kLoop, calls=%fused_computation.2

Every instruction of the entry computation is a kernel or a copy, but for names of memory (tuple,
bitcast, ...). So is every instruction of a loop's body, once a round; what a fusion calls is part
of the fusion.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_COMPUTATION = re.compile(r'^(ENTRY )?%?([\w.-]+) .*\{$')
# The shape of a tuple ends where the name of an operation and its bracket follow.
_INSTRUCTION = re.compile(r'^\s+(?:ROOT )?%?([\w.-]+) = (\(.*?\)|\S+) ([a-z][\w-]*)\((.*)$')
_ARRAY = re.compile(r'\b([a-z]+\d*)(?:e\d+m\d+\w*)?\[([\d,]*)\]')
_OPERAND = re.compile(r'%([\w.-]+)')
_TARGET = re.compile(r'custom_call_target="([^"]*)"')
_CALLS = re.compile(r'calls=%?([\w.-]+)')
# Computations that run by themselves when an instruction does.
_RUNS = re.compile(
    r'(?:to_apply|calls|body|condition|(?:true|false)_computation)=%?([\w.-]+)'
    r'|branch_computations=\{([^}]*)\}'
)
_TRIPS = re.compile(r'"known_trip_count": ?\{"n": ?"(\d+)"')
_CONTRACTED = re.compile(r'lhs_contracting_dim(?:ension)?s"?[=:] ?[\[{]"?([\d,"]*)[\]}]')
_SCORES = re.compile(r'"intermediate_tensor_shape": ?\{[^}]*?"dimensions": ?(\[[^\]]*\])')
_TRITON = '__gpu$xla.gpu.triton'
_KERNEL = re.compile(r'name = "(\w+)"')  # of one of this project's own, and what it says of itself
_STATED_FLOP = re.compile(r'\\22flop\\22: \\22(\d+)')
_WORKSPACE = ('s8', 'u8')

_NO_KERNEL = frozenset(
    {'parameter', 'constant', 'tuple', 'get-tuple-element', 'bitcast', 'after-all', 'domain'}
    | {'add-dependency', 'opt-barrier', 'partition-id', 'replica-id'}
)
_CALLERS = frozenset(('while', 'call', 'conditional', 'async-start'))
_BITS = {'pred': 8}

# What a kernel is, by the first pattern found in `operation name`; XLA names a fusion after what is
# in it, and its generated row-wise kernels (softmax, norms) `fusion` alone.
_KINDS = {
    'attention': r'__cudnn\$fmha|window_attention',
    'norms': r'add_norm',
    'products': r'__cublas|__cutlass|^dot |gemm|^convolution |__cudnn\$conv',
    'collectives': r'^(all-|reduce-scatter|collective)',
    'reductions': r'reduce',
    'transposes': r'transpose',
    'broadcasts': r'broadcast',
    'copies': r'^copy|copy|concatenate|slice|pad',
    'rows': r'^fusion fusion',
}
_OTHER = 'elementwise'
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}


class Kernel(NamedTuple):
    """An instruction that runs on the device.

    Attributes:
      name: XLA's.
      kind: a key of the table of kinds, or 'elementwise'.
      times: how often it runs in a step.
      bytes: that it writes each time; the workspace of a library's product is not counted.
      flop: of its matrix products each time; nothing else is counted.
    """

    name: str
    kind: str
    times: int
    bytes: int
    flop: int


class Work(NamedTuple):
    """Kernels of one kind, or of a step: how many run, and what they write and multiply."""

    kernels: int
    bytes: int
    flop: int


class _Instruction(NamedTuple):
    name: str
    shape: str
    operation: str
    rest: str  # operands and attributes


def kernels(program: str) -> list[Kernel]:
    """The kernels of an optimised program, `Compiled.as_text()` of a GPU.

    A loop whose number of rounds the compiler did not find counts once, and every branch of a
    condition counts.
    """
    computations, entry = _read(program)
    return [
        Kernel(
            name=each.name,
            kind=_kind(each),
            times=times,
            bytes=_bytes(each),
            flop=_flop(each, computation, computations),
        )
        for each, times, computation in _running(entry, 1, computations)
    ]


def total(found: list[Kernel]) -> Work:
    """The sum over kernels."""
    return Work(
        sum(k.times for k in found),
        sum(k.times * k.bytes for k in found),
        sum(k.times * k.flop for k in found),
    )


def by_kind(found: list[Kernel]) -> dict[str, Work]:
    """The sums of each kind, the one that writes most first."""
    sums = {kind: total([k for k in found if k.kind == kind]) for kind in {k.kind for k in found}}
    return dict(sorted(sums.items(), key=lambda item: (-item[1].bytes, item[0])))


_Computations = dict[str, dict[str, _Instruction]]


def _read(program: str) -> tuple[_Computations, str]:
    computations: _Computations = {}
    entry = current = ''
    for line in program.splitlines():
        if (match := _INSTRUCTION.match(line)) and current:
            computations[current][match[1]] = _Instruction(*match.groups())
        elif match := _COMPUTATION.match(line):
            current = match[2]
            computations[current] = {}
            entry = current if match[1] else entry
    return computations, entry


def _running(
    name: str, times: int, computations: _Computations
) -> Iterator[tuple[_Instruction, int, str]]:
    """Instructions that run when a computation does, how often, and the computation they are in."""
    for each in computations[name].values():
        if each.operation in _CALLERS:
            trips = _TRIPS.search(each.rest) if each.operation == 'while' else None
            for one, several in _RUNS.findall(each.rest):
                for called in [one] if one else _names(several):
                    yield from _running(
                        called, times * (int(trips[1]) if trips else 1), computations
                    )
        elif each.operation not in _NO_KERNEL and not each.operation.endswith(('-done', '-update')):
            yield each, times, name


def _names(listed: str) -> list[str]:
    return [name.strip().removeprefix('%') for name in listed.split(',')]


def _kind(each: _Instruction) -> str:
    target = _TARGET.search(each.rest) if each.operation == 'custom-call' else None
    text = target[1] if target else f'{each.operation} {each.name}'
    if text == _TRITON and (kernel := _KERNEL.search(each.rest)):
        text = kernel[1]
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(text)), _OTHER)


def _bytes(each: _Instruction) -> int:
    arrays = _ARRAY.findall(each.shape)
    if each.operation == 'custom-call' and each.shape.startswith('('):
        arrays = [array for array in arrays if array[0] not in _WORKSPACE] or arrays
    return sum(_bits(dtype) * math.prod(_sizes(sizes)) for dtype, sizes in arrays) // 8


def _bits(dtype: str) -> int:
    return _BITS.get(dtype) or int(re.sub(r'\D', '', dtype) or 0)


def _sizes(listed: str) -> list[int]:
    return [int(size) for size in listed.split(',') if size]


def _flop(each: _Instruction, computation: str, computations: _Computations) -> int:
    """2 x the size of a product's result x the size of what is summed over."""
    if each.operation == 'fusion':
        called = _CALLS.search(each.rest)
        inside = called[1] if called else ''
        parts = computations.get(inside, {}).values()
        return sum(_flop(part, inside, computations) for part in parts)
    if each.operation == 'custom-call' and (scores := _SCORES.search(each.rest)):
        # Two products forward; five backward, which computes the scores anew.
        products = 5 if 'Backward' in each.rest else 2
        width = _array_of(each.rest, computations[computation])[-1]
        return 2 * products * math.prod(map(int, json.loads(scores[1]))) * width
    if stated := _STATED_FLOP.search(each.rest):
        return int(stated[1])
    contracted = _CONTRACTED.search(each.rest)
    if not contracted:
        return 0
    left = _array_of(each.rest, computations[computation])
    summed = math.prod(left[axis] for axis in _sizes(contracted[1].replace('"', '')))
    (_, sizes), *_ = _ARRAY.findall(each.shape)
    return 2 * math.prod(_sizes(sizes)) * summed


def _array_of(operands: str, known: dict[str, _Instruction]) -> list[int]:
    """Sizes of the first operand."""
    first = _OPERAND.search(operands)
    assert first is not None
    _, sizes = _ARRAY.findall(known[first[1]].shape)[0]
    return _sizes(sizes)
