"""The hand-mouth summary against a plain loop over frames."""

import math

import jax
import numpy as np
import pytest

from posevid_jax.features import summary
from tests import toy
from tests.features import poses

CONFIG = toy.config(
    features__summary__joints=('wrist', 'thumb'),
    features__summary__weights=(1.0, 3.0),
    features__summary__near=(0.5, 1.5),
).features.summary
compute = jax.jit(lambda batch: summary.hand_mouth(batch, poses.UPPER_BODY, 99, CONFIG))


def plain(batch, clip):
    """Share of frames, smallest distance, visibility of the mouth, shares near, longest stays."""
    aspect, fps = float(batch['aspect'][clip]), float(batch['fps'][clip])
    frames = []
    for places, seen in zip(batch['skeleton'][clip], batch['skeleton_mask'][clip], strict=True):
        named = zip(poses.UPPER_BODY, places.astype(float), seen, strict=True)
        frames.append(
            {name: np.array([x * aspect, y, v]) for name, (x, y, _, v), ok in named if ok}
        )
    shoulders = ('left_shoulder', 'right_shoulder')
    framed = [at if set(shoulders) <= set(at) else {} for at in frames]
    sizes = []
    for at in filter(None, framed):
        left, right = (at[name][:2] for name in shoulders)
        neck = math.dist(at['nose'][:2], (left + right) / 2) if 'nose' in at else 0
        sizes.append(max(math.dist(left, right), 1.45 * neck))
    distances, visibility = [], []
    for at in framed:
        reach = math.inf
        if {'mouth_left', 'mouth_right'} <= set(at):
            mouth = (at['mouth_left'] + at['mouth_right']) / 2
            for side in ('left', 'right'):
                if {f'{side}_wrist', f'{side}_thumb'} <= set(at):
                    hand = (at[f'{side}_wrist'] + 3 * at[f'{side}_thumb']) / 4
                    reach = min(reach, math.dist(hand[:2], mouth[:2]) / np.median(sizes))
        distances.append(reach)
        if reach < math.inf:
            visibility.append(mouth[2])
    if not visibility:
        return np.zeros(7)
    stays = []
    for limit in (0.5, 1.5):
        run, longest = 0, 0
        for distance in distances:
            run = run + 1 if distance < limit else 0
            longest = max(longest, run)
        stays.append(longest / fps)
    near = [sum(d < limit for d in distances) / len(visibility) for limit in (0.5, 1.5)]
    share = len(visibility) / len(distances)
    return np.array([share, min(distances), np.mean(visibility), *near, *stays])


@pytest.mark.parametrize('missing', [0.0, 0.1, 0.5])
def test_summary_is_that_of_a_plain_loop(missing):
    batch = poses.batch(size=4, frames=20, missing=missing)
    found = np.asarray(compute(batch))
    for clip in range(4):
        np.testing.assert_allclose(found[clip], plain(batch, clip), rtol=1e-3, atol=1e-4)


def test_without_anybody_all_is_0():
    assert not np.asarray(compute(poses.batch(missing=1.0))).any()
