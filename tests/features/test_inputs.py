"""What a network is called with, by configuration."""

import jax
import numpy as np
import pytest

from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.features import fitting, inputs, pooling
from posevid_jax.features.scaling import neutral_scaler
from tests import toy
from tests.features import poses

AROUND = 4


def read(batch, **overrides):
    config = toy.config(features__source='body', features__zscore='none', **overrides)
    reader = inputs.reader(config, poses.UPPER_BODY)
    return jax.jit(reader)(batch, neutral_scaler(1))


def stretch(batch, frames):
    return {k: v[:, frames] if k.startswith('skeleton') else v for k, v in batch.items()}


def test_context_is_the_means_of_the_frames_before_and_after():
    whole = poses.batch(frames=17, missing=0.1)
    around = np.r_[0:AROUND, 13:17]
    batch = stretch(whole, slice(AROUND, 13)) | {
        'context_skeleton': whole['skeleton'][:, around],
        'context_mask': whole['skeleton_mask'][:, around],
    }
    options = {'features__scale_frames': 99}
    x, mask, context, known, _ = read(batch, features__context=AROUND, **options)
    expected, observed, *_ = read(whole, **options)
    np.testing.assert_allclose(x, expected[:, AROUND:13], atol=1e-5)
    np.testing.assert_array_equal(mask, observed[:, AROUND:13])
    parts = zip(*(np.split(a, 2, axis=1) for a in (context, known)), strict=True)
    for (part, seen), frames in zip(parts, (slice(4), slice(13, 17)), strict=True):
        values = np.where(observed, expected, np.nan)[:, frames, :, 0]
        count = np.isfinite(values).sum(1)
        means = np.where(count > 0, np.nansum(values, 1) / np.maximum(count, 1), 0)
        np.testing.assert_allclose(part, means, atol=1e-4)
        np.testing.assert_array_equal(seen, count > 0)


def test_context_and_summary_are_joined():
    batch = poses.batch()
    batch |= {'context_skeleton': batch['skeleton'], 'context_mask': batch['skeleton_mask']}
    _, _, *context, _ = read(batch, features__context=4)
    _, _, *summary, _ = read(batch, features__summary__on=True)
    _, _, *both, _ = read(batch, features__context=4, features__summary__on=True)
    for found, *parts in zip(both, context, summary, strict=True):
        np.testing.assert_allclose(found, np.concatenate(parts, axis=1), atol=1e-5)


@pytest.mark.parametrize('layout', ['grid', 'skeleton'])
def test_a_network_of_cells_and_statistics_reads_what_each_reads_alone(layout):
    batch = poses.batch()
    frames = batch['skeleton'].shape[1]
    around = {'context_skeleton': 'skeleton', 'context_mask': 'skeleton_mask'}
    batch |= {name: batch[column][:, :8] for name, column in around.items()}
    shared = {'features__context': 4, 'features__layout': layout}
    both = read(batch, model__name='video_swin', model__video_swin__statistics=True, **shared)
    cells, statistics = both[:2], both[2:]
    assert cells[0].shape[1] == cells[1].shape[1] == frames + 8
    alone = read(batch, model__name='video_swin', **shared)
    for found, expected in zip(
        (*cells, *statistics), (*alone, *read(batch, **shared)), strict=True
    ):
        if expected is None:
            assert found is None
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(('subclip', 'subclips'), [(0, 1), (6, 4)])
def test_statistics_are_measured_against_those_of_the_training_clips(subclip, subclips):
    clips = make_clips(num_videos=4, clips_per_video=8, num_frames=12, seed=0)
    config = toy.config(
        features__source='body',
        features__scaler='rank',
        features__pooled_scaler='robust',
        features__parts=2,
        features__context=3,
        features__subclip=subclip,
        features__subclip_stride=2,
    )
    arrays = inputs.host_arrays(clips, config)
    scaler = fitting.fit_scaler(clips, arrays, config)
    read = inputs.reader(config, clips.joint_names)
    *parts, found = read({name: array[:] for name, array in arrays.items()}, scaler)
    assert found is scaler.pooled
    numbers, known = pooling.numbers_of_clips(*parts, **inputs.statistics(config.features))
    assert numbers.shape == (32 * subclips, found.center.shape[0])
    for column in range(0, numbers.shape[1], 17):
        values = np.asarray(numbers)[np.asarray(known)[:, column], column]
        expected = np.median(values) if values.size else 0  # frames around that no clip holds
        np.testing.assert_allclose(found.center[column], expected, atol=1e-4)


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        (
            'source',
            'skeleton',
            r"features\.source: found 'skeleton', expected one of archive, body",
        ),
        ('scaler', 'minmax', r'features\.scaler: .*standard, robust, rank'),
        ('statistics', ('mode',), r"features\.statistics: found 'mode'"),
        ('quantiles', (0.5, 2.0), r'features\.quantiles: .*from 0 to 1'),
        ('scale_frames', 4, r'features\.scale_frames: found 4, expected an odd'),
        ('parts', 0, r'features\.parts: found 0, expected 1 or more'),
        ('subclip', -1, r'features\.subclip: found -1, expected 0 or more'),
        ('subclip_stride', 0, r'features\.subclip_stride: found 0, expected 1 or more'),
        ('context', 5, r'features\.context: found 5 with .*archive, expected 0'),
        ('leave_out', ('near_*',), r'features\.leave_out: .*archive'),
        ('summary__near', (0.0,), r'features\.summary\.near'),
        ('summary__weights', (1.0,), r'features\.summary\.weights: .*a weight for each'),
        ('summary__joints', ('paw', 'index'), r'features\.summary: needs the joint left_paw'),
    ],
)
def test_a_mistake_is_one_line(key, value, message):
    config = toy.config(**{f'features__{key}': value, 'features__summary__on': 'summary' in key})
    with pytest.raises(InputError, match=message):
        inputs.check(config.features)
        inputs.reader(config, poses.UPPER_BODY)


def test_subclips_have_no_summary_of_whole_clips():
    config = toy.config(features__subclip=5, features__summary__on=True)
    with pytest.raises(InputError, match=r'features\.subclip: found 5 with .*expected 0'):
        inputs.reader(config, poses.UPPER_BODY)
