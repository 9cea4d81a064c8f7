"""Mode predict on clips."""

import csv
import json
import shutil

import numpy as np
import pytest

from posevid_jax.data.npz import write_clips
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import Table
from posevid_jax.modes import eval, predict_clips
from posevid_jax.training import loop
from tests import toy


@pytest.fixture(scope='module')
def clips():
    return make_clips(num_videos=6, clips_per_video=8, num_frames=16, seed=0)


@pytest.fixture(scope='module')
def folder(clips, tmp_path_factory):
    """A run, the clips that it was trained on, and the same without labels."""
    folder = tmp_path_factory.mktemp('predict')
    write_clips(folder / 'clips.npz', clips, 'long')
    arrays = dict(np.load(folder / 'clips.npz'))
    for key in ('long_label', 'long_frame_label', 'class_names'):
        del arrays[key]
    np.savez(folder / 'unlabelled.npz', **arrays)
    loop.train_and_evaluate(config(folder), folder / 'run')
    return folder


def config(folder, test='clips'):
    return toy.config(
        data__train=str(folder / 'clips.npz'),
        data__test=str(folder / f'{test}.npz'),
        features__zscore='per_video',
        train__num_epochs=1,
    )


def test_predictions_are_those_that_the_evaluation_counts(folder, clips):
    probs = predict_clips.predict_run(config(folder), folder / 'run')
    record = eval.evaluate_run(config(folder), folder / 'run')
    rows = list(csv.DictReader((folder / 'run/predictions/clips.csv').open()))
    assert [row['video_id'] for row in rows] == list(clips.video_ids)
    np.testing.assert_allclose([float(row['prob']) for row in rows], probs[:, 1], rtol=1e-5)
    label, predicted = (np.array([int(row[key]) for row in rows]) for key in ('label', 'predicted'))
    confusion = [[((label == a) & (predicted == b)).sum() for b in (0, 1)] for a in (0, 1)]
    assert confusion == record.scores.at_threshold.confusion
    seconds = float(rows[1]['end_seconds']) - float(rows[1]['start_seconds'])
    assert seconds == pytest.approx(16 / clips.fps[1], rel=1e-4)


def test_clips_without_labels_get_the_same_probabilities(folder):
    labelled = predict_clips.predict_run(config(folder), folder / 'run')
    probs = predict_clips.predict_run(config(folder, 'unlabelled'), folder / 'run')
    np.testing.assert_array_equal(probs, labelled)
    with np.load(folder / 'run/predictions/unlabelled.npz') as file:
        np.testing.assert_array_equal(file['probs'], probs)
        assert 'label' not in file and file['class_names'].tolist() == ['no_smoke', 'smoke']
        assert ((file['prob'] >= file['threshold']) == file['predicted']).all()


def test_sets_of_one_name_do_not_overwrite_each_other(folder, clips, tmp_path):
    """The validation clips of the run are called val as well."""
    run = shutil.copytree(folder / 'run', tmp_path / 'run')
    shutil.rmtree(run / 'predictions', ignore_errors=True)  # of other tests
    before = (run / 'eval/val.json').read_bytes()
    for name, rows in (('a', slice(0, 30)), ('b', slice(10, 30))):
        (tmp_path / name).mkdir()
        write_clips(tmp_path / f'{name}/val.npz', clips.select(np.arange(48)[rows]), 'long')
    for name, predicted, evaluated in (
        ('a', 'val', 'a_val'), ('b', 'b_val', 'b_val'), ('a', 'val', 'a_val')
    ):  # fmt: skip
        settings = config(tmp_path / name, 'val')
        settings.data.train = str(folder / 'clips.npz')
        probs = predict_clips.predict_run(settings, run)
        rows = list(csv.DictReader((run / f'predictions/{predicted}.csv').open()))
        with np.load(run / f'predictions/{predicted}.npz') as file:
            assert len(rows) == len(probs) == len(file['probs'])
        assert eval.evaluate_run(settings, run).set == evaluated
        record = json.loads((run / f'eval/{evaluated}.json').read_text())
        assert record['clips'] == len(probs) and record['source'] == settings.data.test
    assert len(list((run / 'predictions').iterdir())) == 4
    assert (run / 'eval/val.json').read_bytes() == before
    assert eval.evaluate_run(toy.config(data__train=str(folder / 'clips.npz')), run).set == 'val'


def test_several_classes_have_a_column_each(clips):
    three = clips.with_classes((*clips.class_names, 'drink, hot'))
    probs = np.random.default_rng(0).dirichlet(np.ones(3), len(clips))
    columns = predict_clips.prediction_columns(three, probs, None)
    np.testing.assert_allclose(columns['prob'], probs[:, 1:].sum(1))
    np.testing.assert_array_equal(columns['predicted'], probs.argmax(1))
    (header, *rows) = csv.reader(Table.of_columns(columns).csv().splitlines())
    assert header[-2:] == ['prob_drink, hot', 'predicted']
    assert all(len(row) == len(header) for row in rows)


def test_without_clips_nothing_is_written(folder, tmp_path):
    with pytest.raises(InputError, match=r'data\.test: not given'):
        predict_clips.predict_run(toy.config(), tmp_path)
    with pytest.raises(InputError, match=r'scaler\.json: not found'):
        predict_clips.predict_run(config(folder), tmp_path)
    assert not list(tmp_path.iterdir())
