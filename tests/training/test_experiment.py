"""What a configuration determines before the first step."""

import dataclasses

import jax
import numpy as np
import pytest

from posevid_jax.data import npz, synthetic
from posevid_jax.errors import InputError
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop
from tests import toy


def test_a_cap_makes_the_epoch_shorter():
    whole = experiments.build(toy.config(train__batch_size=4))
    capped = experiments.build(toy.config(train__batch_size=4, data__max_clips_per_video=1))
    assert whole.steps_per_epoch == len(whole.train) / 4
    videos = len(whole.train.videos)  # each holds both classes, one clip of each is drawn
    assert capped.steps_per_epoch == -(-2 * videos // 4) < whole.steps_per_epoch


def test_a_weight_counts_in_the_draws_or_in_the_loss(tmp_path):
    made = synthetic.make_clips(num_videos=6, clips_per_video=4, num_frames=8, seed=0)
    weight = np.where(np.arange(len(made)) % 2, 3, 0).astype(np.float32)
    npz.write_clips(tmp_path / 'clips.npz', dataclasses.replace(made, weight=weight), 'long')
    path = str(tmp_path / 'clips.npz')
    plain = experiments.build(toy.config(data__train=path))
    np.testing.assert_array_equal(plain.arrays['weight'], plain.train.weight)
    drawn = experiments.build(toy.config(data__train=path, data__sample_by_weight=True))
    for batch in drawn.data():
        assert (batch['weight'] == 1).all() and (drawn.train.weight[batch['row']] == 3).all()


def test_what_is_validated_on_has_no_part_in_the_scaler(tmp_path):
    made = synthetic.make_clips(num_videos=6, clips_per_video=4, num_frames=8, seed=0)
    far = dataclasses.replace(made, features=np.where(made.mask, 9 * made.features + 5, 0))
    scalers = []
    for name, val in (('near', made), ('far', far)):
        npz.write_clips(tmp_path / f'{name}.npz', val, 'long')
        config = toy.config(data__val=str(tmp_path / f'{name}.npz'), features__pooled_scaler='rank')
        scalers.append(experiments.build(config).scaler)
    jax.tree.map(np.testing.assert_array_equal, *scalers)


def test_an_augmentation_is_built_for_what_the_network_reads():
    assert experiments.build(toy.config()).augment is None
    skeleton = {
        'features__layout': 'skeleton',
        'augment__rotate': 5.0,
        'model__video_swin__remat': 4 * (False,),
    }
    assert experiments.build(toy.config('video_swin', **skeleton)).augment is not None
    with pytest.raises(InputError, match=r'augment\.rotate: cannot move the features'):
        experiments.build(toy.config(augment__rotate=5.0))


@pytest.fixture
def pretrained(tmp_path):
    """Options of a network of width 32 that starts from a file with the last norm alone."""
    norm = {'norm.weight': np.full(64, 3, np.float32), 'norm.bias': np.full(64, 4, np.float32)}
    np.savez(tmp_path / 'weights.npz', **norm)
    return {
        'model': 'video_swin',
        'model__size': 'mini',
        'model__pretrained': str(tmp_path / 'weights.npz'),
        'model__pretrained_allow': ('.*',),
    }


@pytest.mark.parametrize('members', [1, 2])
def test_a_run_starts_from_pretrained_weights(pretrained, members, capsys):
    config = toy.config(train__num_seeds=members, train__ema_decay=0.9, **pretrained)
    state = experiments.build(config).initial_state()
    for params in (state.params, state.ema):
        assert (np.asarray(params['norm']['scale']) == 3).all()
        assert (np.asarray(params['norm']['bias']) == 4).all()
    assert f'{config.model.pretrained}: ' in capsys.readouterr().out
    head = np.asarray(state.params['head']['kernel']).reshape(members, -1)
    assert head.any() and (members == 1 or (head[0] != head[1]).any())


def test_weights_that_do_not_fit_are_refused_before_there_is_a_directory(pretrained, tmp_path):
    config = toy.config(**pretrained | {'model__pretrained_allow': ()})
    with pytest.raises(InputError, match=r'model\.pretrained: 59 .*patch_embed'):
        loop.train_and_evaluate(config, tmp_path / 'run')
    config = toy.config(**pretrained | {'model__pretrained_allow': ('*',)})
    with pytest.raises(InputError, match=r"pretrained_allow: '\*' is no pattern"):
        loop.train_and_evaluate(config, tmp_path / 'run')
    assert not (tmp_path / 'run').exists()
