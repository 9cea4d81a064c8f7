"""Mode prepare: landmark files, or videos, and labels become a set of clips."""

import itertools
import json
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np
import tqdm
from ml_collections import ConfigDict

from posevid_jax.data import intervals, manifest, slicing
from posevid_jax.data.clips import Clips
from posevid_jax.data.concatenate import concatenate
from posevid_jax.data.intervals import Intervals, in_seconds
from posevid_jax.data.joints import joint_map
from posevid_jax.data.labels import events
from posevid_jax.data.labels.read import read_intervals, read_videos
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.npz import write_clips
from posevid_jax.data.pairing import Pair, is_labelled, pair
from posevid_jax.data.shard_reader import read_shards
from posevid_jax.data.shards import write_shards
from posevid_jax.errors import InputError, printable
from posevid_jax.evaluation import prepare_report
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.machine.atomic import atomic_file
from posevid_jax.video import extract

ON_ERROR = ('raise', 'skip')

_SECONDS_BETWEEN_LINES = 10.0
# Labels made by hand may end a little after the last frame; more means another video or rate.
_BEYOND_SECONDS = 1.0


def prepare(config: ConfigDict) -> Report:
    """Writes the clips of all videos and their SHA-256 to `prepare.output`, and says what they are.

    `<output>.json` beside it tells what was read of every video, and what was assumed.

    Videos become landmark files first. An archive is made in memory; of a folder of shards, one
    video at a time.

    Args:
      config: the whole configuration; `data.prefix` names the arrays of the archive.

    Raises:
      InputError: a key is wrong, a file cannot be used and is not to be skipped, or no clip is
        left. Nothing is written then.
    """
    settings = extract.with_landmarks(config).prepare
    check(settings)
    output = pathlib.Path(settings.output)
    report = Report()
    extract.extract(settings, lambda line: bad_file(line, settings, report))
    videos = clips_by_video(settings, output.name.removesuffix('.npz'), report)
    first = next(videos, None)
    if first is None:
        raise InputError(f'prepare.landmarks: {settings.landmarks} gave no clips')
    videos = itertools.chain([first], videos)
    if output.suffix == '.npz':
        clips = concatenate(list(videos))
        write_clips(output, clips, config.data.prefix)
    else:
        write_shards(output, videos)
        clips = read_shards(output)
    manifest.write(output)
    path = output.with_name(f'{output.name}.json')
    with atomic_file(path) as temporary:
        told = report.as_json(json.loads(settings.to_json()))
        temporary.write_text(json.dumps(told, indent=1) + '\n')
    print(f'{output}: {_summary(clips)}')
    print('\n'.join(map(printable, prepare_report.lines(report, path))))
    return report


def check(settings: ConfigDict) -> None:
    """Raises InputError when a key of `config.prepare` has an impossible value."""
    check_input(settings)
    output = pathlib.Path(settings.output)
    if output.suffix not in ('.npz', '') or not output.name:
        raise InputError(
            f'prepare.output: found {settings.output!r}, expected PATH.npz (an archive) or PATH '
            '(a folder of shards)'
        )
    if not output.parent.is_dir() or (output.is_dir() and output.suffix):
        raise InputError(f'prepare.output: {output}: expected a new name in a folder that exists')
    if not output.suffix and output.exists():
        raise InputError(f'prepare.output: {output}: found something there, expected a new folder')
    slicing.check(settings)


def check_input(settings: ConfigDict) -> None:
    """The part of `check` that is about reading landmarks and labels."""
    if settings.on_error not in ON_ERROR:
        raise InputError(
            f'prepare.on_error: found {settings.on_error!r}, expected one of {", ".join(ON_ERROR)}'
        )
    if not settings.landmarks:
        raise InputError(
            'prepare.landmarks: not given, expected a folder or a landmark file, or prepare.videos'
        )
    if settings.max_file_mb < 1:
        raise InputError(f'prepare.max_file_mb: found {settings.max_file_mb}, expected at least 1')
    if settings.label_unit and settings.label_unit not in events.UNITS:
        raise InputError(
            f'prepare.label_unit: found {settings.label_unit!r}, expected one of '
            f"{', '.join(events.UNITS)}, or ''"
        )
    if settings.max_gap <= 0:
        raise InputError(f'prepare.max_gap: found {settings.max_gap}, expected a number above 0')
    if settings.fps < 0:
        raise InputError(f'prepare.fps: found {settings.fps}, expected no negative number')
    if len(settings.video_size) != 2 or min(settings.video_size) < 0:
        raise InputError(
            f'prepare.video_size: found {tuple(settings.video_size)}, expected (width, height)'
        )
    joint_map(settings.joint_map, settings.joint_names)


def clips_by_video(settings: ConfigDict, source: str, report: Report) -> Iterator[Clips]:
    """Yields the clips of each video that has any, in the order of the videos' names.

    Args:
      settings: `config.prepare`, checked.
      source: of the clips' identities.
      report: filled on the way.

    Raises:
      InputError: a file cannot be used and `on_error` is `raise`, or the classes are not clear.
    """
    labels, classes = read_labels(settings, report, negative=settings.label_rule == 'share')
    first: tuple[Pair, Clips] | None = None
    for video in with_progress(list(labels)):
        try:
            recording = read_recording(video.landmarks, video.name, settings)
            slices = slicing.slice_recording(recording, labels[video], classes, settings, source)
            if slices.clips is not None:
                first = first or (video, slices.clips)
                _check_alike(video, slices.clips, *first)
        except InputError as error:
            bad_file(str(error), settings, report)
            continue
        _count(video, slices, report)
        read = labels[video]
        read = None if read is None else in_seconds(read, recording.fps)
        count = 0 if slices.clips is None else len(slices.clips)
        report.videos.append(prepare_report.of_video(video, recording, read, count))
        if slices.clips is not None:
            yield slices.clips


def read_labels(
    settings: ConfigDict, report: Report, *, negative: bool, all_labelled: bool = True
) -> tuple[dict[Pair, Intervals | None], tuple[str, ...]]:
    """The labels of each video and the names of the classes.

    Args:
      settings: `config.prepare`, checked.
      report: gets a line for each file without a partner and each label file that cannot be used;
        their videos are not among the result.
      negative: class 0 has to be the one that means no gesture.
      all_labelled: as in `pair`.

    Returns:
      (labels, None without a label file; class names, () without).

    Raises:
      InputError: such a file and `on_error` is `raise`, or the classes are not clear.
    """
    pairs, alone = pair(settings, all_labelled=all_labelled)
    for line in alone:
        bad_file(line, settings, report)
    labels: dict[Pair, Intervals | None] = {}
    of_several: dict[pathlib.Path, dict[str, Intervals]] = {}
    for video in pairs:
        try:
            found = _labels_of(video, settings, of_several)
            unknown = set(found.label if found else ()).difference(settings.classes)
            if settings.classes and unknown:
                raise InputError(
                    f'{video.labels}: label: found {min(unknown)!r}, expected one of '
                    f'{", ".join(settings.classes)} (prepare.classes)'
                )
            labels[video] = found
        except InputError as error:
            bad_file(str(error), settings, report)
    if not is_labelled(settings):
        return labels, ()
    found = {
        label: video.labels
        for video, read in labels.items()
        if video.labels is not None and read is not None
        for label in read.label
    }
    return labels, intervals.class_names(
        found, settings.classes, settings.outside, negative=negative
    )


def _labels_of(
    video: Pair, settings: ConfigDict, of_several: dict[pathlib.Path, dict[str, Intervals]]
) -> Intervals | None:
    """The labels of a video; a file of several is read once and then kept in `of_several`."""
    path, limit, unit = video.labels, settings.max_file_mb, settings.label_unit
    if path is None:
        return None
    if not video.labelled_as:
        return read_intervals(path, limit, unit)
    if path not in of_several:
        of_several[path] = read_videos(path, limit, unit)
    return of_several[path][video.labelled_as]


def _check_alike(video: Pair, clips: Clips, first: Pair, expected: Clips) -> None:
    """Raises InputError when the clips of two videos do not fit into one set."""
    if clips.joint_names != expected.joint_names:
        raise InputError(
            f'{video.landmarks}: found {len(clips.joint_names)} joints, not the '
            f'{len(expected.joint_names)} of {first.landmarks}; expected the same, or those that '
            'both have in prepare.joints'
        )
    frames, others = clips.features.shape[1], expected.features.shape[1]
    if frames != others:
        raise InputError(
            f'{video.landmarks}: found {frames} frames per clip at {clips.fps[0]:g} frames per '
            f'second, expected {others} as in {first.landmarks}; prepare.resample_fps gives all '
            'videos one rate'
        )


def bad_file(line: str, settings: ConfigDict, report: Report) -> None:
    """Raises InputError with the line, or reports it where `on_error` is `skip`."""
    if settings.on_error == 'raise':
        raise InputError(line)
    report.skipped.append(line)
    tqdm.tqdm.write(f'skipped: {line}', file=sys.stderr)


def _count(video: Pair, slices: slicing.Slices, report: Report) -> None:
    report.left_out['videos shorter than a clip'] += slices.too_short
    report.left_out['clips with too few poses'] += slices.no_pose
    report.left_out['clips with too few labelled frames'] += slices.undecided
    if slices.beyond > _BEYOND_SECONDS:
        report.beyond.append(video.name)


def _summary(clips: Clips) -> str:
    classes = ''
    if clips.labelled:
        counts = np.bincount(clips.label, minlength=clips.num_classes)
        named = zip(clips.class_names, counts, strict=True)
        classes = '; ' + ', '.join(f'{k} = {name}: {n:,}' for k, (name, n) in enumerate(named))
    return (
        f'{len(clips):,} clips of {clips.features.shape[1]} frames from {len(clips.videos):,} '
        f'videos, {len(clips.joint_names)} joints{classes}'
    )


def with_progress(videos: Sequence[Pair]) -> Iterator[Pair]:
    """Yields the videos: one live line in a terminal, a line every ten seconds in a log."""
    live = sys.stderr.isatty()
    printed = time.monotonic()
    with tqdm.tqdm(videos, unit='video', disable=not live, dynamic_ncols=True) as bar:
        for done, video in enumerate(bar, start=1):
            yield video
            if not live and time.monotonic() - printed >= _SECONDS_BETWEEN_LINES:
                printed = time.monotonic()
                print(f'{done}/{len(videos)} videos', file=sys.stderr, flush=True)
