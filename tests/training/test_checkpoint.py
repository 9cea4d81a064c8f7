"""Checkpoints that were damaged, or that cannot be written; which ones stay."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys

import flax.struct
import jax
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.training import checkpoint, loop
from posevid_jax.training import experiment as experiments
from posevid_jax.training.checkpoint import Checkpoints, Keep
from tests import toy

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture(scope='module')
def experiment():
    return experiments.build(toy.config(model__stat_pool__hidden_sizes=(64,), train__num_epochs=9))


@pytest.fixture(scope='module')
def saved(experiment, tmp_path_factory):
    """A run directory with checkpoints of the steps 1, 2 and 3, the best of them 1."""
    workdir = tmp_path_factory.mktemp('saved')
    write(experiment, workdir, steps=3, keep=Keep(last=2))
    return workdir


def write(experiment, workdir, steps, keep, score=lambda step: -step):
    checkpoints = Checkpoints(workdir, keep)
    state, data = experiment.initial_state(), experiment.data()
    for step in range(1, steps + 1):
        next(data)
        state = state.replace(step=state.step + 1, params=jax.tree.map(np.cos, state.params))
        checkpoints.save(state, data, score(step))
    checkpoints.wait()
    return checkpoints


def read(experiment, workdir):
    """State and position in the data of the newest good checkpoint."""
    checkpoints, data = Checkpoints(workdir, Keep()), experiment.data()
    state = checkpoints.restore(checkpoints.last_step(), experiment.abstract_state(), data)
    checkpoints.close()
    return jax.device_get(state), data.get_state()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize('harm', [flip, truncate, pathlib.Path.unlink])
def test_whatever_is_damaged_another_good_state_is_used_or_the_same_one(
    experiment, saved, tmp_path, capsys, harm
):
    expected, whole = {}, tmp_path / 'whole'
    shutil.copytree(saved, whole)
    expected[3] = read(experiment, whole)
    shutil.rmtree(whole / 'checkpoints' / '3')
    expected[2] = read(experiment, whole)
    newest = saved / 'checkpoints' / '3'
    fallen_back = 0
    for file in sorted(path for path in newest.rglob('*') if path.is_file()):
        workdir = tmp_path / 'damaged'
        shutil.rmtree(workdir, ignore_errors=True)
        shutil.copytree(saved, workdir)
        harm(workdir / file.relative_to(saved))
        capsys.readouterr()
        state, position = read(experiment, workdir)
        jax.tree.map(np.testing.assert_array_equal, state, expected[int(state.step)][0])
        assert position == expected[int(state.step)][1]
        warned = capsys.readouterr().err
        assert (state.step == 2) == ('warning: ' in warned and 'last good one is step 2' in warned)
        fallen_back += state.step == 2
    assert fallen_back >= 10


def test_when_all_are_damaged_nothing_is_touched(experiment, saved, tmp_path):
    shutil.copytree(saved, tmp_path / 'run')
    for step in (1, 2, 3):
        flip(tmp_path / f'run/checkpoints/{step}/state/manifest.ocdbt')
    for _ in range(2):
        with pytest.raises(InputError, match=r'3: damaged: state/manifest\.ocdbt .*no other'):
            Checkpoints(tmp_path / 'run', Keep())
    assert {path.name for path in (tmp_path / 'run/checkpoints').iterdir()} == {'1', '2', '3'}


def test_reading_a_damaged_one_stops_and_names_the_others(experiment, saved, tmp_path):
    shutil.copytree(saved, tmp_path / 'run')
    flip(tmp_path / 'run/checkpoints/1/state/manifest.ocdbt')
    reader = Checkpoints(tmp_path / 'run')
    with pytest.raises(InputError, match=r'1: damaged: .*other checkpoints: 2, 3'):
        reader.restore(reader.resolve('best'), experiment.abstract_state())
    reader.close()


def test_the_newest_the_best_and_every_so_many_stay(experiment, tmp_path):
    checkpoints = write(
        experiment,
        tmp_path,
        steps=9,
        keep=Keep(last=2, every_steps=4),
        score=lambda step: -abs(step - 3),
    )
    checkpoints.close()
    kept = {int(path.name) for path in (tmp_path / 'checkpoints').iterdir()}
    assert kept == {3, 4, 8, 9}


class OneArray(flax.struct.PyTreeNode):
    """A state of one array: Orbax closes the loop of its writes when the first fails, and those
    that fail after it then complain of a closed loop."""

    array: np.ndarray
    step: int = flax.struct.field(pytree_node=False, default=4)


def test_a_full_disk_stops_with_one_line_and_leaves_the_last_good_one(experiment, saved, tmp_path):
    shutil.copytree(saved, tmp_path / 'run')
    checkpoints, data = Checkpoints(tmp_path / 'run', Keep()), experiment.data()
    large = OneArray(jax.random.normal(jax.random.key(0), (64, 64)))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Like a full disk: writes fail once a file would be larger than this.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(InputError, match=r'step 4 cannot be written .*last good one is 3'):
            checkpoints.save(large, data, 0.0)
            checkpoints.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert read(experiment, tmp_path / 'run')[0].step == 3


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match=r'file: cannot be used \(File exists\)'):
        loop.train_and_evaluate(toy.config(), tmp_path / 'file')


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_read_only_directory_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r'cannot be used \(Permission denied'):
        loop.train_and_evaluate(toy.config(), tmp_path)


@pytest.mark.parametrize('key', ['every_steps', 'keep_last', 'keep_every_epochs'])
def test_numbers_out_of_range_are_named(key):
    with pytest.raises(InputError, match=rf'checkpoint\.{key}: found -1'):
        checkpoint.check(toy.config(**{f'checkpoint__{key}': -1}).checkpoint)


def test_the_first_signal_waits_for_the_step_and_the_second_does_not():
    program = (
        'import time\n'
        'from posevid_jax.machine.interrupt import Interrupt\n'
        'with Interrupt() as interrupt:\n'
        '    print("ready", flush=True)\n'
        '    while True:\n'
        '        if interrupt.requested:\n'
        '            print("noted", flush=True)\n'
        '        time.sleep(0.01)\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b'ready\n'
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b'noted\n'
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert b'SIGTERM: finishing the step' in err
