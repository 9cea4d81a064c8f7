"""Whole runs by the commands that users give, each in a process of its own."""

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.gpu.parts import Context, Row
from benchmarks.gpu.speed import ROOT
from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.runs.files import read_json

_SMALL = ('--config.data.synthetic.num_videos=8', '--config.data.synthetic.clips_per_video=4')
_PREDICT = """
import sys, numpy, posevid_jax
numpy.save(sys.argv[3], posevid_jax.load(sys.argv[1]).predict_proba(sys.argv[2]))
"""


def _python(*arguments: str, host: bool = False) -> None:
    """Runs Python in the root of the repository, with JAX kept off the GPU if `host`."""
    environment = os.environ | ({'JAX_PLATFORMS': 'cpu'} if host else {})
    environment['PYTHONPATH'] = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, env=environment)


def _train(
    context: Context, config: str, workdir: pathlib.Path, *keys: str, host: bool = False
) -> None:
    """Trains from anew, so that a part that was cut begins again."""
    subprocess.run(['rm', '-rf', str(workdir)], check=True)
    data = [f'--config.data.train={context.data}'] if context.data else []
    short = [*_SMALL, '--config.train.num_epochs=1', '--config.eval.bootstrap=20']
    short += ['--config.eval.report=False']
    keys = (*data, *(short if context.dry else ()), *keys)
    _python('main.py', f'--config=configs/{config}', f'--workdir={workdir}', *keys, host=host)


def device_rows(context: Context) -> Iterator[Row]:
    """The probabilities of a run by the device that trained it and by the other one."""
    clips = make_clips(num_videos=4, clips_per_video=4, seed=1)
    archive = context.folder / 'clips.npz'
    context.folder.mkdir(parents=True, exist_ok=True)
    write_clips(archive, clips, 'long')
    for trained_on_host in (False, True):
        run = context.folder / ('host' if trained_on_host else 'device')
        _train(context, 'demo.py', run, '--config.train.num_epochs=2', host=trained_on_host)
        found = []
        for host in (False, True):
            path = context.folder / f'{run.name}_{"host" if host else "device"}.npy'
            _python('-c', _PREDICT, str(run), str(archive), str(path), host=host)
            found.append(np.load(path))
        difference = float(np.abs(found[0] - found[1]).max())
        yield {
            'trained_on': run.name,
            'clips': len(found[0]),
            'largest_difference': difference,
            'holds': difference < 1e-2,
        }


def export_rows(context: Context) -> Iterator[Row]:
    """A run that is exported, compared with itself, and streamed through."""
    run = context.folder / 'run'
    _train(context, 'stat_pool.py:clip', run, '--config.train.num_epochs=1')
    _python('main.py', '--mode=export', f'--workdir={run}')
    exported = read_json(run / 'export' / 'metadata.json')
    yield {'what': 'export', 'difference': exported['difference']}
    _python(str(run / 'export' / 'example.py'))
    frames = 50 if context.dry else 2000
    _python(
        'main.py', '--mode=bench', '--config.bench.what=stream', f'--workdir={run}',
        f'--config.bench.stream_frames={frames}',
    )  # fmt: skip
    yield {'what': 'stream'} | read_json(run / 'bench.json')['results'][0]


def loader_rows(context: Context) -> Iterator[Row]:
    """What the loader delivers, and the share of a training that waits for it."""
    clips = 512 if context.dry else 20_000
    _python(
        'main.py', '--mode=bench', '--config=configs/default.py', '--config.bench.what=loader',
        f'--workdir={context.folder}', f'--config.bench.loader_clips={clips}',
    )  # fmt: skip
    for record in read_json(context.folder / 'bench.json')['results']:
        yield {'what': 'loader'} | record
    run = context.folder / 'run'
    _train(context, 'demo.py', run, '--config.train.num_epochs=3')
    yield {'what': 'training'} | _epochs(run)


def training_rows(context: Context) -> Iterator[Row]:
    """StatPool and Video Swin as they are shipped, to the end."""
    for config in ('demo.py',) if context.dry else ('stat_pool.py', 'video_swin.py'):
        run, started = context.folder / config.removesuffix('.py'), time.monotonic()
        _train(context, config, run)
        seconds = round(time.monotonic() - started, 1)
        yield {'config': config, 'seconds': seconds} | _epochs(run)


def _epochs(run: pathlib.Path) -> Row:
    """Of a run: scores of the last epoch, and its seconds and waiting, when all is compiled."""
    last = read_json(run / 'history.json')[-1]
    scores = {key: last['val'][key] for key in ('roc_auc', 'average_precision')}
    return {'epoch': last['epoch'], 'step': last['step']} | scores | last['time']
