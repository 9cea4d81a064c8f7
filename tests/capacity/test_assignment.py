"""What XLA writes of the buffers of a step, and the process that ends once it is there."""

import time

import pytest

from configs import probe as probe_config
from posevid_jax.capacity import assignment
from posevid_jax.capacity.memory import StepMemory

NAME = 'module_0001.jit_train_step.sm_9.0a_gpu_after_optimizations'
ASSIGNMENT = """BufferAssignment:
allocation 0: size 448, parameter 530, shape |f32[4,28]| at ShapeIndex {}:
 value: <21848 batch @0> (size=448,offset=0): f32[4,28]{1,0}
allocation 1: size 96, parameter 1, shape |f32[24]| at ShapeIndex {}, maybe-live-out:
 value: <22475 kernel @0> (size=96,offset=0): f32[24]{0}
allocation 2: size 16, output shape is |(f32[24], s32[])|, maybe-live-out:
 value: <24454 tuple{} @0> (size=16,offset=0): (f32[24]{0}, s32[])
allocation 3: size 4, maybe-live-out:
 value: <24471 copy.1263 @0> (size=4,offset=0): s32[]
allocation 4: size 1000, preallocated-temp:
 value: <23565 fusion.1 @0> (size=1000,offset=0): f32[250]{0}
allocation 5: size 8, constant:
 value: <1 constant.1 @0> (size=8,offset=0): f32[2]{0}
allocation 6: size 12, thread-local:
 value: <2 add.1 @0> (size=4,offset=0): f32[]
"""
PROGRAM = '  %fusion.1.remat = f32[250]{0} fusion(%p0), kind=kLoop, calls=%c\n'


def write(directory, *, finished):
    (directory / f'{NAME}.txt').write_text(PROGRAM)
    (directory / f'{NAME}-buffer-assignment.txt').write_text(ASSIGNMENT)
    if finished:
        (directory / f'{NAME}-memory-usage-report.txt').write_text('')


EXPECTED = StepMemory(
    argument=448 + 96, output=96 + 16 + 4, temp=1000, alias=96, recomputed=1, all_reduces=0,
    doubles=0, attention_elements=0,
)  # fmt: skip


def test_buffers_are_counted_as_the_compiler_counts_them(tmp_path):
    write(tmp_path, finished=True)
    assert assignment.read(tmp_path) == EXPECTED


def test_what_is_not_all_written_is_not_read(tmp_path):
    assert assignment.read(tmp_path) is None
    write(tmp_path, finished=False)
    assert assignment.read(tmp_path) is None


def _writes_and_never_ends(config, batch, directory):
    write(directory, finished=True)
    time.sleep(600)


def _ends(config, batch, directory):
    return None if batch == 9 else EXPECTED


def _fails(config, batch, directory):
    raise ValueError('no such GPU')


@pytest.mark.parametrize('run', [_writes_and_never_ends, _ends])
def test_a_compile_ends_when_the_buffers_are_known_or_with_itself(run):
    assert assignment.compile_apart(probe_config.get_config(), 8, run) == EXPECTED


def test_a_compile_that_runs_out_of_memory_and_one_that_fails():
    assert assignment.compile_apart(probe_config.get_config(), 9, _ends) is None
    with pytest.raises(RuntimeError, match='a batch of 8 ended without an answer'):
        assignment.compile_apart(probe_config.get_config(), 8, _fails)
