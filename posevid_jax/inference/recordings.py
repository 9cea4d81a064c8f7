"""Recordings of any length as clips that a classifier can read."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import slicing
from posevid_jax.data.clips import Clips
from posevid_jax.data.concatenate import concatenate
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError
from posevid_jax.inference import events
from posevid_jax.inference.clip_form import ClipForm

_FRAMES_AT_ONCE = 30_000  # of short recordings together, so that batches are full

FrameJudge = Callable[[Sequence[Recording]], list[np.ndarray]]
"""From recordings, as `at_rate` gives them, to the logits of their frames, [T, K] f32 of each."""


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledRecording:
    """A recording of T frames at the rate of the clips, and what is known of it.

    Attributes:
      recording: from `at_rate`.
      label: [T] class numbers, UNKNOWN_LABEL where there is none; None without a label file.
    """

    recording: Recording
    label: np.ndarray | None


def judged(
    recordings: Iterable[LabelledRecording], judge: FrameJudge
) -> Iterator[tuple[LabelledRecording, np.ndarray]]:
    """Each recording with the logits of its frames, [T, K]; several are judged together.

    Raises:
      InputError: features are read that the recordings cannot give.
    """
    waiting: list[LabelledRecording] = []

    def taken() -> Iterator[tuple[LabelledRecording, np.ndarray]]:
        if waiting:
            yield from zip(waiting, judge([of.recording for of in waiting]), strict=True)
        waiting.clear()

    for of in recordings:
        waiting.append(of)
        if sum(len(of.recording.time) for of in waiting) >= _FRAMES_AT_ONCE:
            yield from taken()
    yield from taken()


def frame_judge(
    logits: Callable[[Clips], np.ndarray], form: ClipForm, config: ConfigDict
) -> FrameJudge:
    """How a classifier of clips judges the frames of recordings.

    The logit of a frame is the mean over the stretches that cover it, `events.frame_means`.

    Args:
      logits: of the W stretches of clips that it judges, [N, W, K].
      form, config: as for `cover`.
    """
    stretch = form.subclip or (form.num_frames, config.predict.stride)

    def judge(recordings: Sequence[Recording]) -> list[np.ndarray]:
        clips = [cover(recording, form, config, 'prepare.landmarks') for recording in recordings]
        values = np.split(logits(concatenate(clips)), np.cumsum([len(own) for own in clips])[:-1])
        return [
            _frame_means(own, of.start_frame, stretch, len(recording.time))
            for own, of, recording in zip(values, clips, recordings, strict=True)
        ]

    return judge


def _frame_means(
    values: np.ndarray, clip_start: np.ndarray, stretch: tuple[int, int], frames: int
) -> np.ndarray:
    """Of the stretches of clips, [N, W, K], to frames, [T, K]."""
    length, stride = stretch
    start = clip_start[:, None] + stride * np.arange(values.shape[1])
    counts = start < max(frames - length, 0) + stride  # the others see less of the last frames
    return events.frame_means(values[counts], start[counts], length)[:frames]


def at_rate(recording: Recording, form: ClipForm, settings: ConfigDict) -> Recording:
    """A recording at the rate of the clips that a classifier expects.

    That is `prepare.resample_fps`; without it, the recording's own, or the rate of the training
    clips where these two differ much.

    Args:
      recording: any.
      form: what the classifier expects of clips.
      settings: `config.prepare`.

    Raises:
      InputError: nobody is in it.
    """
    if not np.isfinite(recording.joints).any():
        raise InputError(f'video {recording.name}: found no pose in any frame, expected some')
    rate = settings.resample_fps or form.rate_for(recording.fps) or 0.0
    return slicing.resample(recording, rate, settings.max_gap)


def cover(recording: Recording, form: ClipForm, config: ConfigDict, source: str) -> Clips:
    """Clips that cover every frame of a recording.

    They are as long as those that the classifier was trained on. They begin every `predict.stride`
    frames; where sub-clips of them are judged, these go on from clip to clip at their own stride.
    Beyond the end of the recording, frames are missing.

    Args:
      recording: from `at_rate`.
      form: what the classifier expects of clips.
      config: the whole configuration; `prepare` and `predict.stride` are read.
      source: what the clips' identities begin with.

    Returns:
      the clips, as `form.conform` gives them.

    Raises:
      InputError: features are read that the recording cannot give.
    """
    length = form.num_frames
    covered, stride = form.steps(config.predict.stride)
    settings = config.prepare.copy_and_resolve_references().unlock()
    settings.update(
        unit='frames', clip_length=float(length), stride=float(stride), resample_fps=0.0,
        context=float(form.context), min_coverage=0.0,
    )  # fmt: skip
    if form.joint_names:
        settings.joints = form.joint_names
    count = -(-max(len(recording.time) - covered, 0) // stride) + 1
    beyond = _pad(recording, length + (count - 1) * stride)
    clips = slicing.slice_recording(beyond, None, (), settings, source).clips
    assert clips is not None  # the padded recording is long enough, and any coverage will do
    if form.feature_names:
        features = frame_features(
            form, _with_nan(clips), clips.joint_names, clips.fps, clips.aspect, source
        )
        mask = np.isfinite(features)
        clips = dataclasses.replace(
            clips,
            features=np.where(mask, features, 0),
            mask=mask,
            feature_names=form.feature_names,
        )
    return form.conform(clips, source)


def frame_features(
    form: ClipForm,
    joints: np.ndarray,
    joint_names: tuple[str, ...],
    fps: np.ndarray,
    aspect: np.ndarray,
    source: str,
) -> np.ndarray:
    """The features that a classifier reads, from joints, [N, T, F] f32, NaN where missing.

    Args:
      form: of a classifier that reads features.
      joints: [N, T, J, 4], NaN where missing.
      joint_names: J names.
      fps, aspect: [N].
      source: of the joints, for the message.

    Raises:
      InputError: it reads features that are not computed from joints here.
    """
    body = np.full((*joints.shape[:2], len(MEDIAPIPE_33), 4), np.nan, np.float32)
    for j, name in enumerate(joint_names):
        if name in MEDIAPIPE_33:
            body[:, :, MEDIAPIPE_33.index(name)] = joints[:, :, j]
    features, names = hand_mouth_features(body, fps, aspect)
    wanted = form.feature_names
    if names != wanted:
        other = next((name for name in wanted if name not in names), wanted[0])
        raise InputError(
            f'{source}: found landmarks, and {form.whose} reads features of an archive '
            f'({len(wanted)}, {other}, ...) that are not computed here; expected clips with these '
            'in data.test, or a run that reads joints'
        )
    return features


def _pad(recording: Recording, total: int) -> Recording:
    """The recording with missing frames after it, `total` in all."""
    frames = len(recording.time)
    beyond = np.arange(1, total - frames + 1)
    return dataclasses.replace(
        recording,
        joints=np.pad(recording.joints, ((0, len(beyond)), (0, 0), (0, 0)), constant_values=np.nan),
        time=np.concatenate([recording.time, recording.time[-1] + beyond / recording.fps]),
    )


def _with_nan(clips: Clips) -> np.ndarray:
    mask, skeleton = np.asarray(clips.skeleton_mask), np.asarray(clips.skeleton)
    return np.where(mask[..., None], skeleton, np.float32(np.nan))
