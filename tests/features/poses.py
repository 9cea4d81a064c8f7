"""Random skeletons that look like nobody, for tests of what is computed from them."""

import functools

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.features import pipeline
from posevid_jax.models import families
from tests import toy

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


def reader(**overrides):
    """(batch, scaler) to what a network of body features is called with, by configuration."""
    spec = families.input_spec(toy.config(features__source='body', **overrides))
    return functools.partial(pipeline.read, spec=spec, joint_names=UPPER_BODY)
