"""From a label file to the intervals of a video, or of several, by a reader that fits its content.

A format is a file of this folder and an entry of the table here.
"""

import pathlib
import unicodedata

from posevid_jax.data.intervals import Intervals
from posevid_jax.data.labels import audacity, elan, events, label_csv, label_json
from posevid_jax.data.landmarks.content import read_bytes
from posevid_jax.errors import InputError

_READERS = (elan, label_json, audacity, label_csv)


def read_intervals(path: pathlib.Path, max_mb: int, unit: str = '') -> Intervals:
    """The intervals of a file of one video.

    Args:
      path: the file.
      max_mb: MiB of its content at most.
      unit: of its numbers, one of `events.UNITS`; '' for what the file says.

    Raises:
      InputError: it cannot be read, or is of several videos.
    """
    found = read_videos(path, max_mb, unit)
    if len(found) > 1:
        names = ', '.join(sorted(found)[:3])
        raise InputError(
            f'{path}: found labels of {len(found)} videos ({names}, ...), expected one; a file of '
            'several goes into prepare.labels itself'
        )
    return next(iter(found.values()))


def read_videos(path: pathlib.Path, max_mb: int, unit: str = '') -> dict[str, Intervals]:
    """The intervals of each video of a file, by `video_key`; '' is that of a file of one.

    Args and errors: as for `read_intervals`.
    """
    content = read_bytes(path, max_mb)
    reader = next(reader for reader in _READERS if reader.recognises(content))
    found, own_unit = reader.read(path, content)
    names = dict.fromkeys(video_key(event.video) for event in found) or {'': None}
    return {
        name: events.intervals(
            [event for event in found if video_key(event.video) == name], unit or own_unit
        )
        for name in names
    }


def video_key(name: str) -> str:
    """A video's name without folders and endings, composed as in Unicode NFC."""
    name = unicodedata.normalize('NFC', name.strip().replace('\\', '/').rpartition('/')[2])
    stem, dot, ending = name.rpartition('.')
    return stem if dot and len(ending) <= 4 and not ending.isdigit() else name
