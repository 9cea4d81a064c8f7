"""Videos for tests, made by PyAV: a grey picture with a white square for each person."""

import fractions
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
import pytest

av = pytest.importorskip('av', reason='PyAV is not installed: the extra `video`')

WIDTH, HEIGHT, RATE = 64, 48, 25
LEFT, RIGHT = (8, 8), (40, 8)
SQUARE = 16


def picture(*people: tuple[int, int]) -> np.ndarray:
    """[H, W, 3] with a square whose upper left corner is at (x, y) for each of the people."""
    made = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for x, y in people:
        made[y : y + SQUARE, x : x + SQUARE] = 255
    return made


def video(
    path: pathlib.Path,
    pictures: Sequence[np.ndarray],
    times: Sequence[float] | None = None,
    prepare: Callable[..., None] = lambda stream: None,
) -> pathlib.Path:
    """Writes pictures with their times in seconds, by default at RATE; some bytes for each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {'movflags': 'faststart'} if path.suffix == '.mp4' else {}
    with av.open(path, 'w', options=options) as c:
        stream = c.add_stream('mpeg4', rate=RATE)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = 'yuv420p'
        stream.time_base = stream.codec_context.time_base = fractions.Fraction(1, 1000)
        stream.codec_context.gop_size = 5
        prepare(stream)
        for k, made in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(made, format='rgb24')
            frame.pts = round(1000 * (k / RATE if times is None else times[k]))
            frame.time_base = fractions.Fraction(1, 1000)
            c.mux(stream.encode(frame))
        c.mux(stream.encode())
    return path


def sound(path: pathlib.Path, cover: bool) -> pathlib.Path:
    """A file of sound alone, perhaps with the picture of a cover."""
    with av.open(path, 'w', format='mp4') as c:
        stream = c.add_stream('aac', rate=8000)
        if cover:
            still = c.add_stream('mjpeg', rate=1)
            still.width, still.height, still.pix_fmt = WIDTH, HEIGHT, 'yuvj420p'
            still.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(picture(), format='rgb24')
            frame.pts = 0
            for packet in (*still.encode(frame), *still.encode()):
                c.mux(packet)
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format='fltp', layout='mono')
        frame.sample_rate = 8000
        c.mux(stream.encode(frame))
        c.mux(stream.encode())
    return path
