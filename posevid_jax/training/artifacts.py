"""The files of a run directory, written so that a reader never sees half of one."""

import contextlib
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError

# What may differ between the command that started a run and the one that resumes it.
_MAY_CHANGE = (
    'name',
    'train.num_epochs',
    'train.log_every_steps',
    'train.on_nonfinite',
    'train.topk_loss',
    'train.topk_every_epochs',
    'train.patience',
    'train.patience_smoothing',
    'checkpoint.keep_last',
    'checkpoint.keep_every_epochs',
    'checkpoint.every_steps',
    'data.test',
    'data.max_bytes',
    'data.manifest',
    'eval.batch_size',
    'cv',
)
_PACKAGES = ('posevid-jax', 'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'grain', 'numpy')


def new_run_directory(root: pathlib.Path) -> pathlib.Path:
    """Creates the next numbered directory, `root/01`, `root/02`, ...

    Creating it is the claim, so that two starts at once get two directories.

    Raises:
      InputError: `root` cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in root.iterdir() if path.name.isdigit()]
        number = max(taken, default=0) + 1
        while True:
            with contextlib.suppress(FileExistsError):
                directory = root / f'{number:02d}'
                directory.mkdir()
                return directory
            number += 1
    except OSError as error:
        raise InputError(f'{root}: cannot make a run directory ({error.strerror})') from None


def write_text(path: pathlib.Path, text: str) -> None:
    """Replaces a file in one step: a temporary name beside it, then a rename.

    Raises:
      InputError: the file cannot be written.
    """
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding='utf-8')
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


def check_config(
    workdir: pathlib.Path, config: ConfigDict, may_change: Sequence[str] = _MAY_CHANGE
) -> None:
    """Checks that what is found in `workdir` was made with this configuration.

    Args:
      workdir: where `config.json` is, if anything was made there.
      config: the whole configuration of now.
      may_change: keys, and first parts of keys, that may differ.

    Raises:
      InputError: a key differs that may not change on resuming.
    """
    path = workdir / 'config.json'
    if not path.exists():
        return
    before, now = _flat(read_json(path)), _flat(as_json(config))
    changed = [
        f'{key} was {before.get(key)!r}, now {now.get(key)!r}'
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not _allowed(key, before, now, may_change)
    ]
    if changed:
        raise InputError(
            f'{path}: this run was made with another configuration: {"; ".join(changed)}; '
            'use another --workdir'
        )


def as_json(config: ConfigDict) -> dict[str, Any]:
    """A configuration in JSON's types: tuples become lists."""
    return json.loads(config.to_json())


def _allowed(key: str, before: dict, now: dict, may_change: Sequence[str]) -> bool:
    if key in may_change or key.partition('.')[0] in may_change:
        return True
    # Another validation file changes no step; going between a file and a split of train does.
    return key == 'data.val' and bool(before.get(key)) and bool(now[key])


def _flat(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f'{prefix}{key}.')
        else:
            flat[prefix + key] = value
    return flat


def environment() -> dict[str, Any]:
    """Command, versions, commit and devices, for reproduce.json."""
    versions = {'python': platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    devices = jax.local_devices()
    return {
        'command': [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        'versions': versions,
        'commit': _commit(),
        'device': {'kind': devices[0].device_kind, 'count': len(devices)},
    }


def _commit() -> dict[str, Any] | None:
    """Commit and whether files differ from it; None outside a git checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ['git', *arguments],
            cwd=pathlib.Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        return {'id': git('rev-parse', 'HEAD'), 'dirty': bool(git('status', '--porcelain'))}
    except (OSError, subprocess.CalledProcessError):
        return None
