"""Convolution statistics against direct loops, and in the pipeline."""

import itertools

import jax
import numpy as np
import pytest

from posevid_jax.data.joints import COCO_17
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.features import check, columns, fitting, kernels, pipeline, resampling, sources
from posevid_jax.features.columns import scaled_names
from posevid_jax.models import classifier, families
from tests import toy

GROUPS = ([0, 2, 3], [1, 4])
FRAMES = 70  # more than are counted by an operation each
WEIGHTS = [
    [2 if tap in high else -1 for tap in range(9)] for high in itertools.combinations(range(9), 3)
]


def bank(frames=FRAMES, count=504, seed=0):
    return kernels.make_bank(GROUPS, frames, count, seed)


def clips(count=3, frames=FRAMES, seed=0):
    return np.random.default_rng(seed).normal(size=(count, frames, 5)).astype(np.float32)


def convolve(x, part):
    return np.asarray(kernels.convolve(x, part))


def plain(x, part, kernel):
    """What one kernel makes of one clip `[T, F]`, frame by frame."""
    features = part.features[part.chosen[:, kernel] > 0]
    summed = x[:, features].astype(float).sum(1)
    found = []
    for t in range(len(x)):
        taps = [np.clip(t + (tap - 4) * part.dilation, 0, len(x) - 1) for tap in range(9)]
        found.append(sum(w * summed[at] for w, at in zip(WEIGHTS[kernel], taps, strict=True)))
    return np.array(found)


def test_convolutions_and_shares_are_those_of_a_loop():
    made, x = bank(), clips()
    biases = np.random.default_rng(1).normal(size=kernels.size(made)).astype(np.float32)
    found = np.asarray(jax.jit(lambda x: kernels.statistics(x, made, biases))(x))
    at = 0
    for part in made:
        values = convolve(x, part)
        for kernel, clip in itertools.product((0, 17, 50, 83), range(3)):
            expected = plain(x[clip], part, kernel)
            np.testing.assert_allclose(values[clip, :, kernel], expected, atol=1e-4)
            for n in range(len(part.quantiles)):
                number = at + n * kernels.KERNELS + kernel
                share = (expected > biases[number]).mean()
                np.testing.assert_allclose(found[clip, number], share, atol=1e-6)
        at += part.quantiles.size


def test_a_constant_gives_nothing():
    x = np.broadcast_to(np.float32([1, -2, 3, 5, 8]), (1, FRAMES, 5))
    for part in bank():
        np.testing.assert_allclose(convolve(x, part), 0, atol=1e-4)


def test_standing_still_before_and_after_does_not_count():
    x = clips()
    longer = np.pad(x, ((0, 0), (40, 40), (0, 0)), mode='edge')
    for part in bank():
        found = convolve(longer, part)
        np.testing.assert_allclose(found[:, 40:-40], convolve(x, part), atol=1e-4)
        still = 40 - 4 * part.dilation
        np.testing.assert_allclose(found[:, :still], 0, atol=1e-4)
        np.testing.assert_allclose(found[:, FRAMES + 80 - still :], 0, atol=1e-4)


@pytest.mark.parametrize(
    ('frames', 'count', 'expected'),
    [(70, 840, 840), (70, 1000, 840), (70, 10, 168), (5, 400, 336), (200, 2000, 1848)],
)
def test_there_are_as_many_statistics_as_a_bank_says(frames, count, expected):
    made, x = bank(frames, count), clips(2, frames)
    assert kernels.size(made) == expected
    shape = jax.eval_shape(lambda x: kernels.statistics(x, made, np.zeros(expected)), x).shape
    assert shape == (2, expected)
    # The longest kernel reaches over the clip and no further.
    assert max(part.dilation for part in made) <= max((frames - 1) / 8, 1)
    if count >= 1000 and frames > 9:
        assert max(part.dilation for part in made) == (frames - 1) // 8


def test_a_bank_is_its_seeds():
    def content(seed):
        return [np.concatenate([p.chosen.ravel(), p.quantiles.ravel()]) for p in bank(seed=seed)]

    for one, same, other in zip(content(3), content(3), content(4), strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


def test_a_kernel_sums_features_of_one_group():
    wide = (list(range(0, 40, 2)), list(range(1, 40, 2)))
    made = kernels.make_bank(wide, FRAMES, 840, 0)
    shares = [0, 0]
    for part in made:
        group = int(part.features[0] % 2)
        shares[group] += part.quantiles.size
        x = np.random.default_rng(0).normal(size=(1, FRAMES, 40)).astype(np.float32)
        x[..., wide[group]] = 0  # all that the kernels of this group read
        assert not convolve(x, part).any()
        summed = part.chosen.sum(0)
        assert summed.min() == 1 and 7 <= summed.max() <= 9
    assert shares == [420, 420]


def test_bones_and_angles_are_a_group_of_their_own():
    names = ('place_nose_x', 'bone_nose_x', 'path_x', 'angle_left_elbow', 'distance_hands')
    assert sources.kernel_groups('pose', names) == [[1, 3], [0, 2, 4]]
    assert sources.kernel_groups('pose', names[::2]) == [[0, 1, 2]]
    assert sources.kernel_groups('archive', names) == [[0, 1, 2, 3, 4]]


def test_each_bias_is_the_wanted_quantile_of_a_clip():
    made = bank()
    x = clips(4) * np.float32([1, 10, 100, 1000])[:, None, None]  # no two clips give the same
    biases = kernels.fit_biases(x, made, seed=0)
    above = np.asarray(kernels.statistics(x, made, biases))
    wanted = 1 - np.concatenate([part.quantiles.ravel() for part in made])
    off = np.abs(above - wanted)
    assert off.min(0).max() <= 1 / FRAMES + 1e-5
    own = off.argmin(0)
    assert np.bincount(own, minlength=4).min() > len(own) / 8  # every clip gives its part
    np.testing.assert_array_equal(biases, kernels.fit_biases(x, made, seed=0))
    assert (biases != kernels.fit_biases(x, made, seed=1)).any()


OPTIONS = {
    'features__source': 'pose',
    'features__depth': 'off',
    'features__leave_out': ('velocity_*', 'acceleration_*'),
    'features__zscore': 'none',
    'features__frames': 16,
    'features__kernels': 168,
}


def test_a_network_reads_the_statistics_of_resampled_clips():
    made = make_clips(num_videos=3, clips_per_video=4, num_frames=12, seed=0)
    spec = families.input_spec(toy.config(**OPTIONS, features__pooled_scaler='standard'))
    arrays = columns.host_arrays(made, spec)
    scaler = fitting.fit_scaler(made, arrays, spec)
    batch = {name: array[:] for name, array in arrays.items()}

    @jax.jit
    def read(batch):
        inputs = pipeline.read(batch, scaler, spec, made.joint_names)
        found = sources.COMPUTED['pose'].compute(batch, made.joint_names, spec.features)
        return inputs, resampling.resample(*found, 16)[0]

    inputs, x = read(batch)
    names = scaled_names(made, spec)
    groups = sources.kernel_groups('pose', names)
    assert len(groups) == 2
    of_clips = kernels.make_bank(groups, 16, 168, 0)
    np.testing.assert_allclose(
        scaler.biases, kernels.fit_biases(x[_drawn(12)], of_clips, 0), atol=1e-4
    )
    assert inputs.clip.values.shape == (12, 168) and inputs.clip.mask.all()
    expected = kernels.statistics(x, of_clips, scaler.biases)
    # Where a value is a bias, rounding decides on which side.
    assert np.isclose(inputs.clip.values, expected, atol=1e-6).mean() > 0.95
    np.testing.assert_allclose(inputs.clip.values, expected, atol=2.1 / 16)
    # The scaler is fitted to them, after the statistics of the channels.
    np.testing.assert_allclose(
        scaler.pooled.center[-168:], np.asarray(inputs.clip.values).mean(0), atol=1e-3
    )


def _drawn(count):
    return np.random.default_rng(0).permutation(count)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'subclip': 5}, r'features\.frames: found 16 with features\.subclip=5, expected 0'),
        ({'frames': 0, 'subclip': 5}, r'features\.kernels: found 168 with features\.subclip=5'),
        ({'frames': 0, 'pack': 'light'}, r'features\.kernels: .*features\.pack=off'),
        ({'context': 4, 'source': 'body'}, r'features\.frames: .*features\.context=4'),
        ({'context': 4}, r'features\.context: .*source=pose, expected 0, or body'),
        ({'frames': -1}, r'features\.frames: found -1, expected 0 or more'),
        ({'kernels': -1}, r'features\.kernels: found -1, expected 0 or more'),
        ({'depth': 'deep'}, r"features\.depth: found 'deep', expected one of auto, on, off"),
        ({'statistics': (), 'kernels': 0}, r'features\.statistics: found none.*kernels'),
        ({'leave_out': ('*',)}, r'features\.leave_out: .*leaves no feature'),
    ],
)
def test_a_mistake_is_one_line(changes, message):
    changed = OPTIONS | {f'features__{key}': value for key, value in changes.items()}
    spec = families.input_spec(toy.config(**changed))
    with pytest.raises(InputError, match=message):
        check.check(spec)
        check.check_joints(spec, COCO_17)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'features__frames': 0}, r'features\.kernels: found 168 with a model that reads no'),
        (
            {'features__kernels': 0, 'train__frame_loss': 1.0},
            r'train\.frame_loss: found 1\.0 with features\.frames=16, which leaves',
        ),
    ],
)
def test_a_network_that_cannot_use_them_is_refused(changes, message):
    config = toy.config(
        **(OPTIONS | {'model__name': 'video_swin', 'model__size': 'mini'} | changes)
    )
    config.unlock().model.video_swin.remat = (False, False)
    with pytest.raises(InputError, match=message):
        classifier.build(config, num_classes=2, joint_names=COCO_17)


def test_resampling_is_not_ignored_beside_a_skeleton():
    config = toy.config(model__name='video_swin', features__layout='skeleton', features__frames=16)
    with pytest.raises(InputError, match=r'features\.frames: found 16 with features\.layout=skel'):
        check.check_nothing_is_ignored(families.input_spec(config))


def test_kernels_alone_are_enough():
    check.check(families.input_spec(toy.config(**OPTIONS, features__statistics=())))
