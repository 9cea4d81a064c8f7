"""The embedded data: repeatable, plausible, and neither too easy nor too hard."""

import dataclasses
import warnings

import numpy as np
import pytest
from ml_collections import ConfigDict
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from posevid_jax.config import get_config
from posevid_jax.data import source
from posevid_jax.data.clips import Clips
from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.npz import write_clips
from posevid_jax.data.splits import split_by_video
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError


def tiny(seed: int = 0, num_frames: int = 20) -> Clips:
    return make_clips(num_videos=3, clips_per_video=4, num_frames=num_frames, seed=seed)


@pytest.fixture(scope='module')
def clips() -> Clips:
    return make_clips(num_videos=40, clips_per_video=16, seed=3)


def test_seed_decides_every_bit():
    assert tiny().fingerprint() == tiny().fingerprint()
    assert tiny().fingerprint() != tiny(seed=1).fingerprint()


@pytest.mark.parametrize('num_frames', [2, 8, 75])
def test_any_length(num_frames):
    assert tiny(num_frames=num_frames).features.shape[:2] == (12, num_frames)


def test_label_follows_from_the_frames(clips):
    share = (clips.frame_label == 1).mean(1)
    np.testing.assert_array_equal(clips.label, share >= 0.3)
    assert 0.33 < clips.label.mean() < 0.47
    assert (share[clips.label == 0] > 0).any()  # gestures that only begin or end in the clip


def test_hand_is_at_the_mouth_while_the_frames_say_so(clips):
    def distance(side):
        return clips.features[..., clips.feature_names.index(f'norm_dist_{side}Hand_mouth')]

    seen = clips.mask[..., clips.feature_names.index('norm_dist_leftHand_mouth')]
    seen &= clips.mask[..., clips.feature_names.index('norm_dist_rightHand_mouth')]
    nearest = np.minimum(distance('left'), distance('right'))
    smoking = clips.frame_label == 1
    assert np.median(nearest[smoking & seen]) < 0.4 < np.median(nearest[~smoking & seen])


def test_videos_differ_in_person_camera_and_rate(clips):
    assert clips.joint_names == MEDIAPIPE_33
    assert set(clips.fps) == {25, 30} and len(set(clips.aspect)) > 1
    shoulders = np.abs(clips.skeleton[:, :, 11, 0] - clips.skeleton[:, :, 12, 0])
    by_video = [np.median(shoulders[clips.video == v]) for v in range(len(clips.videos))]
    assert max(by_video) > 2 * min(by_video)
    assert 0.01 < 1 - clips.skeleton_mask.mean() < 0.2


def pooled(values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # clips in which a feature is never seen
        statistics = [f(values, axis=1) for f in
                      (np.nanmean, np.nanstd, np.nanmedian, np.nanmax, np.nanmin)]  # fmt: skip
    return np.concatenate(statistics, -1)


def test_no_single_statistic_does_what_a_model_does(clips):
    values = np.where(clips.mask, clips.features, np.nan)
    names = clips.feature_names
    distances = [i for i, name in enumerate(names) if 'dist' in name]
    nearest = [
        np.fmin(
            values[..., names.index(name)], values[..., names.index(name.replace('left', 'right'))]
        )
        for name in names
        if 'dist' in name and 'left' in name
    ]
    single = pooled(np.concatenate([values[..., distances], np.stack(nearest, -1)], -1))
    train, val = split_by_video(clips, 0.4, 0)
    y = clips.label
    best_single = max(
        abs(roc_auc_score(y[val], np.nan_to_num(column, nan=9)[val]) - 0.5) + 0.5
        for column in single.T
    )
    model = HistGradientBoostingClassifier(random_state=0, max_iter=60)
    scores = model.fit(pooled(values)[train], y[train]).predict_proba(pooled(values)[val])[:, 1]
    assert best_single < 0.85
    assert roc_auc_score(y[val], scores) > 0.95


@pytest.mark.parametrize('key', ['num_videos', 'clips_per_video', 'num_frames'])
def test_refuses_too_few(key):
    with pytest.raises(InputError, match=f'data.synthetic.{key}'):
        make_clips(**{'num_videos': 2, 'clips_per_video': 2, 'num_frames': 4, 'seed': 0} | {key: 0})


def config(**changes) -> ConfigDict:
    sizes = {'num_videos': 4, 'clips_per_video': 4, 'num_frames': 6, 'seed': 0}
    data = get_config().data
    data.update({'val_fraction': 0.25, 'synthetic': sizes} | changes)
    return data


def test_source_generates_and_splits_by_video():
    train, val = source.train_and_val(config(), seed=0)
    assert len(train) == 12 and len(val) == 4
    assert not set(train.videos) & set(val.videos)
    assert len(source.load('synthetic', config())) == 16


def test_source_refuses_training_clips_for_validation():
    with pytest.raises(InputError, match=r'data\.val'):
        source.train_and_val(config(val='synthetic'), seed=0)


def test_source_numbers_the_classes_of_validation_like_those_of_training(tmp_path):
    clips = make_clips(num_videos=3, clips_per_video=8, num_frames=6, seed=1)
    path = tmp_path / 'turned.npz'
    write_clips(path, clips.with_classes(['smoke', 'no_smoke']), 'long')
    train, val = source.train_and_val(config(val=str(path)), seed=0)
    assert val.class_names == train.class_names == ('no_smoke', 'smoke')
    np.testing.assert_array_equal(val.label, clips.label)
    np.testing.assert_array_equal(val.frame_label, clips.frame_label)
    write_clips(path, dataclasses.replace(clips, class_names=('no_smoke', 'drink')), 'long')
    with pytest.raises(InputError, match=r'turned\.npz: class_names: .*drink.*as in synthetic'):
        source.train_and_val(config(val=str(path)), seed=0)


def test_source_refuses_other_features_for_validation(tmp_path):
    path = tmp_path / 'other.npz'
    np.savez(path, long_raw=np.zeros((2, 6, 3)), long_label=[0, 1])
    with pytest.raises(InputError, match='feature_names'):
        source.train_and_val(config(val=str(path)), seed=0)


@pytest.mark.parametrize(
    ('path', 'name'), [('synthetic', 'synthetic'), ('a/b.c.npz', 'b.c'), ('a/folder/', 'folder')]
)
def test_names_of_sets(path, name):
    assert source.set_name(path) == name
