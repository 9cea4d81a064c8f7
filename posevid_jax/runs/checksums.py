"""A checksum of every file of a checkpoint, so that damage is found before anything is read."""

import hashlib
import json
import pathlib

from posevid_jax.errors import InputError
from posevid_jax.runs.files import read_json, write_json

CHECKSUMS = 'checksums.json'
# Orbax's book-keeping, still written after the checksums; nothing that is restored depends on it.
_LATER = ('_CHECKPOINT_METADATA', 'commit_success.txt')


def write_checksums(folder: pathlib.Path) -> None:
    """Writes `folder/checksums.json`.

    Raises:
      InputError: it cannot be written.
    """
    write_json(folder / CHECKSUMS, {name: _digest(folder / name) for name in _files(folder)})


def fingerprint(folder: pathlib.Path) -> str:
    """SHA-256 of the content of a checkpoint, in hexadecimal."""
    content = {name: _digest(folder / name) for name in _files(folder)}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def damage(folder: pathlib.Path) -> str | None:
    """What is wrong with a checkpoint, in one line that names a file; None when it is whole.

    A run whose checkpoints all lack checksums is from before there were any: they are taken as is.
    """
    if not any(folder.parent.glob(f'*/{CHECKSUMS}')):
        return None
    try:
        expected = read_json(folder / CHECKSUMS)
    except (InputError, UnicodeDecodeError):
        return f'{folder}: damaged: {CHECKSUMS} cannot be read'
    missing = sorted(expected.keys() - set(_files(folder)))
    if missing:
        return f'{folder}: damaged: {missing[0]} is missing'
    for name, digest in expected.items():
        if _digest(folder / name) != digest:
            return f'{folder}: damaged: {name} is not what was written (its checksum differs)'
    return None


def _files(folder: pathlib.Path) -> list[str]:
    names = (str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())
    return sorted(set(names) - {CHECKSUMS, *_LATER})


def _digest(path: pathlib.Path) -> str:
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()
