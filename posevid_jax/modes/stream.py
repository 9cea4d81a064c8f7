"""Mode stream: frames as JSON lines in, probabilities and events as JSON lines out."""

import json
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.inference.events import Event
from posevid_jax.inference.restore import restore
from posevid_jax.inference.stream import Stream, Update
from posevid_jax.inference.trained_run import TrainedRun


def stream(config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best') -> None:
    """Answers standard input on standard output with a run.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Raises:
      InputError: the run cannot be read, or a line is not as expected.
    """
    serve(restore(config, workdir, checkpoint), sys.stdin, sys.stdout)


def serve(run: TrainedRun, source: TextIO, sink: TextIO) -> None:
    """Reads lines until there are no more, and answers each frame with a line at once.

    The first line is `{"fps": 30, "video_size": [width, height], "joint_names": [...]}`; the names
    may be left out (see `Stream`). Each other one is a frame, `{"joints": [[x, y, z, visibility],
    null, ...]}`, null for a joint that was not found.

    Args:
      run: what answers.
      source, sink: to read from and to write to.

    Raises:
      InputError: a line that is not as expected; what came before has been answered.
    """
    lines = _values(source)
    stream = _open(run, next(lines, None))
    fps, names = float(stream.fps), stream.class_names
    try:
        for where, value in lines:
            print(
                json.dumps(_answer(_push(stream, where, value), fps, names)), file=sink, flush=True
            )
        last = [_change(change, fps, names) for change in stream.finish()]
        if last:
            print(json.dumps({'changes': last}), file=sink, flush=True)
    except BrokenPipeError:
        # The reader has gone: nothing is left to say, not at the exit of Python either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sink.fileno())


def _values(source: TextIO) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(source, start=1):
        where = f'stdin: line {number}'
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise InputError(f'{where}: not JSON ({error})') from None
        if not isinstance(value, dict):
            raise InputError(f'{where}: found {line.strip()[:40]}, expected an object {{...}}')
        yield where, value


def _open(run: TrainedRun, first: tuple[str, dict[str, Any]] | None) -> Stream:
    where, about = first or ('stdin: line 1', {})
    size = about.get('video_size')
    numbers = [about.get('fps'), *(size if isinstance(size, list) else [])]
    if len(numbers) != 3 or not all(type(n) in (int, float) and 0 < n < 1e9 for n in numbers):
        raise InputError(
            f'{where}: found {json.dumps(about)[:60]}, expected '
            '{"fps": 30, "video_size": [width, height]}, numbers above 0'
        )
    names = about.get('joint_names')
    if names is not None and not (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ):
        raise InputError(f'{where}: joint_names: expected a list of names')
    fps, width, height = numbers
    stream = Stream(run, fps=fps, aspect=width / height, joint_names=names)
    if stream.run_fps != fps:
        print(
            f'{where}: fps: {fps:g} frames a second are resampled to the {stream.run_fps:g} that '
            f'{run.workdir} was trained on',
            file=sys.stderr,
        )
    return stream


def _push(stream: Stream, where: str, value: dict[str, Any]) -> Update:
    joints = value.get('joints')
    if not isinstance(joints, list):
        raise InputError(f'{where}: joints: expected a list of [x, y, z, visibility] or null')
    missing = [None] * 4
    try:
        array = np.array([missing if joint is None else joint for joint in joints], np.float32)
    except (ValueError, TypeError):
        raise InputError(
            f'{where}: joints: expected [x, y, z, visibility] or null for each joint'
        ) from None
    try:
        return stream.push(array)
    except InputError as error:
        raise InputError(f'{where}: {error}') from None


def _answer(update: Update, fps: float, class_names: tuple[str, ...]) -> dict[str, Any]:
    answer = {
        'frame': update.frame,
        'seconds': round(update.frame / fps, 6),
        'prob': round(update.prob, 6),
        'uncertain': bool(update.uncertain),
        'changes': [_change(change, fps, class_names) for change in update.changes],
    }
    if len(class_names) > 2:
        answer['probs'] = dict(zip(class_names, update.probs.round(6).tolist(), strict=True))
    return answer


def _change(change: tuple[str, Event], fps: float, class_names: tuple[str, ...]) -> dict[str, Any]:
    kind, event = change
    label = {} if event.label is None else {'label': class_names[event.label]}
    return {
        'change': kind,
        'start_frame': event.start,
        'end_frame': event.end - 1,
        'start_seconds': round(event.start / fps, 6),
        'end_seconds': round(event.end / fps, 6),
        'confidence': round(event.confidence, 6),
    } | label
