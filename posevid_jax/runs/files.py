"""The files of a run directory: text and JSON in one piece, and lines that are appended."""

import contextlib
import json
import os
import pathlib
from typing import Any, TypeVar

from posevid_jax.errors import InputError
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_file

_T = TypeVar('_T')


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
    """`write_text` of indented JSON, of whatever `json_form.to_json` takes."""
    write_text(path, json.dumps(to_json(value), indent=2) + '\n')


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


def read_record(kind: type[_T], path: pathlib.Path) -> _T:
    """A JSON file as a dataclass, read by `json_form.from_json`.

    Raises:
      InputError: missing, not JSON, or lacking a key.
    """
    return from_json(kind, read_json(path), str(path))


def read_records(kind: type[_T], path: pathlib.Path) -> list[_T]:
    """A JSON file that is a list, each of its entries as a dataclass.

    Raises:
      InputError: as for `read_record`.
    """
    return [from_json(kind, value, str(path)) for value in read_json(path)]


class JsonLines:
    """metrics.jsonl: one record per line, appended; a resumed run cuts what it will repeat."""

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
