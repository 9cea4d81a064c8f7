"""Statistics of whole videos against a plain loop over frames."""

import numpy as np

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.video_stats import per_video_stats


def plain(values_by_frame: dict[int, float]) -> tuple[float, float]:
    values = list(values_by_frame.values())
    return (float(np.mean(values)), float(np.std(values))) if values else (0.0, 0.0)


def test_every_observed_frame_of_a_video_counts_once():
    rng = np.random.default_rng(0)
    n, t, f = 12, 8, 3
    video = rng.integers(0, 3, n)
    start = rng.integers(0, 20, n)
    recorded = rng.normal(3, 2, (3, 30, f)).astype(np.float32)
    features = np.stack([recorded[v, s : s + t] for v, s in zip(video, start, strict=True)])
    mask = rng.random(features.shape) < 0.7
    mask[video == 2, :, 1] = False  # a feature that a video never shows
    clips = from_arrays(
        source='toy', features=features, mask=mask, label=np.zeros(n, int),
        video_id=[str(v) for v in video], start_frame=start,
    )  # fmt: skip
    mean, std = per_video_stats(clips)
    assert mean.dtype == std.dtype == np.float32
    for row in range(n):
        for k in range(f):
            seen = {
                int(start[i]) + j: float(features[i, j, k])
                for i in np.flatnonzero(video == video[row])
                for j in range(t)
                if mask[i, j, k]
            }
            np.testing.assert_allclose([mean[row, k], std[row, k]], plain(seen), atol=1e-5)


def test_clips_without_a_position_count_in_full():
    features = np.array([[[0.0]], [[0.0]], [[6.0]]])
    clips = from_arrays(
        source='toy', features=features, label=np.zeros(3, int), video_id=['a', 'a', 'a']
    )
    mean, std = per_video_stats(clips)
    np.testing.assert_allclose(mean[:, 0], 2)
    np.testing.assert_allclose(std[:, 0], np.sqrt(8))
