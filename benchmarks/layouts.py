"""The same training on one device, on two, and in two processes; its losses side by side.

python -m benchmarks.layouts
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np

from posevid_jax.training import loop
from tests import toy

ROOT = pathlib.Path(__file__).parents[1]
STEPS = 20
# Two steps an epoch; a constant rate does not ask how many epochs will follow.
SETTINGS = {'train__schedule': 'constant', 'train__log_every_steps': 1}
_PROGRAM = """
import json, os, pathlib, sys
from posevid_jax.machine import processes
from posevid_jax.modes.train import train
from tests import toy
workdir, port, index, settings = sys.argv[1:]
processes.start(processes.find_place(f'localhost:{port}', 2, int(index), os.environ))
train(toy.config(**json.loads(settings)), pathlib.Path(workdir))
"""


def alone(workdir: pathlib.Path, kind: str) -> None:
    """Trains for `STEPS` in this process, which has two devices."""
    config = toy.config(parallel=kind, train__num_epochs=STEPS // 2, **SETTINGS)
    loop.train_and_evaluate(config, workdir)


def start_two(workdir: pathlib.Path, **settings) -> list[subprocess.Popen]:
    """Two processes with a device each that train together."""
    with socket.socket() as free:
        free.bind(('localhost', 0))
        port = free.getsockname()[1]
    one = os.environ['XLA_FLAGS'].replace('device_count=2', 'device_count=1')
    environment = os.environ | {'XLA_FLAGS': one, 'JAX_PLATFORMS': 'cpu', 'PYTHONPATH': str(ROOT)}
    arguments = [str(workdir), str(port)]
    return [
        subprocess.Popen(
            [sys.executable, '-c', _PROGRAM, *arguments, str(index), json.dumps(settings)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def wait_for_steps(pair: list[subprocess.Popen], workdir: pathlib.Path, steps: int) -> None:
    """Returns when so many steps are logged.

    Raises:
      RuntimeError: a process ended before, or they have come to a stand.
    """
    deadline = time.monotonic() + 300
    while len(records(workdir)) < steps:
        if time.monotonic() > deadline or any(process.poll() is not None for process in pair):
            for process in pair:
                process.kill()
            raise RuntimeError('\n'.join(process.communicate()[1] for process in pair))
        time.sleep(0.1)


def records(workdir: pathlib.Path) -> list[dict]:
    """The lines of metrics.jsonl; the last one may still be in the making."""
    path = workdir / 'metrics.jsonl'
    return [json.loads(line) for line in path.read_text().split('\n')[:-1]] if path.exists() else []


def column(workdir: pathlib.Path, key: str) -> np.ndarray:
    """A number of the first `STEPS` steps."""
    return np.array([record[key] for record in records(workdir)[:STEPS]])


def main() -> None:
    os.environ['JAX_PLATFORMS'] = 'cpu'
    os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'
    folder = pathlib.Path(tempfile.mkdtemp())
    for kind in ('jit', 'pmap'):
        alone(folder / kind, kind)
    for process in start_two(folder / 'two', train__num_epochs=STEPS // 2, **SETTINGS):
        print(process.communicate()[1], file=sys.stderr)
    losses = [column(folder / name, 'loss') for name in ('jit', 'pmap', 'two')]
    print('| step | 1 device | 2 devices | 2 processes |\n|---|---|---|---|')
    for step in (0, 4, 9, 14, 19):
        print(f'| {step + 1} | ' + ' | '.join(f'{loss[step]:.7f}' for loss in losses) + ' |')
    worst = max(np.abs(loss / losses[0] - 1).max() for loss in losses)
    print(f'largest relative difference in {STEPS} steps: {worst:.1e}')


if __name__ == '__main__':
    main()
