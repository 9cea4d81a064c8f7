"""The table of modes: whole, and light where a mode needs little."""

import dataclasses
import inspect
import os
import pathlib
import subprocess
import sys

import pytest

from posevid_jax.capacity import batch_size
from posevid_jax.config import TRAINING_SECTIONS, get_config
from posevid_jax.machine import processes
from posevid_jax.modes import train
from posevid_jax.modes.table import COMMON_SECTIONS, MODES, Call
from posevid_jax.training import loop
from tests import toy

# What is imported by no mode that does without it, because it takes long.
HEAVY = ('jax', 'flax', 'optax', 'orbax', 'grain', 'scipy', 'sklearn', 'matplotlib', 'pandas')
IMPORTS = {
    'train': {'jax', 'flax', 'optax', 'orbax', 'grain', 'scipy'},
    'compare': {'scipy'},
    'inspect': {'scipy'},
    'prepare': set(),
}


@pytest.mark.parametrize('name', MODES)
def test_a_function_takes_what_its_row_says(name):
    mode = MODES[name]
    parameters = inspect.signature(mode.load()).parameters
    fields = {field.name for field in dataclasses.fields(Call)}
    assert set(mode.arguments) <= fields
    assert len(mode.arguments) <= len(parameters)
    assert list(parameters)[: len(mode.arguments)] == list(mode.arguments)
    assert all(
        parameter.default is not parameter.empty
        for parameter in list(parameters.values())[len(mode.arguments) :]
    )


def test_every_section_of_the_configuration_has_one_owner():
    owned = [section for mode in MODES.values() for section in mode.sections]
    assert sorted([*owned, *TRAINING_SECTIONS, *COMMON_SECTIONS]) == sorted(get_config())


@pytest.mark.parametrize('name', IMPORTS)
def test_a_mode_imports_what_it_uses(name):
    code = (
        'import sys\nfrom posevid_jax.modes.table import MODES\n'
        f'assert not set({HEAVY}) & set(sys.modules), "the table itself"\n'
        f'MODES[{name!r}].load()\n'
        f'print(*(package for package in {HEAVY} if package in sys.modules))\n'
        f'print(*(m for m in sys.modules if m.startswith("posevid_jax.modes.")))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    packages, modes = done.stdout.splitlines()
    assert set(packages.split()) == IMPORTS[name]
    assert set(modes.split()) == {'posevid_jax.modes.table', f'posevid_jax.modes.{name}'}


def test_flags_are_understood_without_anything_heavy():
    code = (
        'import sys\nimport posevid_jax.main\n'
        f'print(*(package for package in {HEAVY} if package in sys.modules))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_training_takes_the_batch_size_of_a_report(monkeypatch):
    adopted = toy.config(train__batch_size=32)
    monkeypatch.setattr(batch_size, 'resolve', lambda config: adopted)
    monkeypatch.setattr(loop, 'train_and_evaluate', lambda config, workdir: (config, workdir))
    workdir = pathlib.Path('run')
    assert train.train(toy.config(train__batch_size=0), workdir) == (adopted, workdir)


@pytest.mark.parametrize(('name', 'prepared'), [('train', True), ('prepare', False)])
def test_devices_are_prepared_before_a_mode_that_uses_them(name, prepared):
    code = """
import sys
from posevid_jax import main
from posevid_jax.machine import compilation_cache, determinism, processes
from posevid_jax.modes import command_line, table
determinism.apply = lambda wanted: print('determinism', wanted)
processes.start = lambda place: print('processes', place)
compilation_cache.enable = lambda folder: print('cache', folder)
table.Mode.__call__ = lambda mode, call: print('mode', call.workdir)
command_line.parse_flags(sys.argv)
main._main(['posevid'])
"""
    flags = [f'--mode={name}', '--config=demo', '--workdir=w', '--config.train.deterministic=True']
    variables = os.environ | {
        'JAX_COORDINATOR_ADDRESS': 'localhost:1234',
        'JAX_NUM_PROCESSES': '2',
        'JAX_PROCESS_ID': '1',
    }
    done = subprocess.run(
        [sys.executable, '-c', code, *flags, '--config.compilation_cache=here'],
        capture_output=True, text=True, env=variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    place = processes.Place('localhost:1234', 2, 1)
    before = ['determinism True', f'processes {place}', 'cache here'] if prepared else []
    assert done.stdout.splitlines() == [*before, 'mode w']
