"""The small configuration and batch that tests share."""

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.config import get_config
from posevid_jax.features.inputs import Inputs, Masked

FRAMES, FEATURES = 8, 5
JOINTS = ('nose', 'left_shoulder', 'right_shoulder', 'left_wrist', 'right_wrist')


def config(model: str = 'stat_pool', **overrides) -> ConfigDict:
    """The default configuration at a size for tests; overrides are dotted keys with `__`."""
    c = get_config()
    c.model.name = model
    c.model.stat_pool.hidden_sizes = (8,)
    c.model.video_swin.window_size = (2, 2, 2)
    c.model.video_swin.remat = (False, False)
    c.data.synthetic.num_videos = 6
    c.data.synthetic.clips_per_video = 8
    c.data.synthetic.num_frames = 16
    c.train.batch_size = 16
    c.train.num_epochs = 2
    c.train.log_every_steps = 1
    c.eval.batch_size = 16
    c.eval.bootstrap = 20
    c.eval.report = False
    c.update_from_flattened_dict({key.replace('__', '.'): v for key, v in overrides.items()})
    return c.lock()


def batch(size: int = 8, seed: int = 0) -> dict[str, np.ndarray]:
    """A host batch of random clips, the last one only filling it up."""
    rng = np.random.default_rng(seed)
    mask = rng.random((size, FRAMES, FEATURES)) > 0.2
    return {
        'features': np.where(mask, rng.normal(size=mask.shape), 0).astype(np.float32),
        'mask': mask,
        'label': rng.integers(0, 2, size).astype(np.int32),
        'skeleton': rng.random((size, FRAMES, len(JOINTS), 4)).astype(np.float32),
        'skeleton_mask': rng.random((size, FRAMES, len(JOINTS))) > 0.1,
        'frame_label': rng.integers(-1, 2, (size, FRAMES)).astype(np.int8),
        'aspect': np.full(size, 1.5, np.float32),
        'fps': np.full(size, 30, np.float32),
        'weight': rng.uniform(0.5, 2, size).astype(np.float32),
        'valid': (np.arange(size) < size - 1).astype(np.float32),
        'row': np.arange(size, dtype=np.int32),
    }


def cells(x, mask=None) -> Inputs:
    """What a network of cells `[B, T, H, W, C]` is called with; without a mask as published."""
    return Inputs(cells=Masked(x, mask))
