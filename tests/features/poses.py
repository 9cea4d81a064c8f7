"""Random skeletons that look like nobody, for tests of what is computed from them."""

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33

UPPER_BODY = MEDIAPIPE_33[:23]


def batch(names=UPPER_BODY, size=3, frames=9, missing=0.0, seed=0):
    """A host batch: places all over the picture, joints missing at random."""
    rng = np.random.default_rng(seed)
    mask = rng.random((size, frames, len(names))) >= missing
    skeleton = rng.random((size, frames, len(names), 4)).astype(np.float32)
    return {
        'skeleton': np.where(mask[..., None], skeleton, 0),
        'skeleton_mask': mask,
        'aspect': rng.uniform(0.5, 2, size).astype(np.float32),
        'fps': rng.choice([25, 30], size).astype(np.float32),
    }
