"""Run directories: a new one, one that is taken, several told apart."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Generator, Sequence

from posevid_jax.errors import InputError
from posevid_jax.evaluation import decision
from posevid_jax.evaluation.decision import Decision
from posevid_jax.machine import processes
from posevid_jax.runs.files import read_json


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
def locked(workdir: pathlib.Path) -> Generator[None]:
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


def unique_names(paths: Sequence[str], what: str) -> dict[str, pathlib.Path]:
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
