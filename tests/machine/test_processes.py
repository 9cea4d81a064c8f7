"""Two real processes train one model: the numbers of one device, one writer, one common end."""

import json
import signal

import numpy as np
import pytest

from benchmarks import layouts
from posevid_jax.errors import InputError
from posevid_jax.machine import processes
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.processes import Place
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.modes.probe import probe
from posevid_jax.training import loop
from tests import toy

# A report that says 8 clips a device.
PROBED = {
    'probe__packs': ('off',), 'probe__memory_bytes': 10**9, 'probe__first_batch': 8,
    'probe__max_batch': 8, 'probe__ladder': 1, 'probe__timed_steps': 1, 'probe__verify': False,
    'probe__prove': False,
}  # fmt: skip


def test_two_processes_train_as_one_device_and_two_and_end_together(tmp_path, monkeypatch):
    monkeypatch.setattr(layouts, 'STEPS', 8)
    together, report = tmp_path / 'together', tmp_path / 'report/capacity_report.json'
    probe(toy.config(parallel='pmap', **PROBED), report.parent)
    pair = layouts.start_two(
        together, train__num_epochs=100_000, train__batch_size=0,
        train__capacity_report=str(report), **layouts.SETTINGS,
    )  # fmt: skip
    layouts.wait_for_steps(pair, together, layouts.STEPS)
    pair[1].send_signal(signal.SIGTERM)  # one is told, both end
    (out, err), (second_out, second_err) = (process.communicate(timeout=120) for process in pair)
    assert [process.returncode for process in pair] == [0, 0], err + second_err
    assert 'train.batch_size 16: ' in out  # which one device and two have below, too
    assert 'pmap on 2 x cpu in 2 processes' in out and 'stopped and saved' in out
    assert 'epoch' not in second_out

    for kind in ('jit', 'pmap'):
        layouts.alone(tmp_path / kind, kind)
        for key in ('loss', 'grad_norm'):
            found, wanted = (layouts.column(path, key) for path in (together, tmp_path / kind))
            np.testing.assert_allclose(found, wanted, rtol=2e-4, err_msg=f'{kind} {key}')

    # One process goes on, and one device evaluates; the evaluations along the way agree, too.
    done = int(out.partition('saved at step ')[2].partition(' ')[0])
    more = toy.config(train__num_epochs=done // 2 + 2, **layouts.SETTINGS)
    trained = loop.train_and_evaluate(more, together)
    evaluated = evaluate_run(toy.config(parallel='jit'), together)
    assert evaluated.loss == pytest.approx(trained.loss, rel=1e-5)
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
