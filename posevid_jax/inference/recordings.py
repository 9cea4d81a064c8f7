"""Recordings of any length as clips that a classifier can read."""

import dataclasses

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import slicing
from posevid_jax.data.clips import Clips
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError
from posevid_jax.inference.clip_form import ClipForm


def cut(
    recording: Recording, form: ClipForm, config: ConfigDict, source: str
) -> tuple[Recording, Clips]:
    """A recording at the clips' frame rate, and clips that cover every frame of it.

    The rate is `prepare.resample_fps`; without it, that of the recording, or of the training clips
    where these two differ much.

    Clips are as long as those that the classifier was trained on and begin every `predict.stride`
    frames. Beyond the end of the recording, frames are missing.

    Args:
      recording: any.
      form: what the classifier expects of clips.
      config: the whole configuration; `prepare` and `predict.stride` are read.
      source: what the clips' identities begin with.

    Returns:
      (the recording resampled, its clips as `form.conform` gives them).

    Raises:
      InputError: features are read that the recording cannot give, or nobody is in it.
    """
    if not np.isfinite(recording.joints).any():
        raise InputError(f'video {recording.name}: found no pose in any frame, expected some')
    settings = config.prepare.copy_and_resolve_references().unlock()
    rate = settings.resample_fps or form.rate_for(recording.fps) or 0.0
    recording = slicing.resample(recording, rate, settings.max_gap)
    length, stride = form.num_frames, config.predict.stride
    settings.update(
        unit='frames', clip_length=float(length), stride=float(stride), resample_fps=0.0,
        context=float(form.context), min_coverage=0.0,
    )  # fmt: skip
    if form.joint_names:
        settings.joints = form.joint_names
    beyond = _pad(recording, length, stride)
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
    return recording, form.conform(clips, source)


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


def _pad(recording: Recording, length: int, stride: int) -> Recording:
    """The recording with as many missing frames after it as whole clips need."""
    frames = len(recording.time)
    total = length + -(-max(frames - length, 0) // stride) * stride
    beyond = np.arange(1, total - frames + 1)
    return dataclasses.replace(
        recording,
        joints=np.pad(recording.joints, ((0, len(beyond)), (0, 0), (0, 0)), constant_values=np.nan),
        time=np.concatenate([recording.time, recording.time[-1] + beyond / recording.fps]),
    )


def _with_nan(clips: Clips) -> np.ndarray:
    mask, skeleton = np.asarray(clips.skeleton_mask), np.asarray(clips.skeleton)
    return np.where(mask[..., None], skeleton, np.float32(np.nan))
