"""Which landmarks and which labels belong to the same video: those whose names agree."""

import dataclasses
import pathlib
import unicodedata
from collections.abc import Iterable

from ml_collections import ConfigDict

from posevid_jax.data.labels.read import read_videos, video_key
from posevid_jax.data.landmarks.read import is_recording
from posevid_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Pair:
    """The files of one video.

    Attributes:
      name: of the video.
      landmarks: its file, or OpenPose folder.
      labels: the file with its labels; None without one.
      labelled_as: the name that it has in there, as `read_videos` knows it; '' in a file of one.
      corrected: whether that file is of `prepare.corrections`.
    """

    name: str
    landmarks: pathlib.Path
    labels: pathlib.Path | None
    labelled_as: str = ''
    corrected: bool = False


def is_labelled(config: ConfigDict) -> bool:
    """Whether `config.prepare` names any labels."""
    return bool(config.labels or config.corrections)


def pair(config: ConfigDict, *, all_labelled: bool = True) -> tuple[list[Pair], list[str]]:
    """Pairs the files behind `prepare.landmarks` with those that label them.

    The name of a video is the name of its file without extensions and without what stands around
    the `*` of `prepare.landmarks_name` or `prepare.labels_name`: with `*_pose` and `*_full`,
    `7_pose.csv.xz` and `7_full.csv` are video 7, and so is `7.csv`. A label file of several videos
    names them itself.

    The labels of a video are those of the first that has any: each of `prepare.corrections` in
    turn, then `prepare.labels`.

    Args:
      config: `config.prepare`; where it names no labels, no video has a label file.
      all_labelled: where it names some, every file is to have a partner. Otherwise all landmarks
        are among the pairs, and labels may be about other videos.

    Returns:
      (pairs in the order of the names, a line for each file that should have a partner).

    Raises:
      InputError: a path does not exist or is empty, a pattern is wrong, two files of a folder
        belong to the same video, or a file of labels for several videos cannot be read.
    """
    landmarks = {
        name: Pair(name, path, None)
        for name, path in _by_name(config, config.landmarks, 'landmarks', 'landmarks').items()
    }
    if not is_labelled(config):
        return list(landmarks.values()), []
    sources = [(path, 'corrections') for path in config.corrections]
    sources += [(config.labels, 'labels')] if config.labels else []
    found: dict[str, Pair] = {}
    alone: dict[str, str] = {}
    for source, key in sources:
        for name, (path, labelled_as) in _labelled(config, source, key, landmarks).items():
            if name not in landmarks:
                line = f'{path}: found no landmarks of video {name!r} in {config.landmarks}'
                alone.setdefault(name, line)
            elif name not in found:
                found[name] = dataclasses.replace(
                    landmarks[name],
                    labels=path,
                    labelled_as=labelled_as,
                    corrected=key == 'corrections',
                )
    if not all_labelled:
        return list((landmarks | found).values()), []
    where = ', '.join(str(source) for source, _ in sources)
    lines = [
        f'{of.landmarks}: found no label file of video {name!r} in {where}'
        for name, of in landmarks.items()
        if name not in found
    ]
    both = [found[name] for name in landmarks if name in found]
    return both, lines + [alone[name] for name in sorted(alone)]


def _labelled(
    config: ConfigDict, source: str, key: str, landmarks: Iterable[str]
) -> dict[str, tuple[pathlib.Path, str]]:
    """By the name of a video, the file of a source that labels it, and its name in there."""
    path = pathlib.Path(source)
    if path.is_file():
        names = read_videos(path, config.max_file_mb, config.label_unit).keys()
        if set(names) != {''}:
            full = {video_key(name): name for name in landmarks}
            return {full.get(name, name): (path, name) for name in names}
    files = _by_name(config, source, key, 'labels')
    return {name: (file, '') for name, file in files.items()}


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


def _by_name(config: ConfigDict, source: str, key: str, pattern_of: str) -> dict[str, pathlib.Path]:
    """Name of the video to path, in the order of the names; `key` of `prepare` gave the source."""
    pattern = config[f'{pattern_of}_name']
    if pattern.count('*') != 1:
        raise InputError(
            f'prepare.{pattern_of}_name: found {pattern!r}, expected a pattern with one *'
        )
    found: dict[str, pathlib.Path] = {}
    for path in _entries(pathlib.Path(source), f'prepare.{key}'):
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
