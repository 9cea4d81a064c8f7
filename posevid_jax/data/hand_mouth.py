"""Per-frame numbers about hands and mouth from a skeleton, named as pose archives name them."""

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33


def hand_mouth_features(
    skeleton: np.ndarray, fps: np.ndarray, aspect: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Distances, angles, heights and velocities.

    Hand = tip of the index finger, mouth = middle of its corners, both with z. `dist_` and
    velocities are in image units, where x and y are shares of width and height; everything else is
    in shoulder widths and half turns, free of the picture's aspect. Velocities are per second, from
    the frame before; the first frame has none. `occlusion_flag` is 1 where neither wrist is seen
    well, and 0 without a pose.

    Args:
      skeleton: [N, T, 33, 4] in MediaPipe's order, NaN where missing.
      fps: [N] frames per second.
      aspect: [N] width / height of the picture.

    Returns:
      (features [N, T, F] f32, NaN where missing; their F names).
    """
    image = _joints(skeleton)  # x, y in shares of width, height
    square = skeleton.copy()
    square[..., 1] /= aspect[:, None, None]
    joint = _joints(square)  # x, y in picture widths, as z is
    width = _distance(joint['left_shoulder'], joint['right_shoulder'])  # [N, T]
    mouth, nose = joint['mouth'], joint['nose']
    ears = (joint['left_ear'] + joint['right_ear']) / 2  # [N, T, 4]
    columns = {}
    for side in ('left', 'right'):
        hand, wrist = joint[f'{side}_index'], joint[f'{side}_wrist']
        elbow, shoulder = joint[f'{side}_elbow'], joint[f'{side}_shoulder']
        columns |= {
            f'dist_{side}Hand_mouth': _distance(image[f'{side}_index'], image['mouth']),
            f'norm_dist_{side}Hand_mouth': _distance(hand, mouth) / width,
            f'norm_dist_{side}Wrist_mouth': _distance(wrist, mouth) / width,
            f'dist_nose_{side}Hand': _distance(image[f'{side}_index'], image['nose']),
            f'norm_dist_{side}Ear_{side}Hand': _distance(hand, joint[f'{side}_ear']) / width,
            f'{side}_elbow_angle': _angle(shoulder, elbow, wrist),
            f'{side}_elbow_height': (shoulder - elbow)[..., 1] / width,
            f'{side}_hand_height': (mouth - hand)[..., 1] / width,
        }
    columns |= {
        'nose_below_ears': (nose - ears)[..., 1] / width,
        'nose_beside_ears': (nose - ears)[..., 0] / width,
        'mouth_conf_adj': mouth[..., 3],
        'occlusion_flag': (
            np.fmax(joint['left_wrist'][..., 3], joint['right_wrist'][..., 3]) < 0.5
        ).astype(np.float32),
    }
    moving = {'mouth': 'mouth', 'l15': 'left_wrist', 'l16': 'right_wrist',
              'l19': 'left_index', 'l20': 'right_index'}  # fmt: skip
    for name, moved in moving.items():
        velocity = _velocity(image[moved][..., :2], fps)
        columns |= {f'{name}_vx': velocity[..., 0], f'{name}_vy': velocity[..., 1]}
    return np.stack(list(columns.values()), -1).astype(np.float32), tuple(columns)


def _joints(skeleton: np.ndarray) -> dict[str, np.ndarray]:
    """[N, T, 4] by name, with `mouth` between its corners."""
    joint = {name: skeleton[:, :, i] for i, name in enumerate(MEDIAPIPE_33)}
    return joint | {'mouth': (joint['mouth_left'] + joint['mouth_right']) / 2}


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm((a - b)[..., :3], axis=-1)


def _angle(a: np.ndarray, corner: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle at the corner in the picture, in half turns: 1 = stretched."""
    u, v = (a - corner)[..., :2], (b - corner)[..., :2]
    norms = np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)
    return np.arccos(np.clip((u * v).sum(-1) / np.maximum(norms, 1e-9), -1, 1)) / np.pi


def _velocity(point: np.ndarray, fps: np.ndarray) -> np.ndarray:
    velocity = np.full_like(point, np.nan)
    velocity[:, 1:] = np.diff(point, axis=1) * fps[:, None, None]
    return velocity
