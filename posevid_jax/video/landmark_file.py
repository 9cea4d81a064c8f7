"""The landmark file of a video: a pose CSV, compressed, that says what it was made with.

A row a person and frame, and one for a frame without anybody: `frame`, `time_ms`, `person_id` (of a
person who is followed from frame to frame) and four columns a joint. What is said once, in the
first row, stands in the last columns.
"""

import csv
import dataclasses
import gzip
import pathlib

import numpy as np

from posevid_jax.data.landmarks import people
from posevid_jax.machine.atomic import atomic_file

SUFFIX = '.csv.gz'
_AXES = ('x', 'y', 'z', 'visibility')
_LEVEL = 4  # of compression


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """What a landmark file was made of, and with.

    Attributes:
      video: name of the file.
      video_width, video_height: of the picture, upright and in square pixels.
      stated_rate: frames per second by the video's container, '' where it says none. Readers go by
        the times.
      not_decoded: what of the video could not be read, '' for nothing.
      estimator: with its version.
      model: name of the model file.
      model_sha256: its sum.
      most_people: found in a frame.
    """

    video: str
    video_width: str
    video_height: str
    stated_rate: str
    not_decoded: str
    estimator: str
    model: str
    model_sha256: str
    most_people: str


_FIELDS = tuple(field.name for field in dataclasses.fields(Made))


def write(
    path: pathlib.Path,
    made: Made,
    joint_names: tuple[str, ...],
    seconds: list[float],
    found: list[np.ndarray],
) -> None:
    """Writes the file, whole or not at all.

    Args:
      path: ends in `SUFFIX`.
      joint_names: J.
      seconds: of each of T frames.
      found: T arrays [P, J, 4], the people in each frame.

    Raises:
      InputError: it cannot be written.
    """
    import pandas as pd  # here, so that whoever only reads what a file says need not wait

    counts = np.array([len(one) for one in found])
    nobody = np.full((1, len(joint_names), 4), np.nan, np.float32)
    joints = np.concatenate([one if len(one) else nobody for one in found])  # [D, J, 4]
    frame = np.repeat(np.arange(len(found)), np.maximum(counts, 1))
    time = np.array(seconds)
    square = joints * np.array([int(made.video_width) / int(made.video_height), 1, 1, 1])
    rate = (len(time) - 1) / max(time[-1] - time[0], 1e-3)
    seen, person = counts[frame] > 0, np.full(len(frame), '', object)
    person[seen] = people.chains(frame[seen], square[seen], rate)
    columns = [f'{joint}_{axis}' for joint in joint_names for axis in _AXES]
    table = pd.DataFrame(joints.reshape(len(joints), -1), columns=columns)
    table.insert(0, 'frame', frame)
    table.insert(1, 'time_ms', 1000 * time[frame])
    table.insert(2, 'person_id', person)
    once = pd.DataFrame([dataclasses.asdict(made)])
    table = pd.concat([table, once], axis=1)
    with (
        atomic_file(path) as temporary,
        temporary.open('wb') as file,
        gzip.GzipFile('', 'wb', _LEVEL, file, mtime=0) as compressed,  # the same bytes each time
    ):
        table.to_csv(compressed, mode='wb', index=False, float_format='%.5f')


def read_made(path: pathlib.Path) -> Made | None:
    """What a landmark file says it was made with; None for one that `write` did not write."""
    try:
        with gzip.open(path, 'rt', newline='') as file:
            row = next(csv.DictReader(file), {})
        return Made(**{name: row[name] for name in _FIELDS})
    except (OSError, EOFError, ValueError, KeyError, csv.Error):
        return None
