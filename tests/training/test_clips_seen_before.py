"""Clips that were trained on are known again: when evaluated, validated on, or resumed from."""

import numpy as np
import pytest

from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.modes.eval import evaluate_run
from posevid_jax.training import loop, overlap
from tests import toy

SIZE = {'num_videos': 6, 'clips_per_video': 8, 'num_frames': 40, 'classes': ('smoke',)}


@pytest.fixture(scope='module')
def clips():
    return make_clips(**SIZE, seed=0), make_clips(**SIZE, seed=1)


def config(tmp_path, **changes):
    return toy.config(data__train=str(tmp_path / 'train.npz'), train__num_epochs=1, **changes)


def test_an_evaluation_on_what_was_trained_on_says_so_and_another_does_not(clips, tmp_path, capsys):
    ours, others = clips
    write_clips(tmp_path / 'train.npz', ours, 'long')
    write_clips(tmp_path / 'copy.npz', ours.select(np.arange(len(ours))[::-1]), 'long')
    write_clips(tmp_path / 'others.npz', others, 'long')
    trained = loop.train_and_evaluate(config(tmp_path), tmp_path / 'run')
    assert trained.trained_on == 0
    capsys.readouterr()
    on_copy = config(tmp_path, data__test=str(tmp_path / 'copy.npz'))
    record = evaluate_run(on_copy, tmp_path / 'run')
    assert record.trained_on == len(ours) - trained.scores.clips > 0
    message = f'{record.trained_on} OF THESE {len(ours)} CLIPS WERE TRAINED ON'
    assert message in capsys.readouterr().out
    elsewhere = config(tmp_path, data__test=str(tmp_path / 'others.npz'))
    assert evaluate_run(elsewhere, tmp_path / 'run').trained_on == 0
    assert 'WERE TRAINED ON' not in capsys.readouterr().out

    leaky = config(tmp_path, data__val=str(tmp_path / 'copy.npz'))
    assert loop.train_and_evaluate(leaky, tmp_path / 'leaky').trained_on == len(ours)
    assert 'copy.npz: 6 of 6 videos' in capsys.readouterr().out

    # The data change under the run: a video more, so that other videos validate.
    write_clips(tmp_path / 'train.npz', make_clips(**SIZE | {'num_videos': 7}, seed=2), 'long')
    more = config(tmp_path).unlock()
    more.train.num_epochs = 2
    with pytest.raises(InputError, match=r'data\.train: .*train\.npz has changed since .*run was'):
        loop.train_and_evaluate(more, tmp_path / 'run')
    with pytest.raises(InputError, match=r'data\.train: .*train\.npz has changed since .*run was'):
        evaluate_run(config(tmp_path), tmp_path / 'run')  # its validation clips are others now


@pytest.mark.parametrize('most', [overlap._MOST_FRAMES, 0])
def test_validation_clips_that_show_what_is_trained_on_are_named(clips, monkeypatch, capsys, most):
    monkeypatch.setattr(overlap, '_MOST_FRAMES', most)
    ours, others = clips
    overlap.warn(ours, others, 'val.npz')
    assert not capsys.readouterr().out
    both = ours.select(np.flatnonzero(ours.video == 2))
    overlap.warn(ours, both, 'val.npz')
    name = ours.videos[2].partition(':')[2]
    line = capsys.readouterr().out
    assert f'warning: data.val: val.npz: 1 of {len(both.videos)} videos ({name}) show' in line
