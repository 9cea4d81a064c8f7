"""A film of each recording, to show to others: over its video, where that is known."""

import importlib.util
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.pairing import video_name
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation import overlay
from posevid_jax.inference import recording_files
from posevid_jax.inference.video_events import Video
from posevid_jax.machine import processes
from posevid_jax.machine.atomic import atomic_file
from posevid_jax.machine.progress import counted
from posevid_jax.video import gif
from posevid_jax.video.estimator import Frame
from posevid_jax.video.worker import INSTALL

# Pixels of the longer side of a picture: a smaller one is enlarged, so that text can be read.
_LEAST, _PLAIN, _MOST = 640, 960, 1280


class Films(NamedTuple):
    """How films are made.

    Attributes:
      videos: the files to draw over, by the name of the recording; others get a plain background.
      ending: of the films: .mp4, or .gif where PyAV is missing.
    """

    videos: Mapping[str, pathlib.Path]
    ending: str


def plan(config: ConfigDict) -> Films | None:
    """What `predict.overlay` asks for; None for nothing.

    Raises:
      InputError: videos are named and not there, or PyAV, which reads them, is not installed.
    """
    if not config.predict.overlay:
        return None
    key = 'predict.overlay_videos' if config.predict.overlay_videos else 'prepare.videos'
    source = config.predict.overlay_videos or config.prepare.videos
    if importlib.util.find_spec('av') is None:
        if source:
            raise InputError(f'predict.overlay: drawing over {source} takes {INSTALL} (no PyAV)')
        print(
            f'predict.overlay: without PyAV, overlays are GIFs of the first {gif.MOST_SECONDS} s; '
            f'mp4 takes {INSTALL}'
        )
        return Films({}, '.gif')
    pattern = config.prepare.landmarks_name
    return Films(_videos(pathlib.Path(source), key, pattern) if source else {}, '.mp4')


def _videos(path: pathlib.Path, key: str, pattern: str) -> dict[str, pathlib.Path]:
    if not path.exists():
        raise InputError(f'{key}: {path} not found')
    found: dict[str, pathlib.Path] = {}
    for entry in sorted(path.iterdir()) if path.is_dir() else [path]:
        if entry.is_file() and not entry.name.startswith('.'):
            name = video_name(entry, pattern)
            if (other := found.setdefault(name, entry)) != entry:
                raise InputError(f'{entry}: video {name!r}: found in {other.name} too')
    return found


def write(
    folder: pathlib.Path, videos: Sequence[Video], class_names: Sequence[str], films: Films
) -> None:
    """Writes the film of each recording, one after the other, each whole or not at all.

    Args:
      folder: for the films, `VIDEO.mp4` or `VIDEO.gif`.
      videos: what was found in the recordings.
      class_names: of the run.
      films: from `plan`.

    Raises:
      InputError: a video cannot be read, or a file cannot be written.
    """
    if not processes.is_first():
        return
    plain = 0
    for number, video in enumerate(videos, start=1):
        name = video.recording.name
        source = films.videos.get(name)
        plain += source is None
        film = _Film(video, class_names, f'overlay {number}/{len(videos)}')
        with atomic_file(folder / f'{name}{films.ending}') as temporary:
            if films.ending == '.gif':
                film.write_gif(temporary)
            elif source is None:
                film.write_plain(temporary)
            else:
                film.write_over(source, temporary)
    rest = f', {plain} of them without a video' if plain else ''
    print(f'{folder}: {len(videos)} overlays{rest}')


class _Film(NamedTuple):
    """The film of a recording, in either form."""

    video: Video
    class_names: Sequence[str]
    title: str

    def write_over(self, source: pathlib.Path, path: pathlib.Path) -> None:
        from posevid_jax.video import film, frames

        with frames.VideoFile(source) as file:
            rate = file.rate or self.video.recording.fps
            count = round(rate * self.video.seconds[-1])
            drawn = self._drawn(_enlarged(file.frames()), overlay.View(), count)
            film.write(path, drawn, rate)
        if file.not_decoded:
            print(printable(f'{source}: {file.not_decoded}; what could be decoded is shown'))

    def write_plain(self, path: pathlib.Path) -> None:
        from posevid_jax.video import film

        recording = self.video.recording
        film.write(path, self._drawn_plain(recording.time, _PLAIN), recording.fps)

    def write_gif(self, path: pathlib.Path) -> None:
        seconds = gif.times(self.video.seconds)
        gif.write(path, self._drawn_plain(seconds[:-1], _LEAST), seconds)

    def _drawn_plain(self, seconds: np.ndarray, longest: int) -> Iterator[Frame]:
        recording = self.video.recording
        picture = overlay.plain(*_size(recording.aspect, 1, longest, longest))
        frames = (Frame(float(time), picture) for time in seconds)
        return self._drawn(frames, overlay.close_up(recording), len(seconds))

    def _drawn(self, frames: Iterable[Frame], view: overlay.View, count: int) -> Iterator[Frame]:
        video, class_names = self.video, self.class_names
        drawn = overlay.pictures(
            frames,
            video.recording,
            recording_files.timeline_of(video, class_names),
            [class_names[video.label_of(event)] for event in video.events],
            view,
        )
        return counted(drawn, self.title, 'frames', count)


def _enlarged(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Frames in the size of the first, if that is a good one."""
    from posevid_jax.video import film

    size = None
    for frame in frames:
        height, width = frame.picture.shape[:2]
        size = size or _size(width, height, _LEAST, _MOST)
        yield Frame(frame.seconds, film.resized(frame.picture, *size))


def _size(width: float, height: float, least: int, most: int) -> tuple[int, int]:
    """Width and height of a picture whose longer side is within limits; both are even."""
    longer = max(width, height)
    scale = float(np.clip(longer, least, most)) / longer
    return 2 * max(round(scale * width / 2), 1), 2 * max(round(scale * height / 2), 1)
