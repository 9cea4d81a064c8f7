"""Which clips a run was trained on, by their content: `training_clips.npy` in its directory."""

import io
import pathlib

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.runs.files import write_bytes

FILE = 'training_clips.npy'
"""[N] u64, `Clips.row_fingerprints` of the training clips."""


def keep(workdir: pathlib.Path, clips: Clips, source: str) -> None:
    """Writes the file at the start of a run; when the run goes on, `check`.

    Args:
      workdir: the run directory.
      clips: the training clips of now.
      source: where they come from, `data.train`.

    Raises:
      InputError: the run was started with other clips.
    """
    check(workdir, clips, source)
    if not (workdir / FILE).exists() and not (workdir / 'config.json').exists():
        stream = io.BytesIO()
        np.save(stream, clips.row_fingerprints())
        write_bytes(workdir / FILE, stream.getvalue())


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
    if not path.exists():
        return None
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{path}: damaged ({error})') from None


def count(workdir: pathlib.Path, clips: Clips) -> int:
    """How many of some clips the run was trained on; 0 where it is not known.

    Raises:
      InputError: the file is damaged.
    """
    known = read(workdir)
    return 0 if known is None else int(np.isin(clips.row_fingerprints(), known).sum())
