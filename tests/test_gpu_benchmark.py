"""The one command that proves a GPU: which parts are run, and what is kept of them."""

import importlib.util

import pytest

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu.parts import PARTS
from posevid_jax.runs.files import read_json, write_json

NAMES = [part.name for part in PARTS]


def fake(found):
    """A part's process that writes a status, or none."""

    class Process:
        pid, returncode = 2**30, 3

        def __init__(self, command, **_):
            self.part, self.out = command[3:5]

        def wait(self, seconds=None):
            status = found.get(self.part, 'done')
            if status == 'slow':
                write_json(gpu.pathlib.Path(self.out, f'{self.part}.json'), row('running'))
                if seconds is not None:
                    raise gpu.subprocess.TimeoutExpired('part', seconds)
            elif status:
                write_json(gpu.pathlib.Path(self.out, f'{self.part}.json'), row(status))

    return Process


def row(status):
    return {'part': 'x', 'status': status, 'dry': True, 'rows': [{'time': {'step_ms': 2.5}}]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command with processes that write what a dictionary says, by name."""

    def run(found, *arguments):
        given = ['gpu', '--dry', f'--out={tmp_path}', *arguments]
        monkeypatch.setattr(gpu.sys, 'argv', given)
        monkeypatch.setattr(gpu.subprocess, 'Popen', fake(found))
        code = gpu.main()
        return code, {name: read_json(tmp_path / f'{name}.json')['status'] for name in NAMES}

    monkeypatch.setattr(gpu.importlib.util, 'find_spec', lambda name: None)
    monkeypatch.setattr(gpu.report, 'about', lambda: {'gpu': None, 'host': '', 'date': ''})
    return run


def test_what_is_done_is_not_run_again(run, tmp_path):
    code, first = run({'bytes': 'failed', 'steps': 'slow', 'export': ''})
    assert code == 1 and first['torch'] == 'skipped'
    assert (first['bytes'], first['steps'], first['export']) == ('failed', 'cut', 'failed')
    assert read_json(tmp_path / 'steps.json')['rows'] == row('')['rows']  # kept
    assert 'step_ms' in (tmp_path / 'gpu.txt').read_text()
    again = {name: 'failed' for name, status in first.items() if status == 'done'}
    code, second = run(again)
    assert code == 0 and set(second.values()) == {'done', 'skipped'}
    assert len(read_json(tmp_path / 'gpu.json')['parts']) == len(PARTS)


def test_no_part_begins_without_time(run):
    code, found = run({}, '--minutes=0.1')
    assert code == 1 and set(found.values()) == {'no time', 'skipped'}


@pytest.mark.parametrize('part', PARTS, ids=NAMES)
def test_parts_name_functions(part):
    module, _, function = part.function.partition(':')
    if any(importlib.util.find_spec(name) is None for name in part.needs):
        pytest.skip(f'{part.needs[0]} is not installed')
    assert callable(getattr(importlib.import_module(f'benchmarks.gpu.{module}'), function))
