"""What the user says about videos whose files do not: rate and size, for all or for each."""

from typing import NamedTuple

from ml_collections import ConfigDict


class Known(NamedTuple):
    """Of one video.

    Attributes:
      fps: frames per second, or None.
      size: width and height in pixels, or None.
      source: the key or the file that says the size, for messages.
      person: whom to keep, as `prepare.person`; '' as there.
    """

    fps: float | None = None
    size: tuple[float, float] | None = None
    source: str = 'prepare.video_size'
    person: str = ''


def known(config: ConfigDict, video: str) -> Known:
    """What `config.prepare` says about a video.

    Raises:
      InputError: the table of videos cannot be read.
    """
    width, height = config.video_size
    return Known(
        fps=float(config.fps) or None,
        size=(float(width), float(height)) if width and height else None,
    )
