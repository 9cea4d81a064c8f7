"""The numbers of a set against what its arrays were made of."""

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.npz import read_clips
from posevid_jax.data.summary import infinite_values, lengths, oddities, summarise


def small(**changes):
    """Four clips of ten frames, two videos; clip 3 has six frames and padding."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4, 10, 3))
    features[3, 6:] = np.nan
    columns = {
        'source': 's',
        'features': features,
        'label': np.array([0, 1, 1, 0]),
        'video_id': ['a', 'a', 'b', 'b'],
        'start_frame': np.array([0, 4, 0, -1]),
        'fps': np.array([30, 30, 25, 30]),
    }
    return from_arrays(**columns | changes)


def test_padding_is_no_part_of_a_clip_and_not_missing():
    clips = small()
    np.testing.assert_array_equal(lengths(clips), [10, 10, 10, 6])
    s = summarise(clips, {})
    assert (s.clips, s.videos, s.frames) == (4, 2, 36)
    assert s.missing == 0 and s.half_missing == 0
    assert [f.missing for f in s.features] == [0, 0, 0]


def test_frames_that_clips_share_count_once():
    assert summarise(small(), {}).distinct_frames == 14 + 10 + 6
    everywhere = small(start_frame=np.array([0, 0, 7, 3]), features=np.zeros((4, 10, 1)))
    assert summarise(everywhere, {}).distinct_frames == 10 + 14


def test_missing_shares():
    features = small().features.astype(float)
    features[0, :6], features[1, :, 0] = np.nan, np.nan
    s = summarise(small(features=features, start_frame=np.zeros(4, int)), {})
    np.testing.assert_allclose(s.missing_by_clip, [0.6, 1 / 3, 0, 0], atol=1e-12)
    assert s.half_missing == 1
    assert s.missing == pytest.approx((18 + 10) / 120)
    assert [f.missing for f in s.features] == pytest.approx([0.4, 0.15, 0.15])
    assert any('1 clips have more than half' in sentence for sentence in oddities(s))


def test_ranges_constants_and_outliers():
    features = np.random.default_rng(1).normal(size=(4, 10, 5))
    features[2, 3, 0] = 1e4
    features[..., 1] = 7
    features[..., 2] = np.nan
    features[..., 3] = features[..., 3] > 1.5  # mostly 0: nothing to measure a distance in
    s = summarise(small(features=features), {})
    wild, same, never, flag, calm = s.features
    values = features[..., 4]
    np.testing.assert_allclose(
        calm.quantiles, np.quantile(values, [0, 0.01, 0.5, 0.99, 1]), rtol=1e-6
    )
    assert (wild.outliers, flag.outliers, calm.outliers) == (1, 0, 0)
    assert same.constant and not calm.constant and never.quantiles is None
    text = '\n'.join(oddities(s))
    assert 'feature_0 (1)' in text and 'constant: feature_1' in text
    assert 'never observed: feature_2' in text and 'feature_4' not in text


def test_labels_of_clips_and_of_their_frames():
    frame_label = np.zeros((4, 10), int)
    frame_label[1, :6] = 1
    frame_label[2, :3] = 1
    frame_label[3] = -1
    negative, positive = summarise(small(frame_label=frame_label), {}).classes
    assert (negative.clips, negative.share, negative.videos) == (2, 0.5, 2)
    assert negative.own_frames == (1, 1) and negative.agreeing == 1
    assert positive.own_frames == pytest.approx((0.3, 0.45)) and positive.agreeing == 0.5
    text = '\n'.join(oddities(summarise(small(frame_label=frame_label), {})))
    assert 'labelled frames: positive 50.0%' in text
    assert summarise(small(), {}).classes[0].agreeing is None


def test_rates_aspects_and_joints():
    skeleton = np.random.default_rng(2).random((4, 10, 2, 4))
    skeleton[:, :5, 1] = np.nan
    s = summarise(small(skeleton=skeleton, aspect=np.array([1.5, 1.5, 2, 1.5])), {})
    assert s.fps == ((30, 3), (25, 1)) and s.aspect == ((1.5, 3), (2, 1))
    first, second = s.joints
    assert first.missing == pytest.approx(1 - 40 / s.frames) or first.missing == 0
    assert second.missing == pytest.approx(0.5)
    np.testing.assert_allclose(
        first.visibility, np.quantile(skeleton[:, :, 0, 3], [0.1, 0.5]), 1e-6
    )
    assert any('frame rates differ (30, 25)' in sentence for sentence in oddities(s))


def test_infinities_are_counted_before_they_are_read_as_missing(tmp_path):
    features = np.zeros((4, 10, 3), np.float32)
    features[0, 0, 0], features[1, 1, 1], features[2, 2, 2] = np.inf, -np.inf, np.nan
    np.savez(tmp_path / 'set.npz', long_raw=features, long_label=np.zeros(4, int))
    infinite = infinite_values(tmp_path / 'set.npz')
    assert infinite == {'long_raw': 2}
    clips = read_clips(tmp_path / 'set.npz', prefix='long')
    assert any(
        'long_raw holds infinities (2)' in text for text in oddities(summarise(clips, infinite))
    )
    assert infinite_values(tmp_path) == infinite  # a folder is the sum of its files


def test_a_set_without_features_is_judged_by_its_joints():
    skeleton = np.random.default_rng(3).random((4, 10, 5, 4))
    skeleton[0, :7] = np.nan
    s = summarise(small(features=np.zeros((4, 10, 0)), skeleton=skeleton), {})
    assert s.features == () and s.half_missing == 1
    assert s.missing == pytest.approx(7 / 40)
