"""From videos to landmark files, those that are missing or out of date, in other processes."""

import os
import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import tqdm
from ml_collections import ConfigDict

from posevid_jax.data import manifest
from posevid_jax.errors import InputError, printable
from posevid_jax.machine import processes
from posevid_jax.video import estimator, landmark_file, worker
from posevid_jax.video.worker import Model, Shared

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 0.5
_FOLDER = '_landmarks'

Videos = dict[pathlib.Path, pathlib.Path]
"""Landmark files by video."""


def with_landmarks(config: ConfigDict) -> ConfigDict:
    """The configuration whose `prepare.landmarks` names where the landmark files of videos go.

    That is the folder VIDEOS_landmarks unless one is named; without `prepare.videos`, nothing is
    changed.
    """
    if not config.prepare.videos:
        return config
    config = config.copy_and_resolve_references()
    if not config.prepare.landmarks:
        videos = pathlib.Path(config.prepare.videos)
        if videos.name in ('', '..'):
            videos = videos.resolve()
        name = videos.stem if videos.is_file() else videos.name
        config.prepare.landmarks = str(videos.with_name(f'{name}{_FOLDER}'))
    return config


def extract(settings: ConfigDict, fail: Callable[[str], None]) -> None:
    """Writes a landmark file into `prepare.landmarks` for each video of `prepare.videos`.

    One that was written after its video changed, with the same model file, stays. Without
    `prepare.videos`, nothing is done.

    Args:
      settings: `config.prepare` from `with_landmarks`.
      fail: is called with a line for each video that cannot be used; may raise InputError.

    Raises:
      InputError: a key is wrong, the extra is not installed, or none of the videos can be used.
    """
    if not settings.videos:
        return
    if processes.is_first():
        _extract(settings, fail)
    processes.wait_for_all('landmarks of videos')


def _extract(settings: ConfigDict, fail: Callable[[str], None]) -> None:
    model = _model(settings)
    videos = _videos(settings)
    missing = {}
    for video, landmarks in videos.items():
        made = _up_to_date(video, landmarks, model)
        if made is None:
            missing[video] = landmarks
        elif made.not_decoded:
            print(_not_decoded(video, made.not_decoded))
    if len(missing) < len(videos):
        kept = len(videos) - len(missing)
        print(f'{settings.landmarks} has the landmarks of {kept} of {len(videos)} videos')
    if missing:
        _check_folder(pathlib.Path(settings.landmarks))
        _in_processes(missing, model, settings.video_processes, fail)
    if not any(landmarks.exists() for landmarks in videos.values()):
        raise InputError(f'prepare.videos: {settings.videos} holds no usable video')


def _model(settings: ConfigDict) -> Model:
    for key in ('video_people', 'video_processes'):
        if settings[key] < 1:
            raise InputError(f'prepare.{key}: found {settings[key]}, expected at least 1')
    if not settings.pose_model:
        raise InputError(
            'prepare.pose_model: not given, expected the model file of a pose estimator, such as '
            "MediaPipe's pose_landmarker_full.task"
        )
    path = pathlib.Path(settings.pose_model)
    row = estimator.class_for(path)
    try:
        return Model(row, path, manifest.sha256(path), settings.video_people)
    except InputError as error:
        raise InputError(f'prepare.pose_model: {error}') from None


def _videos(settings: ConfigDict) -> Videos:
    path, folder = pathlib.Path(settings.videos), pathlib.Path(settings.landmarks)
    if not path.exists():
        raise InputError(f'prepare.videos: {path} not found')
    entries = sorted(path.iterdir()) if path.is_dir() else [path]
    entries = [entry for entry in entries if not entry.name.startswith('.')]
    if not entries:
        raise InputError(f'prepare.videos: {path} is empty, expected videos')
    found: Videos = {}
    by_name: dict[str, pathlib.Path] = {}
    for video in entries:
        if (other := by_name.setdefault(video.stem, video)) != video:
            raise InputError(f'{video}: video {video.stem!r}: found in {other.name} too')
        found[video] = folder / f'{video.stem}{landmark_file.SUFFIX}'
    return found


def _up_to_date(
    video: pathlib.Path, landmarks: pathlib.Path, model: Model
) -> landmark_file.Made | None:
    """What a landmark file was made with, None for one that is to be made.

    Raises:
      InputError: there is one of another origin, which is not replaced.
    """
    if not landmarks.exists():
        return None
    made = landmark_file.read_made(landmarks)
    if made is None:
        raise InputError(
            f'{landmarks}: found a file that was not made of {video}, expected none: '
            'prepare.landmarks names another folder'
        )
    same = (made.model_sha256, made.most_people) == (model.sha256, str(model.most_people))
    newer = landmarks.stat().st_mtime >= video.stat().st_mtime
    return made if same and newer else None


def _check_folder(folder: pathlib.Path) -> None:
    """Makes the folder, before anything is extracted that could not be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'prepare.landmarks: {folder}: {error.strerror}') from None
    if not os.access(folder, os.W_OK):
        raise InputError(
            f'prepare.landmarks: {folder} cannot be written to, expected a folder for the files'
        )


def _in_processes(videos: Videos, model: Model, count: int, fail: Callable[[str], None]) -> None:
    context = get_context('spawn')  # forking would copy the threads of JAX in the middle of work
    shared = Shared(context.Value('q', 0), context.Event())
    pool = futures.ProcessPoolExecutor(
        min(count, len(videos)), context, worker.start, initargs=(shared,)
    )
    left = [model.path]
    try:
        pool.submit(worker.try_out, model).result()
        left = list(videos)
        work = {
            pool.submit(worker.extract, model, video, landmarks): video
            for video, landmarks in videos.items()
        }
        for done in _with_progress(work, shared):
            try:
                if lost := done.result():
                    tqdm.tqdm.write(_not_decoded(work[done], lost), file=sys.stderr)
            except InputError as error:
                fail(str(error))
            left.remove(work[done])
    except BrokenProcessPool:
        at = ' or '.join(str(video) for video in left[:count])  # they begin in this order
        raise InputError(
            f'prepare.videos: a process crashed at {at}, expected what can be read, and memory for '
            'it'
        ) from None
    finally:
        shared.stop.set()
        pool.shutdown(cancel_futures=True)


def _with_progress(
    work: dict[futures.Future[str], pathlib.Path], shared: Shared
) -> Iterator[futures.Future[str]]:
    """Yields what is done: one live line in a terminal, a line every ten seconds in a log."""
    live = sys.stderr.isatty()
    started = printed = time.monotonic()
    pending = set(work)
    with tqdm.tqdm(total=len(work), unit='video', disable=not live, dynamic_ncols=True) as bar:
        while pending:
            done, pending = futures.wait(pending, _SECONDS_BETWEEN_LOOKS, futures.FIRST_COMPLETED)
            now, frames = time.monotonic(), shared.frames.value
            started = started if frames else now
            text = f'{frames:,} frames, {frames / max(now - started, 1e-3):.1f} frames/s'
            bar.set_postfix_str(text)
            bar.update(len(done))
            yield from done
            if not live and (now - printed >= _SECONDS_BETWEEN_LINES or not pending):
                printed = now
                line = f'{len(work) - len(pending)}/{len(work)} videos, {text}'
                print(line, file=sys.stderr, flush=True)


def _not_decoded(video: pathlib.Path, lost: str) -> str:
    return printable(f'{video}: {lost}; what could be decoded is used')
