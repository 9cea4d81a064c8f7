"""The frames of a video with their own times, upright and in square pixels, by PyAV."""

import pathlib
from collections.abc import Iterator

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition

from posevid_jax.data.files import open_regular
from posevid_jax.errors import InputError
from posevid_jax.video.estimator import Frame

_OF_PICTURES = '_pipe'  # how FFmpeg's names of formats end that hold a picture
# A stream may end so many seconds before the length that its container states.
_SHORTER = 0.5
_ONE = 1 << 16  # in the fixed-point numbers of a display matrix


class VideoFile:
    """The first video stream of a file, to be read once.

    Attributes:
      rate: frames per second that the file states, or None.
      not_decoded: when the frames have been read, what could not be, '' for nothing.
    """

    def __init__(self, path: pathlib.Path):
        """Opens the file.

        Raises:
          InputError: it is missing, or no video.
        """
        self._path = path
        self._file = open_regular(path)
        try:
            self._container = av.open(self._file, 'r')
        except (FFmpegError, ValueError) as error:
            self._file.close()
            raise InputError(
                f'{path}: found no video that can be opened ({_reason(error)})'
            ) from None
        try:
            self._stream = self._video_stream()
        except InputError:
            self.close()
            raise
        rate = self._stream.guessed_rate or self._stream.average_rate
        self.rate = float(rate) if rate else None
        self.not_decoded = ''

    def _video_stream(self) -> av.VideoStream:
        kind = self._container.format.name
        if kind.endswith(_OF_PICTURES):
            raise InputError(f'{self._path}: found a picture, expected a video')
        for stream in self._container.streams.video:
            if not stream.disposition & Disposition.attached_pic:  # the cover of a song
                return stream
        found = {stream.type for stream in self._container.streams} - {'video'}
        found = ' and '.join(sorted(found)) or 'nothing'
        raise InputError(f'{self._path}: found {found} alone, expected a video')

    def __enter__(self) -> 'VideoFile':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def frames(self) -> Iterator[Frame]:
        """Every frame that can be decoded, in the order of showing.

        Raises:
          InputError: there is none, or the file says no times.
        """
        started = (self._container.start_time or 0) / av.time_base
        seconds, count, damaged = 0.0, 0, 0
        for found in self._decoded():
            if found is None:
                damaged += 1
                continue
            if found.pts is not None:
                seconds = found.time - started
            elif self.rate:  # a stream without a container has no times
                seconds = count / self.rate
            else:
                raise InputError(f'{self._path}: found frames without times or a rate')
            count += 1
            yield Frame(seconds, self._upright(found))
        if not count:
            raise InputError(f'{self._path}: found no frame that can be decoded')
        self.not_decoded = self._lost(seconds, count, damaged)

    def _decoded(self) -> Iterator[av.VideoFrame | None]:
        """Frames, and None for each packet that cannot be decoded."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:  # the file breaks off
                packet = None
            if packet is None:
                return
            try:
                yield from packet.decode()
            except FFmpegError:
                yield None

    def _lost(self, seconds: float, count: int, damaged: int) -> str:
        """What is missing after `count` frames, the last of them at `seconds`."""
        stream = self._stream
        if stream.duration is not None and stream.time_base is not None:
            stated = float(stream.duration * stream.time_base)
        else:
            stated = (self._container.duration or 0) / av.time_base
        end = seconds + (seconds / (count - 1) if count > 1 else 0)
        parts = [f'{damaged} damaged packets'] * bool(damaged)
        if stated - end > _SHORTER:
            parts.append(f'the frames end after {end:.1f} of {stated:.1f} s')
        return ', '.join(parts)

    def _upright(self, frame: av.VideoFrame) -> np.ndarray:
        """[H, W, 3] as a player shows it."""
        shape = self._stream.sample_aspect_ratio or 1
        picture = frame.to_ndarray(format='rgb24', width=max(round(frame.width * shape), 1))
        matrix = frame.side_data.get('DISPLAYMATRIX')
        if matrix is not None:
            picture = turned(picture, np.frombuffer(bytes(matrix), np.int32))
        return np.ascontiguousarray(picture)


def turned(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A picture [H, W, 3] as its display matrix says, by quarter turns and mirroring.

    Args:
      matrix: [9], (a, b, u, c, d, v, x, y, w) in fixed point: a point (p, q) of the picture is
        shown at (a p + c q + x, b p + d q + y). ISO/IEC 14496-12, 6.2.2.
    """
    a, b, c, d = (int(matrix[k]) / _ONE for k in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture = picture.swapaxes(0, 1)
        right, down = c, b
    else:
        right, down = a, d
    if down < 0:
        picture = picture[::-1]
    return picture[:, ::-1] if right < 0 else picture


def _reason(error: Exception) -> str:
    return getattr(error, 'strerror', None) or str(error)
