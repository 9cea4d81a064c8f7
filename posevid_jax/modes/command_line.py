"""Command-line conveniences that absl and ml_collections lack.

A mode that works on an existing run reads its configuration from --workdir, and one that only looks
at files needs none; an unknown key, a wrong type or a missing file is one line on standard error
and exit code 2, never a traceback.
"""

import difflib
import functools
import pathlib
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from absl import flags, logging
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.modes.table import MODES

# The shipped configurations; in a checkout, a link to where users edit them.
_CONFIGS = pathlib.Path(__file__).parents[1] / 'configs'


def parse_flags(argv: Sequence[str]) -> list[str]:
    """Parses the flags, as `absl.app.run(flags_parser=...)` wants it.

    Args:
      argv: the command line, program name first.

    Returns:
      what is left: the program name and positional arguments.
    """
    argv = list(argv)
    given, workdir = _flag_value(argv, 'config'), _flag_value(argv, 'workdir')
    mode = MODES.get(_flag_value(argv, 'mode') or 'train')
    if given is not None:
        _replace_value(argv, 'config', _found(given))
    elif mode is not None and not mode.needs_config:
        argv.insert(1, f'--config={_CONFIGS / "default.py"}')
    elif workdir is not None:
        argv.insert(1, f'--config={_CONFIGS / "run.py"}:{workdir}')
    elif any(argument.lstrip('-').startswith('config.') for argument in argv[1:]):
        fail(_no_config())
    sys.argv = argv  # where ml_collections looks for overrides
    flags.FLAGS.set_gnu_getopt()  # flags may follow paths
    try:
        rest = flags.FLAGS(argv)
    except (AttributeError, KeyError) as error:
        fail(_unknown_key(argv, error))
    except (flags.Error, InputError, TypeError, ValueError) as error:
        fail(_first_line(error))
    if flags.FLAGS['verbosity'].using_default_value:
        # The libraries narrate every file they write: --verbosity=0 shows it.
        flags.FLAGS.verbosity = logging.WARNING
    return rest


def check_arguments(
    argv: Sequence[str], config: ConfigDict | None, mode: str, workdir: str | None
) -> None:
    """Raises InputError for a command line that parses but cannot be carried out."""
    if len(argv) > 1 and not MODES[mode].takes_paths:
        raise InputError(
            f'found {argv[1]!r} on the command line, expected only flags (--name=value)'
        )
    if MODES[mode].needs_workdir and workdir is None:
        raise InputError(f'--mode={mode}: expected --workdir=DIR')
    if config is None:
        raise InputError(_no_config())


def with_one_line_errors(main: Callable[[list[str]], None]) -> Callable[[list[str]], None]:
    """Wraps a main function so that InputError ends the process with one line and code 2."""

    @functools.wraps(main)
    def wrapped(argv: list[str]) -> None:
        try:
            main(argv)
        except InputError as error:
            fail(str(error))
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)

    return wrapped


def fail(message: str) -> NoReturn:
    """Prints one line and exits with code 2."""
    print(f'error: {message}', file=sys.stderr)
    sys.exit(2)


def _no_config() -> str:
    return f'--config: not given; expected a file such as configs/demo.py, or {_shipped()}'


def _shipped() -> str:
    names = sorted(
        path.stem for path in _CONFIGS.glob('*.py') if path.stem not in ('run', '__init__')
    )
    return f'the name of a shipped one ({", ".join(names)})'


def _found(given: str) -> str:
    """`PATH[:ARGUMENT]` of a configuration file that is there; a shipped one may be named."""
    path, colon, argument = given.partition(':')
    if not pathlib.Path(path).is_file():
        shipped = _CONFIGS / f'{path}.py'
        if not shipped.is_file():
            fail(f'--config: {path} not found; expected a file, or {_shipped()}')
        path = str(shipped)
    return f'{path}{colon}{argument}'


def _replace_value(argv: list[str], name: str, value: str) -> None:
    """Gives a flag another value, in place; all of its places, of which the last one counts."""
    for position, argument in enumerate(argv[1:], start=1):
        if argument.startswith('-') and argument.lstrip('-').partition('=')[0] == name:
            if '=' in argument:
                argv[position] = f'--{name}={value}'
            elif position + 1 < len(argv):
                argv[position + 1] = value


def _flag_value(argv: Sequence[str], name: str) -> str | None:
    for position, argument in enumerate(argv[1:], start=1):
        flag, _, value = argument.lstrip('-').partition('=')
        if argument.startswith('-') and flag == name:
            return value if '=' in argument else next(iter(argv[position + 1 :]), None)
    return None


def _unknown_key(argv: Sequence[str], error: Exception) -> str:
    """Names the override that matches no key, and the nearest key that exists."""
    # absl gave up before the flag had its value: read the file once more.
    parser: Any = flags.FLAGS['config'].parser  # that of ml_collections, whatever absl declares
    known = _keys(parser.parse(_flag_value(argv, 'config')))
    for argument in argv[1:]:
        key = argument.lstrip('-').partition('=')[0].removeprefix('config.')
        if argument.lstrip('-').startswith('config.') and key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)
            return f'--config.{key}: no such key; the nearest is config.{near[0]}'
    return _first_line(error)


def _keys(config: ConfigDict, prefix: str = '') -> list[str]:
    keys = []
    for name, value in config.items():
        keys.append(prefix + name)
        if isinstance(value, ConfigDict):
            keys += _keys(value, f'{prefix}{name}.')
    return keys


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
