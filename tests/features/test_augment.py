"""What all changes of training clips have in common, and mixtures."""

import jax
import numpy as np
import pytest

from posevid_jax.config import get_config
from posevid_jax.data import synthetic
from posevid_jax.errors import InputError
from posevid_jax.features import augment, columns
from posevid_jax.models import families
from tests.features.augmenting import (
    BATCH,
    BODY,
    READS,
    SIDES,
    SIZE,
    TIME,
    apply,
    build,
    counting,
    heights,
    make_batch,
)


def test_nothing_is_built_when_everything_is_off():
    assert build() is None


@pytest.mark.parametrize('read', READS)
def test_everything_together_stays_finite_and_0_where_missing(read):
    amounts = TIME | SIDES | {'mixup': 1.0} | (BODY if read == 'skeleton' else {})
    batch = dict(BATCH)
    batch['skeleton_mask'] = BATCH['skeleton_mask'] & (np.arange(SIZE) > 3)[:, None, None]
    batch['mask'] = BATCH['mask'] & (np.arange(SIZE) > 3)[:, None, None]
    batch['skeleton'] = batch['skeleton'] * batch['skeleton_mask'][..., None]
    batch['features'] = batch['features'] * batch['mask']
    for seed in range(3):
        got = apply(batch, read, seed, **amounts)
        assert set(got) == set(batch) | {'target'}
        for key, value in batch.items():
            assert got[key].shape == value.shape and got[key].dtype == value.dtype, key
            assert np.isfinite(got[key]).all(), key
        assert not got['features'][~got['mask']].any()
        assert not got['skeleton'][~got['skeleton_mask']].any()
        assert got['features'].any() and got['skeleton'].any()


def test_a_clip_depends_on_seed_and_row_alone():
    amounts = TIME | SIDES | BODY
    whole = apply(read='skeleton', **amounts)
    shuffled = np.random.default_rng(0).permutation(SIZE)
    part = {key: value[shuffled][:5] for key, value in BATCH.items()}
    got = apply(part, 'skeleton', **amounts)
    for key in BATCH:
        np.testing.assert_array_equal(got[key], whole[key][shuffled][:5], err_msg=key)
    again = apply(read='skeleton', seed=1, **amounts)
    assert not np.array_equal(again['skeleton'], whole['skeleton'])
    other_rows = apply(BATCH | {'row': BATCH['row'] + 100}, 'skeleton', **amounts)
    assert not np.array_equal(other_rows['skeleton'], whole['skeleton'])


def test_two_devices_make_the_batch_of_one():
    amounts = TIME | SIDES | BODY
    function = build('skeleton', **amounts)
    halves = {key: value.reshape(2, -1, *value.shape[1:]) for key, value in BATCH.items()}
    two = jax.device_get(jax.pmap(function, in_axes=(0, None))(halves, jax.random.key(0)))
    one = apply(read='skeleton', **amounts)
    for key in BATCH:
        # The draws are the same; a program for fewer rows may round another way.
        got = two[key].reshape(one[key].shape)
        close = 1e-6 * (key == 'skeleton')
        np.testing.assert_allclose(got, one[key], atol=close, rtol=0, err_msg=key)


def test_what_an_operation_does_is_the_same_whichever_others_are_on():
    alone = apply(counting(), 'features', shift=0.3)
    mirrored = apply(counting(), 'features', shift=0.3, mirror=1.0)
    np.testing.assert_array_equal(alone['frame_label'], mirrored['frame_label'])


def mixup_case():
    batch, _ = make_batch()
    batch['fps'][:2] = 25
    batch['valid'][-3:] = 0
    return batch, apply(batch, mixup=1.0)


def test_mixtures_are_of_two_clips_in_the_shares_of_the_target():
    batch, got = mixup_case()
    share = np.take_along_axis(got['target'], batch['label'][:, None], 1)[:, 0]
    np.testing.assert_allclose(got['target'].sum(1), 1, rtol=1e-6)
    assert (share >= 0.5).all() and (share < 0.999).sum() > 2
    np.testing.assert_array_equal(got['label'], batch['label'])
    observed = batch['mask']
    for row in np.flatnonzero(share < 0.999):
        # The partner is the clip of the other class that explains features, mask and labels.
        explained = []
        for other in np.flatnonzero(batch['label'] != batch['label'][row]):

            def mixed(array, row=row, other=other):
                return share[row] * array[row] + (1 - share[row]) * array[other]

            mask = observed[row] & observed[other]
            features = np.where(mask, mixed(batch['features']), 0)
            if not np.array_equal(mask, got['mask'][row]) or not np.allclose(
                features, got['features'][row], atol=1e-4
            ):
                continue
            explained.append(other)
            labels = batch['frame_label'][[row, other]]
            np.testing.assert_array_equal(
                got['frame_label'][row], np.where(labels[0] == labels[1], labels[0], -1)
            )
            for name in ('video_mean', 'video_std'):
                np.testing.assert_allclose(got[name][row], mixed(batch[name]), atol=1e-5)
            seen = batch['skeleton_mask'][row] & batch['skeleton_mask'][other]
            np.testing.assert_array_equal(got['skeleton_mask'][row], seen)
            np.testing.assert_allclose(
                heights(got)[row][seen], mixed(heights(batch))[seen], atol=1e-5
            )
        assert len(explained) == 1


def test_fillers_and_other_frame_rates_are_never_mixed_in():
    batch, got = mixup_case()
    changed = {key: np.array(value) for key, value in batch.items()}
    for key in ('features', 'skeleton', 'video_mean'):
        changed[key][-3:] *= 100
    changed['label'][-3:] = 1 - changed['label'][-3:]
    again = apply(changed, mixup=1.0)
    for key in got:
        np.testing.assert_array_equal(again[key][:-3], got[key][:-3], err_msg=key)
        np.testing.assert_array_equal(again[key][-3:], changed.get(key, again[key])[-3:])
    slow = {key: np.array(value) for key, value in batch.items()}
    slow['features'][:2] *= 100  # the two of 25 frames per second
    again = apply(slow, mixup=1.0)
    np.testing.assert_array_equal(again['features'][2:], got['features'][2:])
    share = np.take_along_axis(got['target'], batch['label'][:, None], 1)[:, 0]
    np.testing.assert_array_equal(share[-3:], 1)


def test_most_clips_stay_alone_when_alpha_is_small():
    got = apply(mixup=0.01)
    assert (got['target'].max(1) > 0.99).sum() > SIZE / 2
    single = {key: value[:1] for key, value in BATCH.items()}
    got = apply(single, mixup=1.0)
    np.testing.assert_allclose(got['features'], single['features'], atol=1e-5)
    assert got['target'][0, BATCH['label'][0]] == pytest.approx(1)


def test_targets_have_a_share_for_every_class():
    batch = BATCH | {'label': (np.arange(SIZE) % 3).astype(np.int32)}
    mix = jax.jit(build(num_classes=3, mixup=1.0))
    target = np.asarray(mix(batch, jax.random.key(0))['target'])
    assert target.shape == (SIZE, 3)
    np.testing.assert_array_equal(target.argmax(1), batch['label'])
    assert ((target > 0).sum(1) <= 2).all() and ((target > 0).sum(1) == 2).any()


@pytest.mark.parametrize('zscore', ['global', 'per_video'])
def test_every_array_of_a_batch_has_been_thought_of(zscore):
    """A new column must say what a mirror, a warp and a mixture do to it, then be named here."""
    config = get_config()
    config.features.zscore = zscore
    config.features.layout = 'skeleton'
    config.model.name = 'video_swin'
    clips = synthetic.make_clips(num_videos=2, clips_per_video=1, num_frames=4, seed=0)
    assert set(columns.host_arrays(clips, families.input_spec(config))) | {'valid'} <= set(BATCH)


@pytest.mark.parametrize(
    ('read', 'amounts', 'named'),
    [
        ('both', {'mirror': 1.5}, r'augment\.mirror: found 1\.5, expected 0 to 1$'),
        ('both', {'shift': -0.1}, r'augment\.shift: found -0\.1'),
        ('both', {'warp': float('nan')}, r'augment\.warp: found nan'),
        ('features', {'rotate': 5.0}, r'augment\.rotate: cannot move the features'),
        ('both', {'jitter': 0.1}, r'augment\.jitter: cannot move the features'),
        ('features', {'scale': 0.1}, r'augment\.scale'),
        ('features', {'joint_drop': 0.1}, r'augment\.joint_drop'),
    ],
)
def test_what_cannot_be_right_is_one_line(read, amounts, named):
    with pytest.raises(InputError, match=named):
        build(read, **amounts)


@pytest.mark.parametrize('key', ['mirror', 'hand_swap', 'warp'])
def test_features_without_a_meaning_are_refused(key):
    config = get_config().augment
    config[key] = 0.5
    with pytest.raises(InputError, match=rf'augment\.{key}: cannot tell .* feature_0'):
        augment.build(config, feature_names=('feature_0',), joint_names=(), num_classes=2)
