"""Files and folders that appear whole or not at all: written under another name, then renamed."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Generator

from posevid_jax.errors import InputError


@contextlib.contextmanager
def atomic_file(path: pathlib.Path) -> Generator[pathlib.Path]:
    """A temporary name; what the block writes there becomes `path` when it ends without an error.

    A file that is there already is replaced; folders on the way are made.

    Raises:
      InputError: the file cannot be written.
    """
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror or error})') from None
    finally:
        with contextlib.suppress(OSError):  # it may not even be possible to look
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(folder: pathlib.Path, *, replace: bool = False) -> Generator[pathlib.Path]:
    """A folder under a temporary name, which becomes `folder` when the block ends without an error.

    Args:
      folder: its name in the end; folders on the way are made.
      replace: remove what is there when the new one is complete. Without it, that must be gone, or
        an empty folder, by then.

    Raises:
      InputError: it cannot be written.
    """
    temporary = _beside(folder)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if replace:
            shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    except OSError as error:
        raise InputError(f'{folder}: cannot be written ({error.strerror or error})') from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: pathlib.Path) -> pathlib.Path:
    """A hidden name that no other process takes, on the same file system."""
    return path.with_name(f'.{path.name}.{os.getpid()}')
