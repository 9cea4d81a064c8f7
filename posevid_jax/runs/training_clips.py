"""Which clips a run was trained on, by their content: `training_clips.npy` in its directory."""

import io
import pathlib

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.runs.files import write_bytes

FILE = 'training_clips.npy'
"""[N] u64, `Clips.row_fingerprints` of the training clips."""
EARLIER_FILE = 'earlier_clips.npy'
"""The same of what the runs were trained on whose weights a run started from."""


def keep(
    workdir: pathlib.Path, clips: Clips, source: str, earlier: pathlib.Path | None = None
) -> None:
    """Writes the files at the start of a run; when the run goes on, `check`.

    Args:
      workdir: the run directory.
      clips: the training clips of now.
      source: where they come from, `data.train`.
      earlier: the run whose weights it starts from; None where it starts anew.

    Raises:
      InputError: the run was started with other clips.
    """
    check(workdir, clips, source)
    if not (workdir / FILE).exists() and not (workdir / 'config.json').exists():
        if earlier:
            _write(workdir / EARLIER_FILE, _seen(earlier))
        _write(workdir / FILE, clips.row_fingerprints())


def check(workdir: pathlib.Path, clips: Clips, source: str) -> None:
    """Checks that a run was started with these training clips.

    A run of a version before there was the file is taken as it is.

    Args:
      workdir: the run directory.
      clips: the training clips of now.
      source: where they come from, `data.train`.

    Raises:
      InputError: it was started with others.
    """
    before = read(workdir)
    if before is None:
        return
    now = clips.row_fingerprints()
    if not np.array_equal(now, before):
        new = int((~np.isin(now, before)).sum())
        raise InputError(
            f'data.train: {source} has changed since {workdir} was started, or is split in another '
            f'way: {new} of {len(now)} training clips are new, and {len(before)} were there; '
            'use another --workdir, or give clips in data.test'
        )


def read(workdir: pathlib.Path) -> np.ndarray | None:
    """The fingerprints [N] u64, None where the run has none.

    Raises:
      InputError: the file is damaged.
    """
    path = workdir / FILE
    return _read(path) if path.exists() else None


def count(workdir: pathlib.Path, clips: Clips) -> int:
    """How many of some clips the run was trained on, or one whose weights it started from; 0 where
    it is not known.

    Raises:
      InputError: a file is damaged.
    """
    seen = _seen(workdir)
    return int(np.isin(clips.row_fingerprints(), seen).sum()) if len(seen) else 0


def _seen(workdir: pathlib.Path) -> np.ndarray:
    """Fingerprints of all clips that the weights of a run have seen."""
    paths = (workdir / FILE, workdir / EARLIER_FILE)
    parts = [_read(path) for path in paths if path.exists()]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))


def _write(path: pathlib.Path, fingerprints: np.ndarray) -> None:
    stream = io.BytesIO()
    np.save(stream, fingerprints)
    write_bytes(path, stream.getvalue())


def _read(path: pathlib.Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{path}: damaged ({error})') from None
