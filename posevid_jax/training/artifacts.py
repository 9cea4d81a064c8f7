"""The files of a run directory, written so that a reader never sees half of one."""

import contextlib
import fcntl
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation import decision
from posevid_jax.evaluation.decision import Decision
from posevid_jax.training import processes

# Keys, and first parts of keys, that may differ between the command that started a run and the one
# that resumes it.
_MAY_CHANGE = (
    'name',
    'compilation_cache',
    'train.num_epochs',
    'train.tensorboard',
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
    'eval',
    'prepare',
    'predict',
    'cv',
    'ensemble',
)
_PACKAGES = ('posevid-jax', 'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'grain', 'numpy')
# Of the environment: what changes how fast a step is, or what it computes.
_VARIABLES = ('GLIBC_TUNABLES', 'XLA_FLAGS')


def new_run_directory(root: pathlib.Path) -> pathlib.Path:
    """Creates the next numbered directory, `root/01`, `root/02`, ...

    Creating it is the claim, so that two starts at once get two directories. Processes that train
    together get the same one.

    Raises:
      InputError: `root` cannot be written.
    """
    if not processes.is_first():
        return processes.path_of_first(None)
    try:
        root.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in root.iterdir() if path.name.isdigit()]
        number = max(taken, default=0) + 1
        while True:
            with contextlib.suppress(FileExistsError):
                directory = root / f'{number:02d}'
                directory.mkdir()
                return processes.path_of_first(directory)
            number += 1
    except OSError as error:
        raise InputError(f'{root}: cannot make a run directory ({error.strerror})') from None


@contextlib.contextmanager
def claimed(workdir: pathlib.Path) -> Iterator[None]:
    """Keeps a run directory to this start until the block ends; a killed process lets go of it.

    Raises:
      InputError: another process trains in it, or it cannot be made.
    """
    if not processes.is_first():
        yield
        return
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        handle = os.open(workdir, os.O_RDONLY)
    except OSError as error:
        raise InputError(f'{workdir}: cannot be used ({error.strerror})') from None
    try:
        # A file system without locks takes the risk.
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f'{workdir}: another process trains in this directory') from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def unfinished(folder: pathlib.Path) -> Iterator[pathlib.Path]:
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


def told_apart(paths: Sequence[str], what: str) -> dict[str, pathlib.Path]:
    """Run directories by their last name, or by the whole path where last names are equal.

    Args:
      paths: two or more.
      what: asked for them, for the message.

    Raises:
      InputError: fewer than two, or the same one twice.
    """
    if len(paths) < 2:
        raise InputError(f'{what}: found {len(paths)} run directories, expected two or more')
    resolved: dict[pathlib.Path, str] = {}
    for path in paths:
        before = resolved.setdefault(pathlib.Path(path).resolve(), path)
        if before is not path:
            raise InputError(f'{path}: found a second time ({before}), expected different runs')
    names = [path.name for path in resolved]
    names = names if len(set(names)) == len(names) else list(paths)
    return dict(zip(names, resolved, strict=True))


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


def read_decision(workdir: pathlib.Path, kind: str) -> Decision:
    """Threshold and calibration of a run.

    Args:
      workdir: the run directory.
      kind: of the calibration, `config.eval.calibration`.

    Raises:
      InputError: no thresholds.json, or no calibration of this kind.
    """
    path = workdir / 'calibration.json'
    return decision.from_records(
        read_json(workdir / 'thresholds.json'),
        read_json(path) if path.exists() else None,
        kind,
        where=str(path),
    )


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
    before, now = flat(read_json(path)), flat(as_json(config))
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


def flat(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    """Nested dictionaries as one, keys joined with dots."""
    found = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f'{prefix}{key}.')
        else:
            found[prefix + key] = value
    return found


def environment() -> dict[str, Any]:
    """Command, variables, versions, commit and devices, for reproduce.json."""
    versions = {'python': platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    devices = jax.devices()
    return {
        'command': [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        'variables': {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)},
        'versions': versions,
        'commit': _commit(),
        'device': {'kind': devices[0].device_kind, 'count': len(devices)},
        'processes': jax.process_count(),
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
