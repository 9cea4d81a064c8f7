"""The clips with the largest losses: the true ones, where they come from, how often."""

import csv

import numpy as np
import pytest

from posevid_jax.data.hard_negatives import read_boost
from posevid_jax.errors import InputError
from posevid_jax.inference.single import SingleRun
from posevid_jax.machine.parallel import Parallel
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop, validation
from tests import toy


def lines(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def test_the_largest_losses_are_those_of_the_saved_state_on_clips_as_they_are(tmp_path):
    config = toy.config(
        model__dropout=0.5,
        augment__frame_drop=0.5,
        train__num_epochs=5,
        train__topk_loss=6,
        train__topk_every_epochs=2,
        train__label_smoothing=0.1,
    )
    loop.train_and_evaluate(config, tmp_path)
    files = sorted((tmp_path / 'topk_loss').iterdir())
    assert [path.name for path in files] == ['epoch_02.csv', 'epoch_04.csv']
    experiment = experiments.build(config)
    state = SingleRun.restore(config, tmp_path, str(4 * experiment.steps_per_epoch)).state
    every = np.arange(len(experiment.train))
    loss = validation.losses_of(
        every, experiment.train, experiment.model, config, Parallel('jit'), state
    )
    found = lines(files[1])
    rows = [int(line['row']) for line in found]
    np.testing.assert_allclose(
        [float(line['loss']) for line in found], np.sort(loss)[::-1][:6], atol=1e-5
    )
    before = {int(line['row']) for line in lines(files[0])}
    for line, row in zip(found, rows, strict=True):
        assert int(line['times_in_topk']) == 1 + (row in before)
        assert (
            f'{line["file"]}:{line["video_id"]}'
            == experiment.train.videos[experiment.train.video[row]]
        )
        assert int(line['start_frame']) == experiment.train.start_frame[row]
        assert int(line['label']) == experiment.train.label[row]
    boost = read_boost(str(files[1]), experiment.train, 4.0)
    assert set(np.flatnonzero(boost > 1)) == {
        row for row in rows if experiment.train.label[row] == 0
    }


def test_a_resumed_run_forgets_the_lists_it_will_repeat(tmp_path):
    config = toy.config(train__topk_loss=3)
    loop.train_and_evaluate(config, tmp_path)
    first = (tmp_path / 'topk_loss/epoch_01.csv').read_text()
    (tmp_path / 'topk_loss/epoch_03.csv').write_text(first)
    loop.train_and_evaluate(toy.config(train__topk_loss=3, train__num_epochs=3), tmp_path)
    lists = [lines(tmp_path / f'topk_loss/epoch_0{epoch}.csv') for epoch in (1, 2, 3)]
    for line in lists[2]:
        times = sum(line['row'] in [other['row'] for other in found] for found in lists)
        assert int(line['times_in_topk']) == times


def test_off_by_default_and_out_of_range_is_named(tmp_path):
    loop.train_and_evaluate(toy.config(train__num_epochs=1), tmp_path)
    assert not (tmp_path / 'topk_loss').exists()
    with pytest.raises(InputError, match=r'train\.topk_loss: found -1'):
        experiments.build(toy.config(train__topk_loss=-1))
