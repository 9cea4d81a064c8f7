"""Mode compare on two toy runs."""

import json
import pathlib
import shutil

import pytest

from posevid_jax.errors import InputError
from posevid_jax.modes.compare import compare
from posevid_jax.training import loop
from tests import toy

CONFIG = toy.config()


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp('runs')
    for name, rate in (('slow', 1e-4), ('fast', 1e-2)):
        loop.train_and_evaluate(toy.config(train__learning_rate=rate), folder / name)
    return folder


def test_what_the_files_of_runs_say_is_on_screen_and_on_a_page(runs, tmp_path, capsys):
    scores, gains, differences = compare(CONFIG, [str(runs / 'slow'), str(runs / 'fast')], tmp_path)
    records = [json.loads((runs / n / 'eval/val.json').read_text()) for n in ('slow', 'fast')]
    for row, name, record in zip(scores.rows, ('slow', 'fast'), records, strict=True):
        assert row[:3] == (name, str(record['step']), str(record['clips']))
        assert row[3].startswith(f'{record["roc_auc"]:.4f} [')
    # From the probabilities in eval/val.npz.
    assert gains.rows[0][1].startswith(f'{records[1]["roc_auc"] - records[0]["roc_auc"]:+.4f} [')
    assert differences.rows == [('train.learning_rate', '0.0001', '0.01')]
    out = capsys.readouterr().out
    assert 'train.learning_rate' in out and 'not the same set' not in out
    assert out.splitlines()[-1] == str(tmp_path / 'compare.html')
    assert '<svg' in (tmp_path / 'compare.html').read_text()


def test_clips_that_are_not_the_same_are_warned_of_on_screen(runs, tmp_path, capsys):
    shutil.copytree(runs / 'fast', tmp_path / 'other')
    record = json.loads((runs / 'fast/eval/val.json').read_text())
    (tmp_path / 'other/eval/val.json').write_text(json.dumps(record | {'fingerprint': 'other'}))
    compare(CONFIG, [str(runs / 'fast'), str(tmp_path / 'other')], tmp_path / 'out')
    assert 'WARNING: val is not the same set of clips in fast, other' in capsys.readouterr().out


def test_a_run_of_the_first_version_is_compared_by_what_it_says(runs, tmp_path):
    old = pathlib.Path(__file__).parents[1] / 'data/old_run'
    scores, *_ = compare(CONFIG, [str(old), str(runs / 'fast')], tmp_path)
    row = dict(zip(scores.header, scores.rows[0], strict=True))
    assert (row['ROC-AUC'], row['F1'], row['F1 of trivial']) == ('0.6250', '0.2500', '0.2857')
    assert row['Brier'] == row['ECE'] == row['balanced accuracy'] == ''


def test_damaged_probabilities_are_named_and_nothing_is_written(runs, tmp_path):
    shutil.copytree(runs / 'fast', tmp_path / 'copy')
    (tmp_path / 'copy/eval/val.npz').write_bytes(b'PK')
    with pytest.raises(InputError, match=r'val\.npz: cannot be read'):
        compare(CONFIG, [str(runs / 'fast'), str(tmp_path / 'copy')], tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['slow'], 'found 1 run directories, expected two or more'),
        (['slow', '../{0}/slow'], 'found a second time'),
        (['slow', 'none'], r'none/config\.json: not found'),
    ],
)
def test_what_cannot_be_compared_is_named_and_writes_nothing(runs, tmp_path, names, message):
    paths = [str(runs / name.format(runs.name)) for name in names]
    with pytest.raises(InputError, match=message):
        compare(CONFIG, paths, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
