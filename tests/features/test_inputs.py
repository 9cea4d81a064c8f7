"""What a network is called with, by configuration."""

import dataclasses

import jax
import numpy as np
import pytest

from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.features import check, columns, fitting, motion, pipeline, pooling
from posevid_jax.features.scaling import fit_scaler, neutral_scaler
from posevid_jax.models import families
from posevid_jax.training import experiment as experiments
from tests import toy
from tests.features import poses

AROUND = 4


def read(batch, **overrides):
    reader = poses.reader(features__zscore='none', **overrides)
    return jax.jit(reader)(batch, neutral_scaler(1))


def stretch(batch, frames):
    return {k: v[:, frames] if k.startswith('skeleton') else v for k, v in batch.items()}


def test_features_are_scaled_clipped_smoothed_and_packed_in_that_order():
    batch = toy.batch()
    scaler = fit_scaler(batch['features'], batch['mask'])
    config = toy.config(features__clip_at=1.5, features__smooth=3, features__pack='light')
    found = pipeline.read(batch, scaler, families.input_spec(config), toy.JOINTS).channels
    deviations = (batch['features'] - scaler.center) / scaler.scale
    assert (np.abs(deviations) > 1.5).any()
    clipped = np.where(batch['mask'], np.clip(deviations, -1.5, 1.5), 0)
    smoothed = motion.smooth(clipped, batch['mask'], 3)
    for part, expected in zip(found, motion.pack(*smoothed, batch['fps'], 'light'), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-5)


def test_context_is_the_means_of_the_frames_before_and_after():
    whole = poses.batch(frames=17, missing=0.1)
    around = np.r_[0:AROUND, 13:17]
    batch = stretch(whole, slice(AROUND, 13)) | {
        'context_skeleton': whole['skeleton'][:, around],
        'context_mask': whole['skeleton_mask'][:, around],
    }
    options = {'features__scale_frames': 99}
    found = read(batch, features__context=AROUND, **options)
    (x, mask), (context, known) = found.channels, found.clip
    expected, observed = read(whole, **options).channels
    np.testing.assert_allclose(x, expected[:, AROUND:13], atol=1e-5)
    np.testing.assert_array_equal(mask, observed[:, AROUND:13])
    parts = zip(*(np.split(a, 2, axis=1) for a in (context, known)), strict=True)
    for (part, seen), frames in zip(parts, (slice(4), slice(13, 17)), strict=True):
        values = np.where(observed, expected, np.nan)[:, frames, :, 0]
        count = np.isfinite(values).sum(1)
        means = np.where(count > 0, np.nansum(values, 1) / np.maximum(count, 1), 0)
        np.testing.assert_allclose(part, means, atol=1e-4)
        np.testing.assert_array_equal(seen, count > 0)


def test_rows_of_joints_have_the_frames_around_a_clip_too():
    whole = poses.batch(frames=17)
    around = np.r_[0:AROUND, 13:17]
    batch = stretch(whole, slice(AROUND, 13)) | {
        'context_skeleton': whole['skeleton'][:, around],
        'context_mask': whole['skeleton_mask'][:, around],
    }
    options = {'model__name': 'video_swin', 'features__layout': 'joints'}
    found, expected = (
        read(some, **options, features__context=frames).cells
        for some, frames in ((batch, AROUND), (whole, 0))
    )
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_context_and_summary_are_joined():
    batch = poses.batch()
    batch |= {'context_skeleton': batch['skeleton'], 'context_mask': batch['skeleton_mask']}
    context = read(batch, features__context=4).clip
    summary = read(batch, features__summary__on=True).clip
    both = read(batch, features__context=4, features__summary__on=True).clip
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
    assert both.cells.values.shape[1] == both.cells.mask.shape[1] == frames + 8
    cells, statistics = read(batch, model__name='video_swin', **shared), read(batch, **shared)
    assert cells.channels is None and cells.clip is None and statistics.cells is None
    expected = dataclasses.replace(statistics, cells=cells.cells)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), both, expected)


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
    spec = families.input_spec(config)
    arrays = columns.host_arrays(clips, spec)
    scaler = fitting.fit_scaler(clips, arrays, spec)
    batch = {name: array[:] for name, array in arrays.items()}

    @jax.jit
    def numbers_of(batch, scaler):
        inputs = pipeline.read(batch, scaler, spec, clips.joint_names)
        options = pooling.options(config.features)
        return inputs.scaler, pooling.numbers_of_clips(inputs, **options)

    found, (numbers, known) = numbers_of(batch, scaler)
    jax.tree.map(np.testing.assert_array_equal, found, scaler.pooled)
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
    spec = families.input_spec(config)
    with pytest.raises(InputError, match=message):
        check.check(spec)
        check.check_joints(spec, poses.UPPER_BODY)


def test_subclips_have_no_summary_of_whole_clips():
    config = toy.config(features__subclip=5, features__summary__on=True)
    with pytest.raises(InputError, match=r'features\.subclip: found 5 with .*expected 0'):
        check.check(families.input_spec(config))


def test_cells_alone_have_no_summary():
    config = toy.config('video_swin', features__summary__on=True)
    with pytest.raises(InputError, match=r'features\.summary\.on: found True .* expected False'):
        check.check(families.input_spec(config))


IGNORED = {'pack': 'light', 'zscore': 'none', 'scaler': 'rank', 'clip_at': 5.0, 'smooth': 3}


@pytest.mark.parametrize(('key', 'value'), IGNORED.items())
def test_a_key_about_features_that_nothing_reads_is_refused(key, value):
    def check_with(**options):
        options |= {f'features__{key}': value}
        experiments.check(toy.config('video_swin', **options))

    with pytest.raises(
        InputError, match=rf'^features\.{key}: found .*layout=skeleton.*; expected '
    ):
        check_with(features__layout='skeleton')
    check_with(features__layout='skeleton', model__video_swin__statistics=True)
    check_with(features__layout='grid')
