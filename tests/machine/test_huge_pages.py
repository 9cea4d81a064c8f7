"""A program that starts itself anew in huge pages."""

import os
import pathlib
import platform
import subprocess
import sys

import pytest

from tests.modes.test_command_line import left_to_programs

PROGRAM = """
import os, pathlib, sys
from posevid_jax.machine import huge_pages
print('start', os.getpid(), sys.argv[1:], flush=True)
huge_pages.restart(pathlib.Path(sys.argv[1]))
print('end', sys.stdin.read(), os.environ.get('GLIBC_TUNABLES'))
"""
FILLED = """
import pathlib
from posevid_jax.machine import huge_pages
huge_pages.restart()
filled = bytearray(b'x') * 2**26
print(pathlib.Path('/proc/self/smaps_rollup').read_text())
"""
GLIBC = tuple(int(part) for part in platform.libc_ver()[1].split('.') if part)


def run(program, folder, *arguments, **variables):
    """Standard output of a program that is a file of its own and reads `input`."""
    path = folder / 'program.py'
    path.write_text(program)
    environment = {name: value for name, value in os.environ.items() if name != 'GLIBC_TUNABLES'}
    environment |= {'PYTHONPATH': str(pathlib.Path(__file__).parents[2])} | variables
    return subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        env=environment, input='input', capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_starts_anew_once_as_the_same_process_with_its_arguments_and_input(tmp_path):
    setting = tmp_path / 'enabled'
    setting.write_text('always [madvise] never\n')
    first, second, end = run(PROGRAM, tmp_path, setting, '--a=b c').splitlines()
    assert first == second
    assert first.endswith(f"['{setting}', '--a=b c']")
    assert end == 'end input glibc.malloc.hugetlb=1'


@pytest.mark.parametrize('found', ['[always] madvise never\n', 'always madvise [never]\n', None])
def test_stays_where_the_system_has_decided(tmp_path, found):
    setting = tmp_path / 'enabled'
    if found:
        setting.write_text(found)
    assert run(PROGRAM, tmp_path, setting).splitlines()[1] == 'end input None'


@pytest.mark.parametrize('chosen', ['', 'glibc.malloc.check=0'])
def test_stays_with_what_the_user_has_chosen(tmp_path, chosen):
    setting = tmp_path / 'enabled'
    setting.write_text('always [madvise] never\n')
    lines = run(PROGRAM, tmp_path, setting, GLIBC_TUNABLES=chosen).splitlines()
    assert lines[1] == f'end input {chosen}'


def test_stays_in_a_debugger(tmp_path):
    setting = tmp_path / 'enabled'
    setting.write_text('always [madvise] never\n')
    assert run('import pdb' + PROGRAM, tmp_path, setting).splitlines()[1] == 'end input None'


def test_goes_on_in_small_pages_where_it_cannot_start_anew(tmp_path):
    setting = tmp_path / 'enabled'
    setting.write_text('always [madvise] never\n')
    lost = f'import sys; sys.executable = {str(tmp_path / "no_python")!r}'
    assert run(lost + PROGRAM, tmp_path, setting).splitlines()[1] == 'end input None'


@pytest.mark.skipif(
    not left_to_programs() or GLIBC < (2, 35),
    reason='this system does not leave huge pages to programs, or its glibc is older',
)
def test_memory_is_in_huge_pages(tmp_path):
    (line,) = (x for x in run(FILLED, tmp_path).splitlines() if x.startswith('AnonHugePages'))
    assert int(line.split()[1]) > 60 * 1024  # kB
