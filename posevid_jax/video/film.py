"""Pictures with their own times as an mp4, by PyAV."""

import fractions
import itertools
import pathlib
from collections.abc import Iterable

import av
import numpy as np
from av.codec.context import Flags

from posevid_jax.video.estimator import Frame

# H.264 is what every player and browser shows; MPEG-4 is what every build of FFmpeg can write.
_ENCODERS = {
    'libx264': {'preset': 'veryfast', 'crf': '20'},
    'libopenh264': {'b': '6M'},
    'mpeg4': {'q:v': '3'},
}
_TICKS = 90_000  # a second


def write(path: pathlib.Path, frames: Iterable[Frame], rate: float) -> None:
    """Writes an mp4 whose frames are shown when they say.

    Args:
      path: of the file, under any name.
      frames: one or more of one size, even in width and height, in the order of their times.
      rate: frames per second that the file states; the last frame is shown as long as the one
        before it, or for this time.
    """
    encoder = next(name for name in _ENCODERS if name in av.codecs_available)
    with av.open(path, 'w', format='mp4', options={'movflags': 'faststart'}) as container:
        stated = fractions.Fraction(rate).limit_denominator(1001)
        stream = container.add_stream(encoder, rate=stated, options=_ENCODERS[encoder])
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = 'yuv420p'
        stream.time_base = stream.codec_context.time_base = fractions.Fraction(1, _TICKS)
        stream.codec_context.flags |= Flags.frame_duration
        pairs = itertools.pairwise(itertools.chain(frames, [None]))
        length = round(_TICKS / rate)
        for number, (now, after) in enumerate(pairs):
            assert now is not None
            if number == 0:
                stream.height, stream.width = now.picture.shape[:2]
            length = round(_TICKS * (after.seconds - now.seconds)) if after else length
            frame = av.VideoFrame.from_ndarray(now.picture, format='rgb24')
            frame.time_base, frame.pts = stream.time_base, round(_TICKS * now.seconds)
            frame.duration = max(length, 1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """[H, W, 3] u8 in another size."""
    frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
    return frame.to_ndarray(format='rgb24', width=width, height=height)
