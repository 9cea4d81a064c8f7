"""Which landmarks and which label file belong to the same video: those whose names agree."""

import dataclasses
import pathlib
import unicodedata

from ml_collections import ConfigDict

from posevid_jax.data.landmarks.read import is_recording
from posevid_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Pair:
    """The files of one video; `labels` is None where there is no label file."""

    name: str
    landmarks: pathlib.Path
    labels: pathlib.Path | None


def pair(config: ConfigDict) -> tuple[list[Pair], list[str]]:
    """Pairs the files behind `prepare.landmarks` and `prepare.labels`.

    The name of a video is the name of its file without extensions and without what stands around
    the `*` of `prepare.landmarks_name` or `prepare.labels_name`: with `*_pose` and `*_full`,
    `7_pose.csv.xz` and `7_full.csv` are video 7, and so is `7.csv`.

    Args:
      config: `config.prepare`; without `labels`, no video has a label file.

    Returns:
      (pairs in the order of the names, a line for each file that has no partner).

    Raises:
      InputError: a path does not exist or is empty, a pattern is wrong, or two files of a folder
        belong to the same video.
    """
    landmarks = _by_name(config, 'landmarks')
    if not config.labels:
        return [Pair(name, path, None) for name, path in landmarks.items()], []
    labels = _by_name(config, 'labels')
    alone = [
        f'{path}: found no {other_key} of video {name!r} in {folder}'
        for mine, other, other_key, folder in (
            (landmarks, labels, 'label file', config.labels),
            (labels, landmarks, 'landmarks', config.landmarks),
        )
        for name, path in mine.items()
        if name not in other
    ]
    both = [name for name in landmarks if name in labels]
    return [Pair(name, landmarks[name], labels[name]) for name in both], alone


def video_name(path: pathlib.Path, pattern: str) -> str:
    """The name of the video that a file or an OpenPose folder is about.

    Args:
      pattern: of the name without extensions, with one `*`; a name that does not fit is taken as
        it is.
    """
    name = path.name
    if not path.is_dir():
        name = name.removesuffix('.xz').removesuffix('.gz')
        name = name.rpartition('.')[0] or name
    name = unicodedata.normalize('NFC', name)  # as macOS writes it, it would differ
    before, _, after = pattern.partition('*')
    if name.startswith(before) and name.endswith(after) and len(name) > len(before + after):
        name = name[len(before) : len(name) - len(after)]
    return name


def _by_name(config: ConfigDict, key: str) -> dict[str, pathlib.Path]:
    """Name of the video to path, in the order of the names."""
    pattern = config[f'{key}_name']
    if pattern.count('*') != 1:
        raise InputError(f'prepare.{key}_name: found {pattern!r}, expected a pattern with one *')
    found: dict[str, pathlib.Path] = {}
    for path in _entries(pathlib.Path(config[key]), f'prepare.{key}'):
        name = video_name(path, pattern)
        if name in found:
            raise InputError(f'{path}: video {name!r}: found in {found[name].name} too')
        found[name] = path
    return dict(sorted(found.items()))


def _entries(path: pathlib.Path, key: str) -> list[pathlib.Path]:
    """The path itself where it is one video, else what is in the folder."""
    if not path.exists():
        raise InputError(f'{key}: {path} not found')
    if not path.is_dir() or is_recording(path):
        return [path]
    entries = [entry for entry in sorted(path.iterdir()) if not entry.name.startswith('.')]
    if not entries:
        raise InputError(f'{key}: {path} is empty, expected a file per video')
    return entries
