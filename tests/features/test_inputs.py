"""What a network is called with, by configuration."""

import jax
import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.features import inputs
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
    x, mask, context = read(batch, features__context=AROUND, **options)
    expected, observed = read(whole, **options)
    np.testing.assert_allclose(x, expected[:, AROUND:13], atol=1e-5)
    np.testing.assert_array_equal(mask, observed[:, AROUND:13])
    for part, frames in zip(np.split(context, 2, axis=1), (slice(4), slice(13, 17)), strict=True):
        values = np.where(observed, expected, np.nan)[:, frames, :, 0]
        count = np.isfinite(values).sum(1)
        means = np.where(count > 0, np.nansum(values, 1) / np.maximum(count, 1), 0)
        np.testing.assert_allclose(part, means, atol=1e-4)


def test_context_and_summary_are_joined():
    batch = poses.batch()
    batch |= {'context_skeleton': batch['skeleton'], 'context_mask': batch['skeleton_mask']}
    *_, context = read(batch, features__context=4)
    *_, summary = read(batch, features__summary__on=True)
    *_, both = read(batch, features__context=4, features__summary__on=True)
    np.testing.assert_allclose(both, np.concatenate([context, summary], axis=1), atol=1e-5)


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
