"""Run directories: a new one, one that is taken, several told apart."""

import contextlib
import fcntl
import os
import pathlib
from collections.abc import Generator, Mapping, Sequence

from posevid_jax.errors import InputError
from posevid_jax.evaluation import decision
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.cv_results import OutOfFoldThreshold
from posevid_jax.evaluation.decision import (
    Decision,
    Origin,
    StoredCalibrations,
    StoredThreshold,
    Threshold,
)
from posevid_jax.evaluation.json_form import to_json
from posevid_jax.machine import processes
from posevid_jax.runs.files import read_record, write_json


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


def write_decision(
    workdir: pathlib.Path,
    threshold: Threshold | OutOfFoldThreshold,
    rules: Mapping[str, Threshold] | Mapping[str, OutOfFoldThreshold] | None,
    calibrations: Mapping[str, Calibration],
    origin: Origin,
) -> None:
    """Writes `thresholds.json` and `calibration.json`.

    Args:
      workdir: the run directory.
      threshold: the one to decide by.
      rules: one by every rule; None with several classes.
      calibrations: of each kind, by name.
      origin: the clips that they come from.

    Raises:
      InputError: one cannot be written.
    """
    about = to_json(origin)
    rules_too = to_json(threshold) | {'rules': to_json(rules)}
    write_json(workdir / 'thresholds.json', rules_too | about)
    write_json(workdir / 'calibration.json', to_json(calibrations) | about)


def read_decision(workdir: pathlib.Path, kind: str) -> Decision:
    """Threshold and calibration of a run.

    Args:
      workdir: the run directory.
      kind: of the calibration, `config.eval.calibration`.

    Raises:
      InputError: no thresholds.json, or no calibration of this kind.
    """
    path = workdir / 'calibration.json'
    return decision.from_files(
        read_record(StoredThreshold, workdir / 'thresholds.json'),
        read_record(StoredCalibrations, path) if path.exists() else None,
        kind,
        where=str(path),
    )
