"""From a recording and its label intervals to clips."""

import dataclasses

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import UNKNOWN_LABEL, Clips, from_arrays
from posevid_jax.data.intervals import Intervals, frame_labels, in_seconds, outside_label
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError

UNITS = ('frames', 'seconds')
LABEL_RULES = ('share', 'centre')

# Per frame of a recording when it is resampled: more means that its times are not in seconds.
_MOST_NEW_FRAMES = 1000
# Labels that reach beyond so many lengths of their recording are not in seconds.
_FAR_BEYOND = 20
# In frames: a time nearer to a frame than this takes that frame, and mixes no two.
_SAME_FRAME = 1e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slices:
    """What became of one recording.

    Attributes:
      clips: None if none is left.
      too_short: the recording is shorter than a clip.
      no_pose: clips left out because a pose was seen in too few of their frames.
      undecided: clips left out because frames without a label could decide theirs.
      beyond: seconds by which the labels reach beyond the recording.
    """

    clips: Clips | None
    too_short: bool
    no_pose: int
    undecided: int
    beyond: float


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.prepare` about clips has an impossible value."""
    for key, choices in (('unit', UNITS), ('label_rule', LABEL_RULES)):
        if config[key] not in choices:
            raise InputError(
                f'prepare.{key}: found {config[key]!r}, expected one of {", ".join(choices)}'
            )
    for key in ('clip_length', 'stride'):
        if not 0 < config[key] < np.inf:
            raise InputError(f'prepare.{key}: found {config[key]}, expected a number above 0')
    for key in ('context', 'resample_fps'):
        if not 0 <= config[key] < np.inf:
            raise InputError(f'prepare.{key}: found {config[key]}, expected no negative number')
    for key in ('clip_length', 'stride', 'context'):
        if config.unit == 'frames' and config[key] != round(config[key]):
            raise InputError(
                f'prepare.{key}: found {config[key]}, expected whole frames, or '
                "prepare.unit='seconds'"
            )
    if not 0 < config.positive_share <= 1:
        raise InputError(
            f'prepare.positive_share: found {config.positive_share}, expected above 0, at most 1'
        )
    if not 0 <= config.min_coverage <= 1:
        raise InputError(f'prepare.min_coverage: found {config.min_coverage}, expected 0 to 1')


def slice_recording(
    recording: Recording,
    intervals: Intervals | None,
    classes: tuple[str, ...],
    config: ConfigDict,
    source: str,
) -> Slices:
    """Cuts a recording into clips that begin every `prepare.stride`, all of them whole.

    Args:
      intervals: labels of the video; None makes clips without labels, for prediction.
      classes: names of the labels.
      config: `config.prepare`, checked.
      source: of the clips' identities, see `clips.from_arrays`.

    Returns:
      the clips, in order of time; `start_frame` and `end_frame` count frames at the clips' rate.

    Raises:
      InputError: a joint to keep is not there.
    """
    if intervals is not None:
        intervals = in_seconds(intervals, recording.fps)
        _check_seconds(intervals, recording)
    recording = resample(recording, config.resample_fps, config.max_gap)
    joints, joint_names = _kept_joints(recording, config.joints)
    length, stride, context = (
        _frames(config[key], recording.fps, config.unit)
        for key in ('clip_length', 'stride', 'context')
    )
    start = np.arange(0, len(joints) - length + 1, stride)
    frames = start[:, None] + np.arange(length)  # [N, T]
    skeleton = joints[frames]  # [N, T, J, 4]
    posed = np.isfinite(skeleton).all(-1).any(-1).mean(1) >= config.min_coverage  # [N]
    label, labels = None, np.full(frames.shape, UNKNOWN_LABEL)
    decided = np.ones(len(start), bool)
    if intervals is not None:
        outside = outside_label(config.outside, classes)
        labels = frame_labels(intervals, recording.time, classes, outside)[frames]
        label = clip_labels(labels, len(classes), config)
        decided = label != UNKNOWN_LABEL
    keep = np.flatnonzero(posed & decided)
    last = 0.0 if intervals is None else intervals.end.max(initial=0.0)
    clips = None
    if len(keep):
        clips = from_arrays(
            source=source,
            features=np.zeros((len(keep), length, 0), np.float32),
            label=None if label is None else label[keep],
            video_id=[recording.name] * len(keep),
            start_frame=start[keep],
            fps=np.full(len(keep), recording.fps),
            aspect=np.full(len(keep), recording.aspect),
            frame_label=labels[keep],
            skeleton=skeleton[keep],
            context_skeleton=_context(joints, start[keep], length, context) if context else None,
            joint_names=joint_names,
            class_names=classes,
        )
    return Slices(
        clips=clips,
        too_short=len(joints) < length,
        no_pose=int((~posed).sum()),
        undecided=int((posed & ~decided).sum()),
        beyond=float(last - recording.time[-1]),
    )


def _check_seconds(intervals: Intervals, recording: Recording) -> None:
    """Raises InputError when labels reach so far that they can only be milliseconds."""
    last, length = float(intervals.end.max(initial=0.0)), float(recording.time[-1])
    beyond = intervals.start.max(initial=0.0) > length > 1 and last > _FAR_BEYOND * length
    if beyond and last / 1000 <= 1.2 * length:
        raise InputError(
            f'video {recording.name}: found labels up to {last:.15g} s in a recording of '
            f'{length:.3f} s, expected seconds: are they milliseconds? prepare.label_unit=ms'
        )


def resample(recording: Recording, fps: float, max_gap: float) -> Recording:
    """The recording at another rate, at times 0, 1 / fps, 2 / fps, ...

    Joints are interpolated on the line between the frames before and after; a joint that is missing
    in either is missing, and so is all that lies in a gap of time longer than `max_gap`. A time
    that has a frame of its own takes it as it is.

    Args:
      recording: any.
      fps: frames per second; 0 leaves the recording as it is.
      max_gap: seconds.

    Raises:
      InputError: the recording's times cannot be seconds, or its frames lie too far apart.
    """
    if not fps:
        return recording
    last = recording.time[-1] * fps
    if last > _MOST_NEW_FRAMES * len(recording.time):
        raise InputError(
            f'time: found {recording.time[-1]:g} s for the {len(recording.time)} frames of video '
            f'{recording.name}, expected fewer'
        )
    if fps > recording.fps and 1 / recording.fps > max_gap * (1 + 1e-6):
        raise InputError(
            f'video {recording.name}: found {recording.fps:g} frames a second, resampled to '
            f'{fps:g}; expected frames at most {max_gap:g} s apart (prepare.max_gap)'
        )
    time = np.arange(int(last + _SAME_FRAME) + 1) / fps
    position = np.interp(time, recording.time, np.arange(len(recording.time)), left=np.nan)
    near = np.round(position)
    position = np.where(np.abs(position - near) <= _SAME_FRAME, near, position)
    before = np.nan_to_num(np.floor(position)).astype(np.int64)
    after = np.nan_to_num(np.ceil(position)).astype(np.int64)
    share = (position - before).astype(np.float32)[:, None, None]  # NaN before the first frame
    start, end = recording.joints[before], recording.joints[after]
    joints = start + share * (end - start)
    gap = recording.time[after] - recording.time[before] > max_gap * (1 + 1e-6)
    joints[gap] = np.nan
    return dataclasses.replace(recording, joints=joints, fps=float(fps), time=time)


def clip_labels(frame_label: np.ndarray, num_classes: int, config: ConfigDict) -> np.ndarray:
    """The label of each clip, [N]; UNKNOWN_LABEL where frames without a label could decide it.

    Rule `centre`: the label of the frame in the middle. Rule `share`: the class other than 0 that
    holds the most frames if it holds at least `prepare.positive_share` of all, else class 0.

    Args:
      frame_label: [N, T].
      config: `config.prepare`.
    """
    length = frame_label.shape[1]
    if config.label_rule == 'centre':
        return frame_label[:, length // 2].astype(np.int32)
    counts = np.stack([(frame_label == k).sum(1) for k in range(1, num_classes)], 1)  # [N, K - 1]
    rows, best = np.arange(len(counts)), counts.argmax(1)
    most = counts[rows, best]
    positive = most / length >= config.positive_share
    # Were all unknown frames of one class, would the label be another?
    unknown = (frame_label == UNKNOWN_LABEL).sum(1)
    counts[rows, best] = -length - 1
    before = np.arange(num_classes - 1) < best[:, None]  # of equals the first wins
    overtaken = (counts + unknown[:, None] + before > most[:, None]).any(1)
    reached = (most + unknown) / length >= config.positive_share
    doubtful = (unknown > 0) & np.where(positive, overtaken, reached)
    return np.where(doubtful, UNKNOWN_LABEL, np.where(positive, best + 1, 0)).astype(np.int32)


def _kept_joints(
    recording: Recording, wanted: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Joints [T, J, 4] in the order of `prepare.joints`, and their names."""
    names = tuple(wanted) or recording.joint_names
    missing = next((name for name in names if name not in recording.joint_names), None)
    if missing is not None:
        raise InputError(
            f'prepare.joints: {missing} not found in video {recording.name}, the joints are '
            f'{", ".join(recording.joint_names)}'
        )
    return recording.joints[:, [recording.joint_names.index(name) for name in names]], names


def _frames(length: float, fps: float, unit: str) -> int:
    """A length in frames, at least 1 where it is not 0."""
    frames = round(length * fps) if unit == 'seconds' else int(length)
    return max(frames, int(length > 0))


def _context(joints: np.ndarray, start: np.ndarray, length: int, context: int) -> np.ndarray:
    """[N, 2C, J, 4]: C frames before each clip, then C frames after; NaN outside of the video."""
    padded = np.pad(joints, ((context, context), (0, 0), (0, 0)), constant_values=np.nan)
    before = np.arange(context)
    around = np.concatenate([before, before + context + length])
    return padded[start[:, None] + around]
