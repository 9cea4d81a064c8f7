"""The program: flags, a row of the table of modes, one call."""

import os
import pathlib

from absl import app, flags
from ml_collections import ConfigDict, config_flags

from posevid_jax.modes import command_line
from posevid_jax.modes.table import MODES, Call

_CONFIG = config_flags.DEFINE_config_file(
    'config',
    None,
    'A file such as configs/demo.py, or the name of a shipped one such as demo; a mode that reads '
    'a run takes the one in --workdir.',
)
_MODE = flags.DEFINE_enum(
    'mode', 'train', list(MODES), '; '.join(f'{name}: {mode.help}' for name, mode in MODES.items())
)
_WORKDIR = flags.DEFINE_string(
    'workdir', None, 'Run directory; by default a new one, runs/<config name>/01, 02, ...'
)
_CHECKPOINT = flags.DEFINE_string('checkpoint', 'best', 'What to read: best, last or a step.')
_COORDINATOR = flags.DEFINE_string(
    'coordinator', None, 'HOST:PORT where processes that train together meet; Slurm says it itself.'
)
_NUM_PROCESSES = flags.DEFINE_integer('num_processes', None, 'How many they are.')
_PROCESS_ID = flags.DEFINE_integer('process_id', None, 'Which one this is, from 0.')


def _main(argv: list[str]) -> None:
    mode, config = MODES[_MODE.value], _CONFIG.value
    command_line.check_arguments(argv, config, _MODE.value, _WORKDIR.value)
    if mode.on_devices:
        _prepare_devices(config, mode.keeps_programs)
    workdir = pathlib.Path(_WORKDIR.value) if _WORKDIR.value else None
    mode(Call(config, workdir, _CHECKPOINT.value, tuple(argv[1:])))


def _prepare_devices(config: ConfigDict, keep_programs: bool) -> None:
    """Settles what must be settled before the first use of a device."""
    from posevid_jax.machine import compilation_cache, determinism, processes  # they import JAX

    determinism.apply(config.train.deterministic)
    flags_given = (_COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value)
    processes.start(processes.find_place(*flags_given, os.environ))
    if keep_programs:
        compilation_cache.enable(config.compilation_cache)


def main() -> None:
    """Runs the command line of this process."""
    app.run(command_line.with_one_line_errors(_main), flags_parser=command_line.parse_flags)
