"""posevid_jax on the command line: `python main.py --config=configs/demo.py`."""

import functools
import os
import pathlib
import sys

from posevid_jax.machine import huge_pages

if __name__ == '__main__':
    huge_pages.restart()  # here, so that the imports below happen once

from absl import app, flags
from ml_collections import config_flags

from posevid_jax.capacity import batch_size
from posevid_jax.inference.restore import restore
from posevid_jax.machine import compilation_cache, determinism, processes
from posevid_jax.modes import (
    bench,
    bench_stream,
    command_line,
    compare,
    cv,
    ensemble,
    eval,
    export,
    inspect,
    predict_clips,
    predict_recordings,
    prepare,
    probe,
    stream,
)
from posevid_jax.training import loop

MODES = (
    *('train', 'eval', 'predict', 'stream', 'export', 'cv', 'ensemble'),
    *('probe', 'bench', 'prepare', 'inspect', 'compare'),
)

_CONFIG = config_flags.DEFINE_config_file(
    'config', None, 'Configuration file; a mode that reads a run takes the one in --workdir.'
)
_MODE = flags.DEFINE_enum('mode', 'train', MODES, 'What to do.')
_WORKDIR = flags.DEFINE_string(
    'workdir', None, 'Run directory; by default a new one, runs/<config name>/01, 02, ...'
)
_COORDINATOR = flags.DEFINE_string(
    'coordinator', None, 'HOST:PORT where processes that train together meet; Slurm says it itself.'
)
_NUM_PROCESSES = flags.DEFINE_integer('num_processes', None, 'How many they are.')
_PROCESS_ID = flags.DEFINE_integer('process_id', None, 'Which one this is, from 0.')
_CHECKPOINT = flags.DEFINE_string('checkpoint', 'best', 'What to read: best, last or a step.')


def main(argv: list[str]) -> None:
    command_line.check_arguments(argv, _CONFIG.value, _MODE.value, _WORKDIR.value)
    config = _CONFIG.value
    workdir = pathlib.Path(_WORKDIR.value) if _WORKDIR.value else None
    determinism.apply(config.train.deterministic)
    flags_given = (_COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value)
    processes.start(processes.find_place(*flags_given, os.environ))
    if _MODE.value in ('train', 'eval', 'cv'):
        compilation_cache.enable(config.compilation_cache)
    if _MODE.value == 'train':
        config = batch_size.resolve(config)
        with batch_size.out_of_memory_explained(config):
            loop.train_and_evaluate(config, workdir)
    elif _MODE.value == 'eval':
        eval.evaluate_run(config, workdir, _CHECKPOINT.value)
    elif _MODE.value == 'predict':
        recorded = bool(config.prepare.landmarks)
        mode = predict_recordings.predict_recordings if recorded else predict_clips.predict_run
        mode(config, workdir, _CHECKPOINT.value)
    elif _MODE.value == 'stream':
        run = restore(config, workdir, _CHECKPOINT.value)
        stream.serve(run, sys.stdin, sys.stdout)
    elif _MODE.value == 'export':
        export.export_run(config, workdir, _CHECKPOINT.value)
    elif _MODE.value == 'cv':
        with batch_size.out_of_memory_explained(config):
            cv.cross_validate(config, workdir)
    elif _MODE.value == 'ensemble':
        ensemble.join_runs(config, workdir, _CHECKPOINT.value)
    elif _MODE.value == 'probe':
        probe.probe(config, workdir)
    elif _MODE.value == 'bench':
        stream_kind = functools.partial(bench_stream.bench_stream, workdir=workdir)
        bench.bench(config, workdir, {'stream': stream_kind})
    elif _MODE.value == 'prepare':
        prepare.prepare(config)
    elif _MODE.value == 'inspect':
        inspect.inspect(config, argv[1:], workdir)
    elif _MODE.value == 'compare':
        compare.compare(config, argv[1:], workdir)


if __name__ == '__main__':
    app.run(command_line.with_one_line_errors(main), flags_parser=command_line.parse_flags)
