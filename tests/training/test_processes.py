"""Two real processes train one model: the numbers of one device, one writer, one common end."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.inference.evaluate_run import evaluate_run
from posevid_jax.training import loop, processes
from posevid_jax.training.parallel import Parallel
from posevid_jax.training.processes import Place
from tests import toy

ROOT = pathlib.Path(__file__).parent.parent.parent
STEPS = 20
# As on the command line below; a constant rate does not ask how many epochs will follow.
SETTINGS = {
    'train__schedule': 'constant',
    'train__log_every_steps': 1,
    'data__synthetic__num_videos': 6,
}


def start_two(workdir, settings):
    with socket.socket() as free:
        free.bind(('localhost', 0))
        port = free.getsockname()[1]
    # One device each: conftest asks for two a process.
    environment = os.environ | {'XLA_FLAGS': '', 'PYTHONPATH': str(ROOT)}
    program = (
        'import json, os, pathlib, sys\n'
        'from posevid_jax.training import loop, processes\n'
        'from tests import toy\n'
        'workdir, port, index, settings = sys.argv[1:]\n'
        "place = processes.find_place(f'localhost:{port}', 2, int(index), os.environ)\n"
        'processes.start(place)\n'
        'loop.train_and_evaluate(toy.config(**json.loads(settings)), pathlib.Path(workdir))\n'
    )
    return [
        subprocess.Popen(
            [sys.executable, '-c', program, workdir, str(port), str(index), json.dumps(settings)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def records(workdir):
    path = workdir / 'metrics.jsonl'
    # The last line may still be in the making.
    return [json.loads(line) for line in path.read_text().split('\n')[:-1]] if path.exists() else []


def test_two_processes_train_as_one_device_and_two_and_end_together(tmp_path):
    together = tmp_path / 'together'
    pair = start_two(together, SETTINGS | {'train__num_epochs': 100_000})
    deadline = time.monotonic() + 240
    while len(records(together)) < STEPS and time.monotonic() < deadline:
        assert all(process.poll() is None for process in pair), pair[0].communicate()
        time.sleep(0.1)
    pair[1].send_signal(signal.SIGTERM)  # one is told, both end
    (out, err), (second_out, second_err) = (process.communicate(timeout=120) for process in pair)
    assert [process.returncode for process in pair] == [0, 0], err + second_err
    assert 'pmap on 2 x cpu in 2 processes' in out and 'stopped and saved' in out
    assert 'epoch' not in second_out

    for kind in ('jit', 'pmap'):
        alone = toy.config(parallel=kind, train__num_epochs=STEPS // 2, **SETTINGS)
        loop.train_and_evaluate(alone, tmp_path / kind)
        for key in ('loss', 'grad_norm'):
            found, wanted = (
                [record[key] for record in records(path)[:STEPS]]
                for path in (together, tmp_path / kind)
            )
            np.testing.assert_allclose(found, wanted, rtol=2e-4, err_msg=f'{kind} {key}')

    # One process goes on, and one device evaluates; the evaluations along the way agree, too.
    done = int(out.partition('saved at step ')[2].partition(' ')[0])
    more = toy.config(train__num_epochs=done // 2 + 2, **SETTINGS)
    trained = loop.train_and_evaluate(more, together)
    evaluated = evaluate_run(toy.config(parallel='jit'), together)
    assert evaluated['loss'] == pytest.approx(trained['loss'], rel=1e-5)
    histories = [
        json.loads((path / 'history.json').read_text()) for path in (together, tmp_path / 'jit')
    ]
    for found, wanted in zip(*histories, strict=False):
        assert found['val']['loss'] == pytest.approx(wanted['val']['loss'], rel=1e-4)


SLURM = {
    'SLURM_STEP_NUM_TASKS': '4',
    'SLURM_STEP_NODELIST': 'gpu[07,09-11]',
    'SLURM_STEP_TASKS_PER_NODE': '1(x4)',
    'SLURM_JOB_ID': '4097',
    'SLURM_PROCID': '2',
    'SLURM_LOCALID': '0',
}
KUBERNETES = {
    'JOB_COMPLETION_INDEX': '1',
    'JAX_COORDINATOR_ADDRESS': 'job-0.net:1234',
    'JAX_NUM_PROCESSES': '2',
}


@pytest.mark.parametrize(
    ('flags', 'environment', 'place'),
    [
        ((None, None, None), {}, None),
        (('a:1', 2, 1), SLURM, Place('a:1', 2, 1)),
        ((None, None, None), SLURM, Place('gpu07:61441', 4, 2)),
        (
            (None, None, None),
            SLURM | {'SLURM_STEP_TASKS_PER_NODE': '2(x2)', 'SLURM_LOCALID': '1'},
            Place('gpu07:61441', 4, 2, [1]),
        ),
        (
            (None, None, None),
            SLURM | {'SLURM_STEP_NODELIST': 'a1,b2', 'SLURM_STEP_TASKS_PER_NODE': '2(x2)'},
            Place('a1:61441', 4, 2, [0]),
        ),
        # A batch script outside of any step, and an indexed job of pods on their own.
        ((None, None, None), {'SLURM_NTASKS': '4', 'SLURM_PROCID': '0'}, None),
        ((None, None, None), {'JOB_COMPLETION_INDEX': '1'}, None),
        ((None, None, None), KUBERNETES, Place('job-0.net:1234', 2, 1)),
    ],
)
def test_a_process_finds_its_place(flags, environment, place):
    assert processes.find_place(*flags, environment) == place


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (('a:1', 2, None), 'expected all three'),
        (('a:1', 2, 2), 'found process 2 of 2'),
        (('a', 2, 0), "found 'a', expected HOST:PORT"),
    ],
)
def test_a_place_that_cannot_be_is_named(flags, message):
    with pytest.raises(InputError, match=message):
        processes.find_place(*flags, {})


def test_jit_does_not_span_processes():
    class Device:
        device_kind = 'cpu'

        def __init__(self, index):
            self.process_index = index

    with pytest.raises(InputError, match="parallel: found 'jit' with 2 processes"):
        Parallel('jit', [Device(0), Device(1)])
    with pytest.raises(InputError, match=r'multiple of the 2 devices .*4 or 6'):
        Parallel('auto', [Device(0), Device(1)]).check_batch_size('train.batch_size', 5)
