"""What mode prepare tells of its work: a table, every assumption once, and all of it as JSON."""

import collections
import dataclasses
import json
import pathlib
import re
from typing import Any

import numpy as np

from posevid_jax.data.intervals import Intervals
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.pairing import Pair
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import Table

SCHEMA_VERSION = 1
_MOST_ROWS = 12  # videos in the table: those with the most missing


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoReport:
    """What was read of a video.

    Attributes:
      video: its name.
      file: of the landmarks.
      frames: of the recording, those that the file lacks included.
      seconds: from the first to the last.
      missing: share of frames without a pose.
      longest_hole_s: seconds of the longest stretch of such frames.
      fps, fps_from: frames per second, and where they come from.
      aspect, size_from: width over height, and where it comes from.
      joints, joint_names_from: number of joints, and where their names come from.
      people: who was followed, in turn: person, first frame, frames.
      labels: seconds of each label.
      corrected: whether they are of `prepare.corrections`.
      clips: made of it.
      notes: what was assumed, or is odd.
    """

    video: str
    file: str
    frames: int
    seconds: float
    missing: float
    longest_hole_s: float
    fps: float
    fps_from: str
    aspect: float
    size_from: str
    joints: int
    joint_names_from: str
    people: tuple[tuple[str, int, int], ...]
    labels: dict[str, float]
    corrected: bool
    clips: int
    notes: tuple[str, ...]


@dataclasses.dataclass
class Report:
    """What was read, and what was left out, and why.

    Attributes:
      videos: one for each that was read.
      skipped: a line for each file that could not be used.
      left_out: number of videos or clips for each reason.
      beyond: names of videos whose labels reach more than a second beyond the landmarks.
    """

    videos: list[VideoReport] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)
    left_out: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    beyond: list[str] = dataclasses.field(default_factory=list)

    def as_json(self, settings: dict[str, Any]) -> dict[str, Any]:
        """All of it, JSON-ready.

        Args:
          settings: `config.prepare` as JSON.
        """
        return {
            'schema_version': SCHEMA_VERSION,
            'prepare': settings,
            'videos': len(self.videos),
            'clips': sum(video.clips for video in self.videos),
            'seconds': sum(video.seconds for video in self.videos),
            'notes': assumptions(self.videos),
            'left_out': dict(self.left_out),
            'labels_beyond': self.beyond,
            'skipped': self.skipped,
            'of_videos': [dataclasses.asdict(video) for video in self.videos],
        }


def of_video(
    pair: Pair, recording: Recording, intervals: Intervals | None, clips: int
) -> VideoReport:
    """The report of one video, as it was read, before it is resampled.

    Args:
      pair: its files.
      recording: of its landmarks.
      intervals: of its labels in seconds, None without.
      clips: made of it.
    """
    posed = np.asarray(np.isfinite(recording.joints).all(-1).any(-1))  # [T]
    edges = np.flatnonzero(np.diff(np.concatenate([[1], posed, [1]]).astype(np.int8)))
    holes = edges[1::2] - edges[::2]
    labels: dict[str, float] = collections.defaultdict(float)
    if intervals is not None:
        for start, end, label in zip(intervals.start, intervals.end, intervals.label, strict=True):
            labels[label] += float(end - start)
    origin = recording.origin
    assert origin is not None  # it was read from a file
    return VideoReport(
        video=pair.name,
        file=pair.landmarks.name,
        frames=len(recording.time),
        seconds=float(recording.time[-1] - recording.time[0] + 1 / recording.fps),
        missing=float(1 - posed.mean()),
        longest_hole_s=float(holes.max(initial=0) / recording.fps),
        fps=recording.fps,
        fps_from=origin.fps,
        aspect=recording.aspect,
        size_from=origin.size,
        joints=len(recording.joint_names),
        joint_names_from=origin.joint_names,
        people=origin.people,
        labels=dict(labels),
        corrected=pair.corrected,
        clips=clips,
        notes=(*origin.notes, *(intervals.notes if intervals else ())),
    )


def assumptions(videos: list[VideoReport]) -> list[dict[str, Any]]:
    """Each note once: `note` as of the first video, and the `videos` that have it.

    Notes that differ in numbers alone are one.
    """
    found: dict[str, dict[str, Any]] = {}
    for video in videos:
        for note in video.notes:
            kind = found.setdefault(re.sub(r'[\d.:]+', '#', note), {'note': note, 'videos': []})
            kind['videos'].append(video.video)
    return list(found.values())


def read_back(output: str) -> list[str]:
    """What the file beside prepared clips says of them; [] where there is none.

    Args:
      output: an archive or a folder of shards.

    Raises:
      InputError: the file is damaged.
    """
    path = pathlib.Path(f'{output}.json')
    if not path.is_file():
        return []
    try:
        found = json.loads(path.read_text())
        text = [
            f'prepared from {found["videos"]} videos, {found["seconds"] / 60:.1f} minutes, '
            f'{found["clips"]} clips'
        ]
        for kind in found['notes']:
            text.append(f'assumed in {len(kind["videos"])} videos: {kind["note"]}')
    except (ValueError, KeyError, TypeError, OSError):
        raise InputError(f'{path}: expected what --mode=prepare writes beside its clips') from None
    return text


def lines(report: Report, path: pathlib.Path) -> list[str]:
    """What a person reads: a table of videos, the assumptions, and what was left out."""
    shown = sorted(report.videos, key=lambda video: -video.missing)[:_MOST_ROWS]
    more = len(report.videos) - len(shown)
    rows = [
        (
            video.video, str(video.frames), f'{video.missing:.1%}', f'{video.longest_hole_s:.1f}',
            f'{video.fps:g} ({video.fps_from})', f'{video.aspect:.2f} ({video.size_from})',
            str(max(len(video.people) - 1, 0)), str(video.clips),
        )
        for video in shown
    ]  # fmt: skip
    title = f'Videos, those with the most missing first{f"; {more} more" if more else ""}'
    header = ('video', 'frames', 'no pose', 'longest s', 'fps', 'shape', 'changes', 'clips')
    text = Table(title, header, rows).lines()
    for kind in assumptions(report.videos):
        count = len(kind['videos'])
        where = kind['videos'][0] if count == 1 else f'{count} videos, such as {kind["videos"][0]}'
        text.append(f'assumed: {kind["note"]} ({where})')
    if corrected := [video.video for video in report.videos if video.corrected]:
        text.append(f'labels of {len(corrected)} videos are corrections: {", ".join(corrected)}')
    for reason, count in report.left_out.items():
        if count:
            text.append(f'left out: {count:,} {reason}')
    if report.beyond:
        text.append(
            f'labels reach more than a second beyond the landmarks of {len(report.beyond)} videos: '
            f'{", ".join(report.beyond)}'
        )
    if report.skipped:
        text += [f'skipped files: {len(report.skipped)}', *(f'  {one}' for one in report.skipped)]
    return [*text, f'all of it: {path}']
