"""Names for the files about a set, so that two sets of one name do not overwrite each other."""

import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from posevid_jax.data.source import SYNTHETIC


class SetName(NamedTuple):
    """What a set is called in a run directory, and where it comes from, as in `whence`."""

    name: str
    source: str


def whence(path: str, train: str = '') -> str:
    """What tells a set from all others: its path from the root.

    Args:
      path: of the set, or `synthetic`; '' for the validation clips split off from `train`.
      train: the training clips, only for these.
    """
    if not path:
        return f'split off from {whence(train)}'
    return path if path == SYNTHETIC else str(pathlib.Path(path).resolve())


def name_for(plain: str, source: str, source_of: Callable[[str], str | None]) -> str:
    """The name of a set for its files: the last part of its path, or as many as no other set has.

    So `a/val.npz` is `val`, and `b/val.npz` then `b_val`. A set keeps its name.

    Args:
      plain: the name that it has where no other set has it.
      source: of the set, from `whence`.
      source_of: where the files of a name come from: None without files, '' where they do not say
        it, as in runs of earlier versions; those are overwritten.
    """
    return next(name for name in _names(plain, source) if source_of(name) in (None, '', source))


def _names(plain: str, source: str) -> Iterator[str]:
    yield plain
    path = pathlib.Path(source)
    if path.is_absolute():
        for count in range(2, len(path.parts)):
            yield '_'.join([*path.parts[-count:-1], plain])
    for number in itertools.count(2):
        yield f'{plain}_{number}'
