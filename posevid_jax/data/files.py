"""Opens and lists files that may turn out to be links, pipes, folders or unreadable."""

import io
import os
import pathlib
import stat
from collections.abc import Sequence
from typing import NoReturn

from posevid_jax.errors import InputError


def open_regular(path: pathlib.Path) -> io.BufferedReader:
    """Opens a file, or what a symbolic link points to, for reading.

    Raises:
      InputError: it is missing, unreadable, or a folder, pipe or device.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError(f'{path}: not found, expected a file') from None
    except (OSError, ValueError) as error:
        raise InputError(f'{path}: cannot be read ({reason(error)})') from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = 'a folder' if stat.S_ISDIR(mode) else 'a pipe or device'
        raise InputError(f'{path}: found {kind}, expected a file')
    return os.fdopen(descriptor, 'rb')


def files_below(folder: pathlib.Path, suffixes: Sequence[str]) -> list[pathlib.Path]:
    """Everything in a folder and the folders inside it whose name ends in a suffix, sorted.

    Links to folders are followed, each folder once; hidden names are left out.

    Raises:
      InputError: a folder cannot be listed.
    """

    def fail(error: OSError) -> NoReturn:
        raise InputError(f'{error.filename}: cannot be read ({reason(error)})') from None

    found, seen = [], set()
    for directory, folders, files in os.walk(folder, onerror=fail, followlinks=True):
        here = os.path.realpath(directory)
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        found += [
            pathlib.Path(directory, name)
            for name in (*files, *folders)
            if name.endswith(tuple(suffixes)) and not name.startswith('.')
        ]
    return sorted(found)


def reason(error: BaseException) -> str:
    """The message of an exception, on one line of at most 120 characters."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ' '.join(text.split())[:120] or type(error).__name__
