"""What a process does that finds people in videos.

It is apart from JAX, prints nothing, and may be lost to a decoder that crashes.
"""

import multiprocessing
import os
import pathlib
import threading
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import NamedTuple

from posevid_jax.errors import InputError
from posevid_jax.video import estimator, landmark_file
from posevid_jax.video.landmark_file import Made

INSTALL = "pip install 'posevid-jax[video]'"


class Model(NamedTuple):
    """What finds people.

    Attributes:
      row: of the table of estimators.
      path: the model file.
      sha256: its sum.
      most_people: to find in a frame.
    """

    row: str
    path: pathlib.Path
    sha256: str
    most_people: int


class Shared(NamedTuple):
    """What the processes have in common.

    Attributes:
      frames: number of frames done.
      stop: set when no more are wanted.
    """

    frames: 'Synchronized[int]'
    stop: Event


_shared: Shared | None = None


def start(shared: Shared) -> None:
    """Begins the work of a process."""
    global _shared
    _shared = shared
    # FFmpeg's and MediaPipe's libraries narrate, past Python: errors are told by exceptions.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def try_out(model: Model) -> None:
    """Reads the model once.

    Raises:
      InputError: it cannot be read, or what it takes is not installed.
    """
    try:
        from posevid_jax.video import frames  # noqa: F401

        estimator.load(model.row, model.path, model.most_people).close()
    except (ImportError, OSError) as error:
        raise InputError(f'prepare.videos: reading videos takes {INSTALL} ({error})') from None


def extract(model: Model, video: pathlib.Path, landmarks: pathlib.Path) -> str:
    """Finds the people of a video, and writes its landmark file.

    Returns:
      what of the video could not be decoded, '' for nothing.

    Raises:
      InputError: the file is no video, or has no frames.
    """
    from posevid_jax.video.frames import VideoFile

    assert _shared is not None
    landmarks.unlink(missing_ok=True)  # an earlier one: should this fail, nobody takes it for new
    seconds, found, size = [], [], (0, 0)
    poses = estimator.load(model.row, model.path, model.most_people)
    try:
        with VideoFile(video) as file:
            for frame in file.frames():
                if _shared.stop.is_set():
                    raise InputError(f'{video}: stopped')
                seconds.append(frame.seconds)
                found.append(poses.people(frame))
                size = size if len(found) > 1 else frame.picture.shape[1::-1]
                with _shared.frames.get_lock():
                    _shared.frames.value += 1
    finally:
        poses.close()
    made = Made(
        video=video.name,
        video_width=str(size[0]),
        video_height=str(size[1]),
        stated_rate=f'{file.rate:g}' if file.rate else '',
        not_decoded=file.not_decoded,
        estimator=poses.name,
        model=model.path.name,
        model_sha256=model.sha256,
        most_people=str(model.most_people),
    )
    landmark_file.write(landmarks, made, poses.joint_names, seconds, found)
    return file.not_decoded
