"""Kills a training run at random moments until it is done, and compares it with one left alone.

    python -m benchmarks.soak --kills=30

A kill is SIGKILL, up to 50 ms after the n-th time that the run does one of `POINTS`. Prints a line
per kill and what differed; exit code 1 when anything did.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

import jax
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import loader
from posevid_jax.inference.single import SingleRun
from posevid_jax.machine import parallel
from posevid_jax.runs import files
from posevid_jax.training import checkpoint, loop, validation
from tests import toy

# Where a run may be killed, and up to which time it does so after a start: those that come once an
# epoch come less often.
POINTS = {
    'import': 1,  # before anything is read
    'open': 1,  # the folder of checkpoints
    'data': 12,  # a batch is gathered, for training or evaluation
    'step': 12,
    'evaluate': 3,
    'write': 14,  # one of the JSON files
    'save': 6,  # a checkpoint, which goes on in the background
    'checksums': 6,  # its last files
}
ROOT = pathlib.Path(__file__).parents[1]
# What is random is switched on, and an epoch of three steps is also saved within.
CONFIG = dict(
    model__dropout=0.3,
    augment__frame_drop=0.1,
    train__ema_decay=0.9,
    train__topk_loss=5,
    train__batch_size=12,
    checkpoint__every_steps=2,
    checkpoint__keep_every_epochs=10,
)


def soak(kills: int, folder: pathlib.Path, seed: int = 0, epochs: int = 24) -> list[str]:
    """Kills a run, over and over, until it has been killed `kills` times and is complete.

    Args:
      kills: at least so many; a run that is complete before is followed by another one.
      folder: for the runs; emptied.
      seed: of where to kill.
      epochs: of a run; so many that it does each of `POINTS` often enough.

    Returns:
      what differs from a run that was never killed; empty when nothing does.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    done, found, number = Counter(), [], 0
    config = toy.config(**CONFIG, train__num_epochs=epochs)
    loop.train_and_evaluate(config, folder / 'whole')
    while done.total() < kills:
        number += 1
        workdir = folder / f'killed{number}'
        while True:
            # The points in turn, in an order of its own each time around.
            if done.total() % len(POINTS) == 0:
                points = draw.sample(sorted(POINTS), len(POINTS))
            point = points[done.total() % len(POINTS)]
            when = [point, str(draw.randint(1, POINTS[point])), f'{draw.uniform(0, 0.05):.4f}']
            code = _start(workdir, epochs, *(when if done.total() < kills else ()))
            if code == 0:
                break
            if code != -signal.SIGKILL:
                return [f'{workdir}: exit code {code}']
            done[point] += 1
            print(f'{done.total():3d} {" ".join(when)}: {_progress(workdir)}', flush=True)
        found += _differences(config, folder / 'whole', workdir)
    print(f'{done.total()} kills, {number} runs: {dict(sorted(done.items()))}')
    return found


def _start(workdir: pathlib.Path, epochs: int, *when: str) -> int:
    arguments = [str(workdir), str(epochs), *when]
    command = [sys.executable, '-m', 'benchmarks.soak', '--child', *arguments]
    with (workdir.parent / 'log.txt').open('a') as log:
        return subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False).returncode


def _progress(workdir: pathlib.Path) -> str:
    names = [path.name for path in workdir.glob('checkpoints/*')]
    steps = sorted(int(name) for name in names if name.isdigit())
    return f'checkpoints {steps}' + (', one half written' if len(names) > len(steps) else '')


def _differences(config: ConfigDict, whole: pathlib.Path, killed: pathlib.Path) -> list[str]:
    found = []
    for which in ('last', 'best'):
        states = [
            jax.device_get(SingleRun.restore(config, run, which).state) for run in (whole, killed)
        ]
        for (path, a), b in zip(
            jax.tree_util.tree_leaves_with_path(states[0]), jax.tree.leaves(states[1]), strict=True
        ):
            if not np.array_equal(a, b):
                found.append(f'{killed}: {which}{jax.tree_util.keystr(path)}')
    files = [*whole.rglob('*.json*'), *whole.rglob('*.csv')]
    for name in (str(path.relative_to(whole)) for path in files):
        # Seconds differ, and so does what says how the run was made.
        if name.startswith('checkpoints') or name in ('reproduce.json', 'eval/looks.jsonl'):
            continue
        if _record(whole / name) != _record(killed / name):
            found.append(f'{killed / name}')
    return found


def _record(path: pathlib.Path):
    if path.suffix == '.csv':
        return path.read_text()
    lines = path.read_text().splitlines() if path.suffix == '.jsonl' else [path.read_text()]
    return [_without_time(json.loads(line)) for line in lines]


def _without_time(value):
    if isinstance(value, dict):
        return {key: _without_time(item) for key, item in value.items() if key != 'time'}
    return [_without_time(item) for item in value] if isinstance(value, list) else value


def _child(workdir: str, epochs: str, point: str = '', count: str = '0', delay: str = '0') -> None:
    """Trains in this process, and kills it as told."""
    hits = 0

    def mark(name: str) -> None:
        nonlocal hits
        hits += name == point
        if name == point and hits == int(count):
            threading.Thread(target=_kill, args=(float(delay),), daemon=True).start()

    def marked(name, function):
        def wrapper(*args, **kwargs):
            mark(name)
            return function(*args, **kwargs)

        return wrapper

    compile_train = parallel.Parallel.compile_train
    parallel.Parallel.compile_train = lambda self, step: marked('step', compile_train(self, step))
    for owner, attribute, name in (
        (loader, '_gather', 'data'),
        (validation, 'collect_logits', 'evaluate'),
        (files, 'write_text', 'write'),
        (checkpoint.Checkpoints, '__init__', 'open'),
        (checkpoint.Checkpoints, 'save', 'save'),
        (checkpoint, 'write_checksums', 'checksums'),
    ):
        setattr(owner, attribute, marked(name, getattr(owner, attribute)))
    mark('import')
    config = toy.config(**CONFIG, train__num_epochs=int(epochs))
    loop.train_and_evaluate(config, pathlib.Path(workdir))


def _kill(delay: float) -> None:
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--folder', type=pathlib.Path)
    parser.add_argument('--child', nargs='+', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(*arguments.child)
        return
    folder = arguments.folder or pathlib.Path(tempfile.mkdtemp()) / 'soak'
    found = soak(arguments.kills, folder, arguments.seed)
    print('\n'.join(f'differs: {line}' for line in found) or 'identical to the run left alone')
    sys.exit(bool(found))


if __name__ == '__main__':
    main()
