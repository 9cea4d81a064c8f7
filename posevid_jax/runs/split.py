"""Which videos a run was trained on, and which it was validated on: `split.json`."""

import pathlib

from posevid_jax.data.clips import Clips
from posevid_jax.data.splits import Sides, sides
from posevid_jax.runs.files import read_json, write_json

FILE = 'split.json'
"""The video ids of `train` and of `val`, as the sources of the clips know them."""


def keep(workdir: pathlib.Path, train: Clips, val: Clips) -> None:
    """Writes the file at the start of a run; when the run goes on, it stays as it is."""
    if not (workdir / FILE).exists():
        ids = {side: sorted(videos) for side, videos in sides(train, val)._asdict().items()}
        write_json(workdir / FILE, ids)


def read(workdir: pathlib.Path) -> Sides | None:
    """The videos of each side; None in a run of a version before there was the file.

    Raises:
      InputError: the file is damaged.
    """
    path = workdir / FILE
    if not path.exists():
        return None
    return Sides(**{side: frozenset(videos) for side, videos in read_json(path).items()})
