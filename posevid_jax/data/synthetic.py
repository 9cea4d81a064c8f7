"""Simulated clips: people who smoke, and who do things that look like it, in front of a camera.

The embedded data of demo and tests. A clip shows one gesture of one hand; its row of `GESTURES`
says where the hand goes, for how long, and what elbow, head and torso do meanwhile. Smoking is the
positive class unless others are named. Its look-alikes reach the mouth too (drinking, eating,
coughing into the hand) or stay near it (a chin on the hand, a phone), so no single distance
separates the classes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.simulated_body import (
    HEAD,
    MOUTH,
    NECK,
    SIDE,
    Camera,
    Motion,
    landmarks,
    observe,
    project,
    upper_frames,
)
from posevid_jax.errors import InputError

POSITIVE_SHARE = 0.3  # of the frames of a clip, from which it counts as its gesture


@dataclasses.dataclass(frozen=True)
class Gesture:
    """A way to move one hand; x points to the side of the hand that moves.

    Attributes:
      share: of the clips.
      target: where the tip of the index finger goes, relative to the neck.
      hold: shortest and longest stay there, seconds.
      travel: shortest and longest way there or back, seconds.
      on_head: the target turns with the head.
      pointing: direction of the hand at the target.
      sway, sway_hz: amplitude (shoulder widths) and frequency of a movement at the target.
      elbow_out: 0 = hanging .. 1 = raised to the side.
      pitch, lean: radians that the head looks up, that the torso leans forward at the target.
    """

    share: float
    target: tuple[float, float, float]
    hold: tuple[float, float]
    travel: tuple[float, float]
    on_head: bool = True
    pointing: tuple[float, float, float] = (-0.5, 0.8, -0.1)
    sway: float = 0.01
    sway_hz: float = 1.0
    elbow_out: float = 0.2
    pitch: float = 0.0
    lean: float = 0.0


def _beside(name: str, x: float, y: float, z: float) -> tuple[float, float, float]:
    """A place relative to a point of the head."""
    base = MOUTH if name == 'mouth' else HEAD[name]
    return (abs(base[0]) + x, base[1] + y, base[2] + z)


GESTURES = {
    'smoke': Gesture(0.45, _beside('mouth', 0.05, -0.01, 0.09), (0.6, 1.5), (0.35, 0.8),
                     pitch=0.05),
    'drink': Gesture(0.13, _beside('mouth', 0.05, -0.02, 0.1), (0.6, 1.8), (0.4, 0.9),
                     pointing=(-0.9, 0.1, 0.3), elbow_out=0.7, pitch=0.45),
    'half_raise': Gesture(0.04, _beside('mouth', 0.1, -0.5, 0.3), (0.4, 1.5), (0.4, 0.9),
                          pointing=(-0.9, 0.2, 0.3), elbow_out=0.3),
    'eat': Gesture(0.08, _beside('mouth', 0.02, 0.0, 0.05), (0.05, 0.2), (0.2, 0.35),
                   pitch=-0.2, lean=0.2),
    'cough': Gesture(0.09, _beside('mouth', -0.07, 0.02, 0.08), (0.5, 1.2), (0.15, 0.3),
                     pointing=(-0.9, 0.3, 0.0), sway=0.05, sway_hz=3.0, elbow_out=0.5,
                     pitch=-0.35, lean=0.25),
    'nose': Gesture(0.04, _beside('nose', 0.03, 0.03, 0.04), (0.1, 0.5), (0.25, 0.6),
                    sway=0.03, sway_hz=4.0),
    'glasses': Gesture(0.02, _beside('left_eye', 0.05, 0.0, 0.06), (0.2, 0.7), (0.3, 0.6)),
    'scratch': Gesture(0.02, (0.15, 0.72, 0.05), (0.6, 2.0), (0.35, 0.7), sway=0.06, sway_hz=4.0,
                       elbow_out=0.6),
    'phone': Gesture(0.03, _beside('left_ear', 0.05, 0.02, 0.05), (1.5, 6.0), (0.4, 0.8),
                     pointing=(0.1, 0.9, -0.3), elbow_out=0.3),
    'chin': Gesture(0.1, _beside('mouth', 0.06, -0.1, 0.02), (3.0, 8.0), (0.4, 0.9),
                    pointing=(-0.1, 0.9, 0.1), sway=0.01, sway_hz=0.4, lean=0.2),
    'wave': Gesture(0.01, (0.85, 0.45, 0.4), (0.8, 2.0), (0.3, 0.6), on_head=False,
                    pointing=(0.1, 1.0, 0.1), sway=0.18, sway_hz=2.0, elbow_out=0.5),
    'talk': Gesture(0.01, (0.3, -0.35, 0.6), (1.0, 3.0), (0.3, 0.8), on_head=False,
                    pointing=(-0.3, 0.4, 0.9), sway=0.15, sway_hz=1.2),
    'idle': Gesture(0.01, (0.5, -1.1, 0.4), (0.5, 2.0), (0.5, 1.0), on_head=False,
                    pointing=(-0.2, -0.5, 0.8)),
}  # fmt: skip
# Where hands rest: beside the body, in the lap, on a table, before the chest. x is to the side.
RESTS = np.array([[0.62, -1.55, 0.1], [0.3, -1.2, 0.55], [0.35, -0.75, 0.75], [0.4, -0.35, 0.5]])
REST_POINTING = np.array([[0.0, -1, 0.1], [-0.6, -0.3, 0.7], [-0.4, 0.0, 0.9], [-0.5, 0.6, 0.5]])
ASPECTS, ASPECT_SHARES = (16 / 9, 4 / 3, 9 / 16), (0.7, 0.2, 0.1)
RATES, RATE_SHARES = (30.0, 25.0), (0.75, 0.25)


def make_clips(
    *,
    num_videos: int,
    clips_per_video: int,
    num_frames: int = 75,
    classes: Sequence[str] = ('smoke',),
    seed: int,
) -> Clips:
    """Simulates a clip set; the same arguments give the same bits.

    Each video has its own person (habits, speed, hand), camera (distance, place, angle, aspect) and
    frame rate; its clips are stretches with gaps between them. About 40 % show smoking.

    Args:
      classes: names in `GESTURES`, each a class, 1, 2, ...; all others are class 0, called
        `no_<class>` when there is one class and `other` when there are several. They change labels
        only. What is too short to fill POSITIVE_SHARE of a clip, such as eat, is seldom a class.

    Raises:
      InputError: a number is too small, or no such gesture.
    """
    for name, value, least in (
        ('num_videos', num_videos, 1), ('clips_per_video', clips_per_video, 1),
        ('num_frames', num_frames, 2),
    ):  # fmt: skip
        if value < least:
            raise InputError(f'data.synthetic.{name}: found {value}, expected at least {least}')
    class_names = _class_names(classes)
    rng = np.random.Generator(np.random.Philox(seed))
    scene = _Scene(rng, num_videos, clips_per_video, num_frames)
    motion, kind, there = _act(rng, scene)
    named = np.array([class_names.index(g) if g in classes else 0 for g in GESTURES])[kind]  # [N]
    shown = there > 0.5  # [N, T]
    skeleton = observe(rng, project(landmarks(motion), scene.camera), scene.camera, scene.noise)
    features, feature_names = hand_mouth_features(skeleton, scene.fps, scene.camera.aspect)
    start = np.tile(np.arange(clips_per_video) * 2 * num_frames, num_videos)
    return from_arrays(
        source='synthetic',
        features=features,
        label=np.where(shown.mean(1) >= POSITIVE_SHARE, named, 0),
        video_id=[f'{v:04d}' for v in scene.video],
        start_frame=start,
        fps=scene.fps,
        aspect=scene.camera.aspect,
        frame_label=np.where(shown, named[:, None], 0),
        skeleton=skeleton,
        feature_names=feature_names,
        joint_names=MEDIAPIPE_33,
        class_names=class_names,
    )


def _class_names(classes: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in classes if name not in GESTURES]
    if unknown or not classes or len(set(classes)) < len(classes):
        raise InputError(
            f'data.synthetic.classes: found {tuple(classes)}, '
            f'expected different names among {", ".join(GESTURES)}'
        )
    return (f'no_{classes[0]}' if len(classes) == 1 else 'other', *classes)


class _Scene:
    """Who is filmed by what: the draws of each video, repeated for its clips (all [N])."""

    def __init__(self, rng: np.random.Generator, num_videos: int, per_video: int, frames: int):
        self.video = np.repeat(np.arange(num_videos), per_video)
        n = len(self.video)

        def normal(deviation: float, *shape: int) -> np.ndarray:
            return rng.normal(0, deviation, (num_videos, *shape))[self.video]

        def uniform(low: float, high: float) -> np.ndarray:
            return rng.uniform(low, high, num_videos)[self.video]

        def choice(values: tuple[float, ...], shares: tuple[float, ...]) -> np.ndarray:
            return rng.choice(values, num_videos, p=shares)[self.video]

        aspect = choice(ASPECTS, ASPECT_SHARES)
        scale = np.exp(uniform(np.log(0.1), np.log(0.3))) * np.minimum(1.5, 16 / 9 / aspect)
        self.camera = Camera(
            yaw=normal(0.3),
            pitch=normal(0.08),
            scale=scale,
            x=0.5 + normal(0.08),
            y=0.45 + normal(0.06),
            aspect=aspect,
            perspective=uniform(0.03, 0.12),
        )
        self.fps = choice(RATES, RATE_SHARES)
        # Real gestures need about two seconds; shorter clips show them faster.
        self.tempo = np.minimum(1, frames / self.fps / 2) * np.exp(normal(0.1))
        self.time = np.arange(frames) / self.fps[:, None]  # [N, T] seconds
        self.habit = normal(0.025, 3)  # [N, 3] how this person misses the usual target
        self.elbow_habit = normal(0.1)
        self.noise = np.exp(normal(0.25))
        self.posture = normal(0.06)
        self.gaze = normal(0.1, 3)
        self.hand = np.where(rng.random(n) < uniform(0.5, 1.0), 1, 0)  # which hand acts


def _act(rng: np.random.Generator, scene: _Scene) -> tuple[Motion, np.ndarray, np.ndarray]:
    """Movements of N clips, their gestures [N] in `GESTURES`, and how far in they are [N, T]."""
    time = scene.time
    n, t = time.shape
    rows = np.arange(n)
    gestures = list(GESTURES.values())
    shares = np.array([g.share for g in gestures])
    kind = rng.choice(len(gestures), n, p=shares / shares.sum())

    def of_gesture(name: str) -> np.ndarray:
        return np.array([getattr(g, name) for g in gestures], np.float64)[kind]

    there = _presence(rng, scene, of_gesture('hold'), of_gesture('travel'))  # [N, T]

    head = scene.gaze[:, None] + _drift(rng, time, 3, 0.12)
    head[..., 1] += there * (of_gesture('pitch') * rng.uniform(0.6, 1.3, n))[:, None]
    lean = scene.posture[:, None] + _drift(rng, time, 1, 0.04)[..., 0]
    lean += there * (of_gesture('lean') * rng.uniform(0.5, 1.3, n))[:, None]

    rest = rng.integers(len(RESTS), size=(n, 2))
    mirror = np.stack([SIDE, np.ones(2), np.ones(2)], -1)  # [2, 3]
    index = (RESTS[rest] + rng.normal(0, 0.1, (n, 2, 3)))[:, None] * mirror  # [N, 1, 2, 3]
    index = index + np.stack([_drift(rng, time, 3, 0.06) for _ in SIDE], 2)  # [N, T, 2, 3]
    pointing = np.repeat((REST_POINTING[rest] * mirror)[:, None], t, 1)
    elbow_out = np.repeat(rng.uniform(0, 0.3, (n, 1, 2)), t, 1)

    neck, head_turn, _ = upper_frames(head, lean)
    across = mirror[scene.hand]  # [N, 3]
    miss = scene.habit + rng.normal(0, 0.03, (n, 3))
    place = (of_gesture('target') + miss) * across
    on_head = neck + (head_turn @ place[:, None, :, None])[..., 0]
    target = np.where(of_gesture('on_head')[:, None, None] > 0, on_head, (NECK + place)[:, None])
    phase = 2 * np.pi * (of_gesture('sway_hz')[:, None] * time + rng.random((n, 1)))
    direction = rng.normal(0, 0.6, (n, 3))
    target = target + direction[:, None] * (of_gesture('sway')[:, None] * np.sin(phase))[..., None]
    toward = (of_gesture('pointing') + rng.normal(0, 0.15, (n, 3))) * across

    share = there[..., None]
    start = index[rows, :, scene.hand]
    bulge = np.array([0.0, 0.0, 0.25]) * np.sin(np.pi * share)  # hands swing around the body
    index[rows, :, scene.hand] = start + share * (target - start) + bulge
    pointing[rows, :, scene.hand] += share * (toward[:, None] - pointing[rows, :, scene.hand])
    out = of_gesture('elbow_out') + scene.elbow_habit + rng.normal(0, 0.08, n)
    elbow_out[rows, :, scene.hand] += there * (out[:, None] - elbow_out[rows, :, scene.hand])
    return Motion(head, lean, index, pointing, elbow_out), kind, there


def _presence(
    rng: np.random.Generator, scene: _Scene, hold: np.ndarray, travel: np.ndarray
) -> np.ndarray:
    """[N, T] 0 = the hand rests, 1 = it is at the target, smooth in between."""
    n, t = scene.time.shape
    length = t / scene.fps
    stay = rng.uniform(*hold.T) * scene.tempo
    up, down = (rng.uniform(*travel.T) * scene.tempo for _ in range(2))
    middle = rng.uniform(0.3, 0.7, n)
    # Some gestures only begin or only end in the clip.
    edge = rng.random(n) < 0.1
    middle = np.where(edge, np.where(rng.random(n) < 0.5, -0.25, 1.25), middle) * length
    arrive = _smooth_step((scene.time - (middle - stay / 2 - up)[:, None]) / up[:, None])
    leave = _smooth_step((scene.time - (middle + stay / 2)[:, None]) / down[:, None])
    return arrive * (1 - leave)


def _smooth_step(x: np.ndarray) -> np.ndarray:
    """0 to 1 with the least jerk (Flash and Hogan 1985), for x from 0 to 1."""
    x = np.clip(x, 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2)


def _drift(rng: np.random.Generator, time: np.ndarray, axes: int, size: float) -> np.ndarray:
    """[N, T, axes] slow movement: two sines below 1 Hz for each axis of each clip."""
    n = len(time)
    hertz, phase = rng.uniform(0.1, 0.9, (2, n, 1, axes)), rng.uniform(0, 7, (2, n, 1, axes))
    waves = np.sin(2 * np.pi * hertz * time[..., None] + phase).sum(0)
    return waves * rng.normal(0, size / 2, (n, 1, axes))
