"""The files of a run directory: text and JSON in one piece, and lines that are appended."""

import contextlib
import json
import os
import pathlib
from typing import Any

from posevid_jax.errors import InputError
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_file


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes or replaces a file in one step; of several processes, only the first one does.

    Raises:
      InputError: the file cannot be written.
    """
    write_bytes(path, text.encode('utf-8'))


def write_bytes(path: pathlib.Path, content: bytes) -> None:
    """`write_text` of bytes."""
    if processes.is_first():
        with atomic_file(path) as temporary:
            temporary.write_bytes(content)


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
