"""A simulated upper body: from where head and hands are to 33 landmarks, as estimated in a video.

Lengths are in shoulder widths of the person. Body coordinates: x to the person's left, y up, z to
the front, the origin between the shoulders. Hands are numbered 0 = left, 1 = right, and an axis `2`
in a shape runs over them. N counts clips, T frames.
"""

import dataclasses

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33

SIDE = np.array([1.0, -1.0])  # x of the left and the right hand
NECK = np.array([0.0, 0.15, 0.0])  # the head turns around it
HIPS = np.array([0.0, -1.35, 0.0])  # the torso leans around it

# Relative to the neck, of a head that looks ahead.
HEAD = {
    'nose': (0.0, 0.41, 0.33),
    'left_eye_inner': (0.05, 0.52, 0.26), 'left_eye': (0.09, 0.52, 0.25),
    'left_eye_outer': (0.13, 0.52, 0.22), 'right_eye_inner': (-0.05, 0.52, 0.26),
    'right_eye': (-0.09, 0.52, 0.25), 'right_eye_outer': (-0.13, 0.52, 0.22),
    'left_ear': (0.2, 0.44, 0.0), 'right_ear': (-0.2, 0.44, 0.0),
    'mouth_left': (0.07, 0.27, 0.26), 'mouth_right': (-0.07, 0.27, 0.26),
}  # fmt: skip
MOUTH = (0.0, 0.27, 0.27)
TORSO = {
    'left_shoulder': (0.5, 0.0, 0.0), 'right_shoulder': (-0.5, 0.0, 0.0),
    'left_hip': (0.33, -1.35, 0.0), 'right_hip': (-0.33, -1.35, 0.0),
}  # fmt: skip
LEGS = {
    'knee': (0.35, -1.9, 0.7), 'ankle': (0.35, -2.9, 0.6),
    'heel': (0.35, -3.0, 0.5), 'foot_index': (0.37, -3.0, 0.9),
}  # fmt: skip
# Along the hand and across it, from the wrist.
FINGERS = {'index': (0.26, 0.04), 'pinky': (0.23, -0.08), 'thumb': (0.16, 0.1)}
FACE = slice(0, 11)  # landmarks by number
ARMS = slice(13, 23)
UPPER_ARM, FOREARM = 0.8, 0.72


@dataclasses.dataclass(frozen=True)
class Motion:
    """What moves in N clips of T frames.

    Attributes:
      head: [N, T, 3] yaw, pitch (positive looks up), roll in radians.
      lean: [N, T] of the torso to the front, radians.
      index: [N, T, 2, 3] where the tips of the index fingers should be.
      pointing: [N, T, 2, 3] direction from wrist to index finger, any length.
      elbow_out: [N, T, 2] 0 = the elbow hangs, 1 = it is raised to the side.
    """

    head: np.ndarray
    lean: np.ndarray
    index: np.ndarray
    pointing: np.ndarray
    elbow_out: np.ndarray


@dataclasses.dataclass(frozen=True)
class Camera:
    """One camera per clip, all [N].

    Attributes:
      yaw, pitch: from where it looks, radians.
      scale: a shoulder width as a share of the picture's width.
      x, y: where the origin of the body appears, 0..1 of width and height.
      aspect: width / height.
      perspective: growth in size for each shoulder width towards the camera.
    """

    yaw: np.ndarray
    pitch: np.ndarray
    scale: np.ndarray
    x: np.ndarray
    y: np.ndarray
    aspect: np.ndarray
    perspective: np.ndarray


def upper_frames(head: np.ndarray, lean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where neck, head and torso are: a point p of the head is at `neck + head_turn @ p`.

    Args:
      head: [N, T, 3] as in Motion.
      lean: [N, T] as in Motion.

    Returns:
      neck [N, T, 3], head_turn [N, T, 3, 3], torso_turn [N, T, 3, 3].
    """
    torso_turn = _turn(0, lean)
    yaw, pitch, roll = np.moveaxis(head, -1, 0)
    head_turn = torso_turn @ _turn(1, yaw) @ _turn(0, -pitch) @ _turn(2, roll)
    return HIPS + torso_turn @ (NECK - HIPS), head_turn, torso_turn


def landmarks(motion: Motion) -> np.ndarray:
    """[N, T, 33, 3] body coordinates of MediaPipe's landmarks, in its order."""
    neck, head_turn, torso_turn = upper_frames(motion.head, motion.lean)
    where = {name: neck + head_turn @ np.array(p) for name, p in HEAD.items()}
    where |= {name: HIPS + torso_turn @ (np.array(p) - HIPS) for name, p in TORSO.items()}
    shape = (*motion.lean.shape, 3)
    for hand, side in enumerate(('left', 'right')):
        for joint, p in LEGS.items():
            where[f'{side}_{joint}'] = np.broadcast_to(p * np.array([SIDE[hand], 1, 1]), shape)
        where |= _arm(
            side,
            where[f'{side}_shoulder'],
            motion.index[..., hand, :],
            motion.pointing[..., hand, :],
            _elbow_pole(motion.elbow_out[..., hand], SIDE[hand]),
        )
    # Single precision from here: the picture has fewer digits still, and it takes half the time.
    return np.stack([where[name].astype(np.float32) for name in MEDIAPIPE_33], 2)  # [N, T, 33, 3]


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Body coordinates [N, T, J, 3] to the picture: x, y in 0..1 (y down), z in picture widths.

    z is measured from the hips and negative towards the camera, as MediaPipe has it.
    """
    view = (_turn(0, camera.pitch) @ _turn(1, camera.yaw)).astype(np.float32)
    turned = points @ view[:, None].swapaxes(-1, -2)
    x, y, z = np.moveaxis(turned, -1, 0)  # [N, T, J]
    scale, cx, cy, aspect, perspective = (
        value[:, None, None].astype(np.float32)
        for value in (camera.scale, camera.x, camera.y, camera.aspect, camera.perspective)
    )
    size = scale / (1 - perspective * np.minimum(z, 2))
    return np.stack([cx + size * x, cy - size * aspect * y, -scale * z], -1)


def observe(
    rng: np.random.Generator, points: np.ndarray, camera: Camera, noise: np.ndarray
) -> np.ndarray:
    """What a pose estimator makes of a body in the picture.

    Args:
      rng: random numbers of the estimator.
      points: [N, T, 33, 3] the true landmarks, from `project`.
      camera: that they are seen by.
      noise: [N] factor of the estimator's usual errors.

    Returns:
      [N, T, 33, 4] x, y, z and visibility, NaN where it finds nothing.
    """
    n, t, joints, _ = points.shape
    visibility = np.full((n, t, joints), 0.99, np.float32)
    visibility[:, :, ARMS] = 0.95
    for numbers in (slice(13, 23, 2), slice(14, 23, 2)):
        seen = np.where(_burst(rng, n, t, 0.25), rng.uniform(0.15, 0.6, (n, 1)), 1)
        visibility[:, :, numbers] *= seen[..., None]
    outside = np.maximum(np.abs(points[..., :2] - 0.5).max(-1) - 0.5, 0)
    visibility *= np.exp(-outside / 0.1)
    flicker = 0.02 * rng.standard_normal(visibility.shape, np.float32)
    visibility = np.clip(visibility + flicker, 0, 1)

    spread = np.full(joints, 0.02)  # in shoulder widths
    spread[FACE] = 0.01
    spread[ARMS] = 0.025
    stretch = np.ones((n, 1, 3))  # a picture's height is fewer shoulder widths, depth is guesswork
    stretch[..., 1] = camera.aspect[:, None]
    stretch[..., 2] = 3
    scale = (noise * camera.scale)[:, None, None]
    size = stretch * spread[:, None] * scale  # [N, J, 3]
    error = rng.standard_normal(points.shape, np.float32) * size[:, None].astype(np.float32)
    unsure = 1 + 2 * (1 - visibility)[..., None]
    skeleton = np.concatenate([points + error * unsure, visibility[..., None]], -1)

    skeleton[_burst(rng, n, t, 0.25) | (rng.random((n, t)) < 0.01)] = np.nan
    for numbers in (slice(15, 23, 2), slice(16, 23, 2)):
        lost = _burst(rng, n, t, 0.2)
        skeleton[:, :, numbers] = np.where(lost[..., None, None], np.nan, skeleton[:, :, numbers])
    return skeleton


def _arm(
    side: str, shoulder: np.ndarray, index: np.ndarray, pointing: np.ndarray, pole: np.ndarray
) -> dict[str, np.ndarray]:
    """Two bones reach for the hand: where the elbow bends follows from the wrist and the pole."""
    along = _unit(pointing)
    up = np.array([0.0, 1.0, 0.05])
    across = _unit(up - (along @ up)[..., None] * along)
    reach = index - FINGERS['index'][0] * along - FINGERS['index'][1] * across - shoulder
    wanted = np.linalg.norm(reach, axis=-1, keepdims=True)
    distance = np.clip(wanted, 0.25, 0.999 * (UPPER_ARM + FOREARM))
    ahead = reach / np.maximum(wanted, 1e-6)
    wrist = shoulder + distance * ahead
    # The law of cosines gives how far along the line shoulder-wrist the elbow stands off.
    foot = (distance**2 + UPPER_ARM**2 - FOREARM**2) / (2 * distance)
    height = np.sqrt(np.maximum(UPPER_ARM**2 - foot**2, 0))
    bend = _unit(pole - (pole * ahead).sum(-1, keepdims=True) * ahead)
    fingers = {
        f'{side}_{name}': wrist + length * along + offset * across
        for name, (length, offset) in FINGERS.items()
    }
    elbow = shoulder + foot * ahead + height * bend
    return {f'{side}_elbow': elbow, f'{side}_wrist': wrist} | fingers


def _elbow_pole(out: np.ndarray, side: float) -> np.ndarray:
    hanging, raised = np.array([0.5 * side, -1.0, -0.4]), np.array([1.0 * side, 0.1, -0.2])
    return hanging + out[..., None] * (raised - hanging)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-6)


def _turn(axis: int, angle: np.ndarray) -> np.ndarray:
    """[..., 3, 3] right-handed rotation about x, y or z (axis 0, 1, 2)."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., i, i] = matrix[..., j, j] = np.cos(angle)
    matrix[..., j, i] = np.sin(angle)
    matrix[..., i, j] = -matrix[..., j, i]
    return matrix


def _burst(rng: np.random.Generator, n: int, t: int, share: float) -> np.ndarray:
    """[N, T] bool: in a share of the clips, one stretch of up to a quarter of the clip."""
    length = np.where(rng.random(n) < share, rng.integers(1, max(t // 4, 1) + 1, n), 0)
    start = rng.integers(0, t, n)
    frame = np.arange(t)
    return (frame >= start[:, None]) & (frame < (start + length)[:, None])
