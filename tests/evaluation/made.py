"""Clips and logits that tests of evaluation share."""

import numpy as np

from posevid_jax.data import clips as contract
from posevid_jax.data.clips import Clips

JOINTS = ('left_shoulder', 'right_shoulder', 'left_wrist', 'right_wrist')


def clips(videos: int = 8, per_video: int = 6, classes: int = 2, seed: int = 0) -> Clips:
    """Clips of [4 frames, 2 features] with a skeleton; every video has its own frame rate."""
    rng = np.random.default_rng(seed)
    count = videos * per_video
    video = np.repeat(np.arange(videos), per_video)
    return contract.from_arrays(
        source='set',
        features=rng.normal(size=(count, 4, 2)),
        label=np.r_[np.arange(classes), rng.integers(0, classes, count - classes)],
        video_id=[f'v{v}' for v in video],
        fps=24.0 + video % 2,
        skeleton=rng.random((count, 4, len(JOINTS), 4)),
        joint_names=JOINTS,
        class_names=('rest', 'smoke') if classes == 2 else None,
    )


def logits(label: np.ndarray, outputs: int = 1, seed: int = 0) -> np.ndarray:
    """[N, outputs] that know something of the labels, and are too sure of it."""
    rng = np.random.default_rng(seed)
    signal = np.eye(outputs)[label] if outputs > 1 else label[:, None] - 0.5
    return 3.0 * signal + 4.0 * rng.normal(size=(len(label), outputs))
