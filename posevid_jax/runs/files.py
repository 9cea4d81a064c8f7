"""Files written so that a reader never sees half of one."""

import contextlib
import json
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

from posevid_jax.errors import InputError
from posevid_jax.machine import processes


@contextlib.contextmanager
def atomic_folder(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder under a temporary name, which becomes `folder` when the block ends without an error.

    What is there already must be gone, or empty, by then.

    Raises:
      InputError: it cannot be written.
    """
    temporary = folder.with_name(f'.{folder.name}.{os.getpid()}')
    try:
        temporary.mkdir(parents=True)
        yield temporary
        temporary.replace(folder)
    except OSError as error:
        raise InputError(f'{folder}: cannot be written ({error.strerror})') from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: pathlib.Path, text: str) -> None:
    """Replaces a file in one step: a temporary name beside it, then a rename.

    Of several processes, only the first one writes.

    Raises:
      InputError: the file cannot be written.
    """
    write_bytes(path, text.encode('utf-8'))


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """`write_text` of bytes."""
    if not processes.is_first():
        return
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f'{path}: cannot be written ({error.strerror})') from None


def write_json(path: pathlib.Path, value: Any) -> None:
    """`write_text` of indented JSON."""
    write_text(path, json.dumps(value, indent=2) + '\n')


def read_json(path: pathlib.Path) -> Any:
    """The value of a JSON file.

    Raises:
      InputError: missing or not JSON.
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f'{path}: not found; expected a file of a run directory') from None
    except ValueError as error:
        raise InputError(f'{path}: not JSON ({error})') from None


class JsonLines:
    """metrics.jsonl: one record a line, appended; a resumed run cuts what it will repeat."""

    def __init__(self, path: pathlib.Path, last_step: int):
        """Opens the file for appending, without the records beyond `last_step`."""
        kept = []
        if path.exists():
            for line in path.read_text().splitlines():
                # A process that died while writing leaves half a line, always beyond the
                # checkpoint: a step is logged before it is saved.
                with contextlib.suppress(ValueError):
                    if json.loads(line)['step'] <= last_step:
                        kept.append(line + '\n')
        write_text(path, ''.join(kept))
        path = path if processes.is_first() else pathlib.Path(os.devnull)
        self._file = path.open('a', buffering=1)

    def write(self, record: dict[str, Any]) -> None:
        """Appends a record, which has the key `step`.

        Raises:
          InputError: it cannot be written.
        """
        try:
            self._file.write(json.dumps(record) + '\n')
        except OSError as error:
            raise InputError(f'{self._file.name}: cannot be written ({error.strerror})') from None

    def close(self) -> None:
        self._file.close()
