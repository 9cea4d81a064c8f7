"""A run that starts from another's weights is that run at first, and validates on its videos."""

import dataclasses
import re

import numpy as np
import pytest

from posevid_jax.data.concatenate import concatenate
from posevid_jax.data.npz import read_clips, write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.inference.restore import restore_directory
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes import ensemble
from posevid_jax.modes.cv import cross_validate
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.runs import split, training_clips
from posevid_jax.runs.config import read_config
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop, validation
from tests import toy

SIZE = {'clips_per_video': 6, 'num_frames': 24, 'classes': ('smoke',)}


def clips(name: str, videos: int, seed: int):
    made = make_clips(num_videos=videos, seed=seed, **SIZE)
    return dataclasses.replace(made, videos=tuple(f'set:{name}{v}' for v in range(videos)))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two sets of clips, the second with all of the first, and a run on the first."""
    folder = tmp_path_factory.mktemp('earlier')
    old, new = clips('old', 6, seed=0), clips('new', 5, seed=1)
    write_clips(folder / 'first.npz', old, 'long')
    write_clips(folder / 'second.npz', concatenate([new, old]), 'long')
    loop.train_and_evaluate(config(folder, 'first', train__ema_decay=0.5), folder / 'run')
    return folder


def config(folder, data: str, **changes):
    return toy.config(data__train=str(folder / f'{data}.npz'), train__num_epochs=1, **changes)


def going_on(folder, **changes):
    return config(folder, 'second', model__pretrained=str(folder / 'run'), **changes)


@pytest.mark.parametrize('ema', [0.0, 0.9])
def test_before_the_first_step_it_predicts_what_the_earlier_run_does(folder, ema):
    experiment = experiments.build(going_on(folder, train__ema_decay=ema))
    run, parallel = restore_directory(folder / 'run', 'best'), Parallel('jit')
    expected = run.logits(parallel)(run.conform(experiment.val, 'val'))
    predict = validation.make_predictor(
        experiment.model, experiment.val, experiment.config, parallel
    )
    found = predict(parallel.put_state(experiment.initial_state()))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    fresh = experiments.build(config(folder, 'second'))
    assert not np.allclose(fresh.scaler.center, experiment.scaler.center)


def test_videos_stay_on_their_side_and_new_ones_are_on_both(folder, capsys):
    before = split.read(folder / 'run')
    assert before is not None and before.train and before.val
    record = loop.train_and_evaluate(going_on(folder), folder / 'on')
    said = re.search(
        r'of the (\d+) videos to validate on, (\d+) validated that', capsys.readouterr().out
    )
    now = split.read(folder / 'on')
    assert record is not None and record.trained_on == 0 and now is not None
    assert before.train < now.train and before.val < now.val
    assert said is not None
    assert [int(n) for n in said.groups()] == [len(now.val), len(before.val)]
    capsys.readouterr()
    # Its validation clips are found again, also when the earlier run has gone.
    (folder / 'run').rename(folder / 'gone')
    again = evaluate_run(going_on(folder), folder / 'on')
    (folder / 'gone').rename(folder / 'run')
    assert again.scores == record.scores
    # So they are by an ensemble.
    loop.train_and_evaluate(going_on(folder, seed=0, train__learning_rate=1e-4), folder / 'slow')
    runs = (str(folder / 'on'), str(folder / 'slow'))
    joining = toy.config(ensemble__runs=runs, ensemble__weights='equal')
    ensemble.join_runs(joining, folder / 'both')
    joined = evaluate_run(read_config(folder / 'both'), folder / 'both')
    assert joined.assessment.fingerprint == record.assessment.fingerprint
    # What only the earlier run learned from counts as trained on.
    old = read_clips(str(folder / 'first.npz'), prefix='long')
    write_clips(folder / 'new.npz', clips('new', 5, seed=1), 'long')
    new_only = config(folder, 'new', model__pretrained=str(folder / 'run'))
    loop.train_and_evaluate(new_only, folder / 'new_only')
    learned = sum(video in before.train for video in old.video_ids)
    assert training_clips.count(folder / 'new_only', old) == learned > 0


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'features__zscore': 'none'}, "features.zscore: found 'none', expected 'global' as in"),
        ({'model__stat_pool__hidden_sizes': (4,)}, 'model.pretrained: .*another model'),
        ({'data__val_fraction': 0.0}, 'data.val_fraction'),
    ],
)
def test_what_does_not_fit_is_refused(folder, changes, message):
    with pytest.raises(InputError, match=message):
        experiments.build(going_on(folder, **changes))


def test_other_classes_an_older_version_and_folders_of_something_else_are_refused(folder):
    renamed = dataclasses.replace(clips('new', 5, seed=1), class_names=('none', 'drink'))
    write_clips(folder / 'renamed.npz', renamed, 'long')
    with pytest.raises(InputError, match=r'class_names: found none, drink .2., expected'):
        experiments.build(config(folder, 'renamed', model__pretrained=str(folder / 'run')))
    (folder / 'empty').mkdir()
    with pytest.raises(InputError, match=r'found no config.json, expected the directory of a'):
        experiments.build(config(folder, 'second', model__pretrained=str(folder / 'empty')))
    (folder / 'run/split.json').rename(folder / 'split.json')
    with pytest.raises(InputError, match=r'split.json: not found, expected the videos'):
        experiments.build(going_on(folder))
    (folder / 'split.json').rename(folder / 'run/split.json')


def test_a_cross_validation_does_not_start_from_what_may_have_seen_its_answers(folder):
    with pytest.raises(InputError, match='it may have learned from the videos that are to judge'):
        cross_validate(going_on(folder), folder / 'cv')
