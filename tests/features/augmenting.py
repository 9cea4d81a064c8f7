"""The batch that tests of augmentation share, and how they augment it."""

import functools

import jax
import numpy as np

from posevid_jax.config import get_config
from posevid_jax.data.hand_mouth import hand_mouth_features
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.features import augment

SIZE, FRAMES = 16, 24
JOINT = {name: number for number, name in enumerate(MEDIAPIPE_33)}
SHOULDERS = [JOINT['left_shoulder'], JOINT['right_shoulder']]
ARM = ('shoulder', 'elbow', 'wrist', 'pinky', 'index', 'thumb')


def moving_skeleton(seed=0):
    """[SIZE, FRAMES, 33, 4] joints on slow, smooth paths around a body."""
    rng = np.random.default_rng(seed)
    rest = rng.uniform(0.3, 0.7, (SIZE, 1, 33, 3))
    rest[:, :, SHOULDERS] = [[0.6, 0.5, 0], [0.4, 0.52, 0]]
    size, phase = rng.uniform(0, 0.05, (2, SIZE, 1, 33, 3))
    time = np.linspace(0, 2, FRAMES)[:, None, None]
    xyz = rest + size * np.sin(time + 100 * phase)
    visibility = rng.uniform(0.6, 1, (SIZE, FRAMES, 33, 1))
    return np.concatenate([xyz, visibility], -1).astype(np.float32)


def make_batch(seed=0, missing=0.1):
    """A batch whose features are those of its skeleton, and the names of the features."""
    rng = np.random.default_rng(seed)
    skeleton = moving_skeleton(seed)
    skeleton[rng.random(skeleton.shape[:3]) < missing] = np.nan
    fps = np.full(SIZE, 30, np.float32)
    aspect = rng.uniform(0.6, 1.8, SIZE).astype(np.float32)
    features, names = hand_mouth_features(skeleton, fps, aspect)
    mask, seen = np.isfinite(features), np.isfinite(skeleton).all(-1)
    batch = {
        'features': np.where(mask, features, 0),
        'mask': mask,
        'skeleton': np.where(seen[..., None], skeleton, 0),
        'skeleton_mask': seen,
        'label': rng.integers(0, 2, SIZE).astype(np.int32),
        'frame_label': rng.integers(-1, 2, (SIZE, FRAMES)).astype(np.int8),
        'fps': fps,
        'aspect': aspect,
        'weight': rng.uniform(0.5, 2, SIZE).astype(np.float32),
        'valid': np.ones(SIZE, np.float32),
        'row': rng.permutation(100)[:SIZE].astype(np.int32),
        'video_mean': rng.normal(size=(SIZE, len(names))).astype(np.float32),
        'video_std': rng.uniform(0.5, 2, (SIZE, len(names))).astype(np.float32),
    }
    return batch, names


BATCH, NAMES = make_batch()
READS = {
    'features': {'feature_names': NAMES, 'joint_names': ()},
    'skeleton': {'feature_names': (), 'joint_names': MEDIAPIPE_33},
    'both': {'feature_names': NAMES, 'joint_names': MEDIAPIPE_33},
}
TIME = {'shift': 0.3, 'crop': 0.3, 'warp': 0.4, 'frame_drop': 0.1}
SIDES = {'mirror': 0.5, 'hand_swap': 0.5}
BODY = {'joint_drop': 0.2, 'scale': 0.3, 'rotate': 20.0, 'jitter': 0.02, 'turn': 20.0}


def build(read='both', num_classes=2, **amounts):
    config = get_config().augment
    config.update(amounts)
    return augment.build(config, num_classes=num_classes, **READS[read])


@functools.cache
def compiled(read, amounts):
    return jax.jit(build(read, **dict(amounts)))


def apply(batch=BATCH, read='both', seed=0, **amounts):
    function = compiled(read, tuple(amounts.items()))
    return jax.device_get(function(batch, jax.random.key(seed)))


def counting(batch=BATCH):
    """The batch with the number of the frame as its features and labels, all observed."""
    frame = np.broadcast_to(np.arange(FRAMES)[:, None], BATCH['features'].shape[1:])
    return batch | {
        'features': np.broadcast_to(frame + 1, BATCH['features'].shape).astype(np.float32),
        'mask': np.ones_like(BATCH['mask']),
        'frame_label': np.broadcast_to(frame[:, 0], (SIZE, FRAMES)).astype(np.int8),
    }


def heights(batch):
    """[B, T, J, 2] joints in heights of the picture."""
    return batch['skeleton'][..., :2] * np.stack(
        [batch['aspect'], np.ones(SIZE)], -1)[:, None, None]  # fmt: skip


def distances(batch):
    xy = heights(batch)
    return np.linalg.norm(xy[:, :, :, None] - xy[:, :, None], axis=-1)
