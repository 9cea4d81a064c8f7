"""Files and lines about what was found in recordings."""

import dataclasses
import os
import pathlib
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from posevid_jax.data.contract import UNKNOWN_LABEL
from posevid_jax.evaluation import (
    page,
    recordings_page,
    review_page,
    segmentation_report,
    timeline,
)
from posevid_jax.evaluation.recordings_page import Shown
from posevid_jax.evaluation.review_page import Review
from posevid_jax.evaluation.segments import stretches
from posevid_jax.evaluation.table import Table
from posevid_jax.evaluation.timeline import Gestures, Timeline
from posevid_jax.inference.events import Rule
from posevid_jax.inference.video_events import Video
from posevid_jax.machine.atomic import atomic_folder
from posevid_jax.runs import set_names
from posevid_jax.runs.files import read_json, write_json, write_text


def folder_of(parent: pathlib.Path, record: str, landmarks: str) -> pathlib.Path:
    """A folder for files about some landmarks that overwrites those of no others.

    Args:
      parent: what the folder is in.
      record: the name of the file in it whose `landmarks` say what it is about.
      landmarks: in full.
    """

    def source_of(name: str) -> str | None:
        path = parent / name / record
        return read_json(path).get('landmarks', '') if path.exists() else None

    plain = pathlib.Path(landmarks).name or 'recordings'
    return parent / set_names.name_for(plain, landmarks, source_of)


def write(
    folder: pathlib.Path,
    videos: list[Video],
    record: dict[str, Any],
    class_names: list[str],
    *,
    report: bool,
    review: bool,
) -> None:
    """Writes all files of a set into a folder that replaces an earlier one once it is complete.

    Args:
      folder: `predictions/<set>`.
      videos: of the set.
      record: from `video_events.make_record`.
      class_names: of the run.
      report: whether to write a page about all recordings too.
      review: whether to write a page for each, to correct its events.

    Raises:
      InputError: the folder cannot be written.
    """
    with atomic_folder(folder, replace=True) as unfinished:
        shown = {}
        for video in videos:
            name = video.recording.name
            picture = draw(video, class_names)
            write_text(unfinished / 'frames' / f'{name}.csv', _frames_csv(video, class_names))
            address = ''
            if review:
                address = _write_review(unfinished, _review(video, class_names))
            shown[name] = Shown(picture, video.doubt, address)
        write_timelines(unfinished / 'timelines', {name: of.timeline for name, of in shown.items()})
        write_text(unfinished / 'events.csv', _events_csv(record['videos']))
        write_json(unfinished / 'events.json', record)
        if report:
            title, opening = f'Events in {record["set"]}', f'{_opening(record)}.'
            ways = record.get('segmentation')
            html = recordings_page.make(title, opening, shown, ways)
            write_text(unfinished / 'index.html', html)


def write_suggestions(
    folder: pathlib.Path,
    videos: Mapping[str, tuple[Video, np.ndarray]],
    record: dict[str, Any],
    class_names: list[str],
    opening: str,
) -> None:
    """Writes what to label next into a folder that replaces an earlier one once it is complete.

    Args:
      folder: `suggestions/<set>`.
      videos: by name, those of which something is suggested, and the first frames and ends [A, 2].
      record: for suggestions.json; its `suggestions` are the rows of suggestions.csv.
      class_names: of the run.
      opening: what is suggested, in a sentence.

    Raises:
      InputError: the folder cannot be written.
    """
    with atomic_folder(folder, replace=True) as unfinished:
        shown = {}
        for name, (video, asked) in videos.items():
            review = dataclasses.replace(_review(video, class_names), asked=asked)
            address = _write_review(unfinished, review)
            shown[name] = Shown(draw(video, class_names, asked), video.doubt, address)
        rows = record['suggestions']
        cells = [[f'{v:.4f}' if isinstance(v, float) else v for v in row.values()] for row in rows]
        write_text(unfinished / 'suggestions.csv', Table('', tuple(rows[0]), cells).csv())
        write_json(unfinished / 'suggestions.json', record)
        title = f'To label next in {folder.name}'
        write_text(unfinished / 'index.html', recordings_page.make(title, opening, shown, None))


def _write_review(folder: pathlib.Path, review: Review) -> str:
    """Writes the page of a recording; returns its address as seen from `folder`."""
    path = f'review/{review.recording.name}.html'
    write_text(folder / path, review_page.make(review))
    return urllib.parse.quote(os.fsencode(path))


def write_timelines(folder: pathlib.Path, timelines: Mapping[str, str]) -> None:
    """Writes `folder/VIDEO.svg` of what `draw` drew, by the name of the video.

    Raises:
      InputError: one cannot be written.
    """
    for name, picture in timelines.items():
        write_text(folder / f'{name}.svg', page.picture_file(picture))


_EVENT_COLUMNS = (
    'video', 'label', 'start_frame', 'end_frame', 'start_seconds', 'end_seconds', 'confidence',
    'uncertain',
)  # fmt: skip


def _events_csv(videos: list[dict[str, Any]]) -> str:
    """A row an event; a video without any has a row too, so that, read as labels, it has none.

    Seconds have all of their digits: rounded ones would move some events by a frame.
    """
    rows = [
        {'video': video['video']} | event for video in videos for event in video['events'] or [{}]
    ]
    cells = [[_cell(key, row[key]) if key in row else '' for key in _EVENT_COLUMNS] for row in rows]
    return Table('', _EVENT_COLUMNS, cells).csv()


def _cell(key: str, value: Any) -> str:
    return f'{value:.6g}' if key == 'confidence' else str(value)


def _frames_csv(video: Video, class_names: list[str]) -> str:
    columns = {
        'frame': np.arange(len(video.prob)),
        'seconds': video.recording.time,
        'prob': video.prob,
        'uncertain': video.uncertain.astype(np.int64),
    }
    if video.probs.shape[1] > 2:
        columns |= {f'prob_{name}': video.probs[:, k] for k, name in enumerate(class_names)}
    if video.label is not None:
        columns['label'] = video.label
    return Table.of_columns(columns).csv()


def draw(video: Video, class_names: Sequence[str], asked: np.ndarray | None = None) -> str:
    """The timeline of a recording, `<svg ...>` text, with what to label of it [A, 2], if told."""
    return timeline.draw(timeline_of(video, class_names, asked)).svg


def timeline_of(
    video: Video, class_names: Sequence[str], asked: np.ndarray | None = None
) -> Timeline:
    """What there is to draw of a recording over time."""
    rule = video.rule
    label = np.zeros(len(video.prob)) if video.label is None else video.label
    parts = [stretches(label == k) for k in range(1, len(class_names))]
    gestures = Gestures(
        class_names,
        found=np.array([video.label_of(event) for event in video.events], np.int64),
        labelled=np.repeat(np.arange(1, len(class_names)), [len(part) for part in parts]),
    )
    labelled = None if video.label is None else video.spans(np.concatenate(parts))
    return Timeline(
        title=f'Video {video.recording.name}',
        seconds=video.seconds,
        prob=video.prob,
        limits=(rule.high, rule.low) if isinstance(rule, Rule) else (),
        found=video.spans([[event.start, event.end] for event in video.events]),
        labelled=labelled,
        unseen=video.spans(stretches(video.uncertain)),
        gestures=gestures if len(class_names) > 2 else None,
        asked=None if asked is None else video.spans(asked),
    )


def _review(video: Video, class_names: list[str]) -> Review:
    rule, labelled = video.rule, None
    if (label := video.label) is not None:
        known = np.flatnonzero(np.diff(label, prepend=UNKNOWN_LABEL, append=UNKNOWN_LABEL))
        spans = np.stack([known[:-1], known[1:]], 1)
        labelled = np.column_stack([spans, label[spans[:, 0]]])
        labelled = labelled[labelled[:, 2] != UNKNOWN_LABEL]
    found = [(event.start, event.end, video.label_of(event)) for event in video.events]
    return Review(
        recording=video.recording,
        seconds=video.seconds,
        class_names=class_names,
        prob=video.prob,
        limits=(rule.high, rule.low) if isinstance(rule, Rule) else (),
        found=np.array(found, np.int64).reshape(-1, 3),
        labelled=labelled,
        uncertain=video.uncertain,
    )


def lines(folder: pathlib.Path, record: dict[str, Any]) -> list[str]:
    """What a person reads after a prediction."""
    text = [f'{folder}: {_opening(record)}']
    if 'segmentation' not in record:
        return text
    text += segmentation_report.lines('Events', record['segmentation'])
    if record['frames'] is not None and record['frames']['roc_auc'] is not None:
        text.append(f'ROC-AUC of the frames {record["frames"]["roc_auc"]:.4f}')
    return text


def _opening(record: dict[str, Any]) -> str:
    count = sum(len(video['events']) for video in record['videos'])
    seconds = sum(video['seconds'] for video in record['videos'])
    return f'{count} events in {len(record["videos"])} videos, {seconds / 60:.1f} minutes'
