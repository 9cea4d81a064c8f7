"""What baselines read, whatever is missing, and however long a clip is."""

import numpy as np
import pytest

from posevid_jax.baselines import channels
from posevid_jax.data.clips import from_arrays
from tests import toy

RNG = np.random.default_rng(0)


def archive(frames=10, **columns):
    """Four clips of an archive whose second feature has another unit, with holes."""
    features = np.random.default_rng(1).normal(size=(4, frames, 2)) * [1, 1000]
    features[0, 3:5, 0] = np.nan
    features[1, :, 1] = np.nan
    return from_arrays(source='a', features=features, label=np.array([0, 1, 0, 1]), **columns)


def bodies(skeleton):
    empty = np.zeros((*skeleton.shape[:2], 0))
    return from_arrays(
        source='b', features=empty, label=np.zeros(len(skeleton), int),
        skeleton=skeleton, joint_names=toy.JOINTS,
    )  # fmt: skip


def test_statistics_are_those_of_observed_frames():
    clips = archive()
    x = np.where(clips.mask, clips.features, np.nan)
    found = channels.make(toy.config().features, clips).statistics(clips)
    nothing = np.isnan(found).reshape(4, 8, 2)
    assert nothing[1, :, 1].all() and nothing.sum() == 8
    kept = [0, 2, 3]
    each = [
        statistic(part[kept], axis=1)
        for part in (x, np.diff(x, axis=1))
        for statistic in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)
    ]
    np.testing.assert_allclose(found[kept], np.concatenate(each, axis=1), rtol=1e-4, atol=1e-3)


def test_a_clip_of_one_frame_has_no_change():
    clips = archive(frames=6)
    one = from_arrays(
        source='c', features=np.asarray(clips.features)[2:, :1], label=clips.label[2:]
    )
    found = channels.make(toy.config().features, one).statistics(one)
    assert np.isnan(found).tolist() == [[False] * 8 + [True] * 8] * 2


def test_features_of_an_archive_are_resampled_to_one_unit():
    clips = archive()
    found = channels.make(toy.config().features, clips).resampled(clips)
    assert found.shape == (4, 64, 2)
    assert not found[1, :, 1].any()  # never observed
    assert 0.3 < found[2:, :, 0].std() / found[2:, :, 1].std() < 3


@pytest.mark.parametrize(('frames', 'expected'), [(0, 64), (20, 20), (5, 9)])
def test_frames_are_those_of_the_configuration_or_64_and_as_many_as_a_kernel_has_taps(
    frames, expected
):
    clips = archive()
    reads = channels.make(toy.config(features__frames=frames).features, clips)
    assert reads.resampled(clips).shape[1] == expected


def test_a_body_is_read_alike_wherever_it_stands_and_whatever_pads_its_clip():
    skeleton = RNG.random((3, 12, len(toy.JOINTS), 4))
    moved = skeleton * [0.5, 0.5, 0.5, 1] + [0.2, 0.1, 0, 0]
    here, there = (
        bodies(np.pad(x, ((0, 0), ends, (0, 0), (0, 0)), constant_values=np.nan))
        for x, ends in ((skeleton, (0, 3)), (moved, (2, 1)))
    )
    reads = channels.make(toy.config(features__depth='off').features, here)
    found = reads.statistics(here)
    assert found.shape == (3, 8 * 2 * len(toy.JOINTS)) and np.abs(found).max() > 0.1
    np.testing.assert_allclose(reads.statistics(there), found, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(reads.resampled(there), reads.resampled(here), atol=1e-4)


def test_depth_is_read_where_it_is_measured():
    flat = RNG.random((3, 12, len(toy.JOINTS), 4)) * [1, 1, 0, 1]
    for wanted, axes in (('auto', 2), ('on', 3)):
        reads = channels.make(toy.config(features__depth=wanted).features, bodies(flat))
        assert len(reads.scale) == axes * len(toy.JOINTS)


def test_many_clips_are_read_as_few_are(monkeypatch):
    clips = archive()
    reads = channels.make(toy.config().features, clips)
    whole = reads.statistics(clips)
    monkeypatch.setattr(channels, '_BLOCK', 3)
    np.testing.assert_array_equal(reads.statistics(clips), whole)
