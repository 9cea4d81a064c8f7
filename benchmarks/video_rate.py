"""How many frames a second people are found in, by MediaPipe, for one and two people and processes.

    python -m benchmarks.video_rate --model=pose_landmarker_full.task

needs `pip install -e '.[video]' scikit-image`, whose picture of an astronaut slides through videos
of 1280 x 720. CPU seconds are those of all processes, their start and reading the model included.
"""

import pathlib
import resource
import tempfile
import time

import av
import numpy as np
from absl import app, flags
from skimage.data import astronaut

from posevid_jax.config import get_config
from posevid_jax.evaluation.table import Table
from posevid_jax.video import extract

_MODEL = flags.DEFINE_string('model', None, 'the model bundle', required=True)
_FRAMES = flags.DEFINE_integer('frames', 600, 'of each of two videos')
_HEIGHT, _WIDTH = 720, 1280


def write_video(path: pathlib.Path, people: int, frames: int) -> None:
    """An astronaut, or two beside each other, who slide to and fro."""
    astronauts = np.hstack([astronaut()] * people)
    height, width = astronauts.shape[:2]
    with av.open(path, 'w') as container:
        stream = container.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, 'yuv420p'
        for k in range(frames):
            picture = np.full((_HEIGHT, _WIDTH, 3), 90, np.uint8)
            left = round((1 + np.sin(k / 20)) * 50)
            picture[-height:, left : left + width] = astronauts
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())


def _seconds(folder: pathlib.Path, most: int, processes: int) -> tuple[float, float]:
    """Seconds of the clock and of processors to find people in all videos of a folder."""
    config = get_config()
    config.prepare.update(
        videos=str(folder), pose_model=_MODEL.value, video_people=most, video_processes=processes
    )
    settings = extract.with_landmarks(config).prepare
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    extract.extract(settings, print)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begin, spent


def main(_: list[str]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for people in (1, 2):
            folder = pathlib.Path(name, str(people))
            folder.mkdir()
            for film in ('a', 'b'):
                write_video(folder / f'{film}.mp4', people, _FRAMES.value)
            for most, processes in ((1, 1), (2, 1), (2, 2)):
                clock, spent = _seconds(folder, most, processes)
                count = 2 * _FRAMES.value
                numbers = (f'{count / clock:.1f}', f'{1000 * spent / count:.0f}')
                rows.append((str(people), str(most), str(processes), *numbers))
                for file in pathlib.Path(f'{folder}_landmarks').iterdir():
                    file.unlink()
    header = ('people', 'video_people', 'video_processes', 'frames/s', 'CPU ms a frame')
    print('\n'.join(Table('MediaPipe', header, rows).lines()))


if __name__ == '__main__':
    app.run(main)
