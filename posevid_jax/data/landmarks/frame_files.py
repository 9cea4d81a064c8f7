"""Folders with a file a frame: which names belong together, and which frame each is."""

import pathlib
import re

from ml_collections import ConfigDict

from posevid_jax.errors import InputError

# A name that ends in the number of the frame, before what the tool adds.
_NUMBERED = re.compile(
    r'(?P<video>.*?)[_\-. ]?(?P<frame>\d{1,15})(?P<after>_keypoints)?\.(?P<kind>\w+)'
)


def first_of(folder: pathlib.Path, kind: str) -> pathlib.Path | None:
    """The first file of a folder whose name ends in a number and `.kind`, None without one."""
    files = (path for path in folder.iterdir() if _match(path, kind))
    return min(files, default=None)


def by_frame(
    folder: pathlib.Path, kind: str, where: str, config: ConfigDict
) -> dict[int, pathlib.Path]:
    """The files of a video by the number of the frame, ascending.

    Args:
      folder: of one video.
      kind: ending of the files, without the dot.
      where: folder and format, the beginning of messages.
      config: `config.prepare`: `max_file_mb` is for all files together.

    Raises:
      InputError: no such files, those of several videos, or more than the limit.
    """
    matches = [(match, path) for path in sorted(folder.iterdir()) if (match := _match(path, kind))]
    if not matches:
        raise InputError(f'{where}: found no files whose names end in a frame number and .{kind}')
    kinds = {(match['video'], match['after']): path.name for match, path in matches}
    if len(kinds) > 1:
        one, other, *_ = kinds.values()
        raise InputError(
            f'{where}: found {one} and {other}, of {len(kinds)} videos or kinds; expected a folder '
            'per video, with names that differ in the frame number alone'
        )
    size = sum(path.stat().st_size for _, path in matches)
    if size > config.max_file_mb * 2**20:
        raise InputError(
            f'{where}: found {size / 2**20:,.0f} MiB, expected at most {config.max_file_mb} '
            '(prepare.max_file_mb)'
        )
    return dict(sorted((int(match['frame']), path) for match, path in matches))


def _match(path: pathlib.Path, kind: str) -> re.Match[str] | None:
    match = _NUMBERED.fullmatch(path.name)
    return match if match and match['kind'].lower() == kind else None
