"""Mode compare on two toy runs."""

import json
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


def test_runs_side_by_side_on_screen_and_as_a_page(runs, tmp_path, capsys):
    scores, gains, differences = compare(CONFIG, [str(runs / 'slow'), str(runs / 'fast')], tmp_path)
    records = [json.loads((runs / n / 'eval/val.json').read_text()) for n in ('slow', 'fast')]
    assert [row[:3] for row in scores.rows] == [
        (name, str(record['step']), str(record['clips']))
        for name, record in zip(('slow', 'fast'), records, strict=True)
    ]
    for row, record in zip(scores.rows, records, strict=True):
        assert row[3].startswith(f'{record["roc_auc"]:.4f} [')
        assert row[5].startswith(f'{record["at_threshold"]["f1"]:.4f} [')
    (row,) = gains.rows
    assert row[0] == 'fast'
    for cell, key in zip(row[1:], ('roc_auc', 'average_precision'), strict=False):
        assert cell.startswith(f'{records[1][key] - records[0][key]:+.4f} [')
    assert differences.rows == [('train.learning_rate', '0.0001', '0.01')]
    out = capsys.readouterr().out
    assert 'train.learning_rate' in out and 'not the same set' not in out
    assert out.splitlines()[-1] == str(tmp_path / 'compare.html')
    assert '<svg' in (tmp_path / 'compare.html').read_text()


def test_other_clips_of_the_same_name_and_missing_evaluations_are_said(runs, tmp_path, capsys):
    for name in ('slow', 'fast'):
        (tmp_path / name / 'eval').mkdir(parents=True)
        for file in ('config.json', 'history.json', 'eval/val.json'):
            (tmp_path / name / file).write_text((runs / name / file).read_text())
    record = json.loads((tmp_path / 'fast/eval/val.json').read_text())
    changed = json.dumps(record | {'fingerprint': 'other'})
    (tmp_path / 'fast/eval/val.json').write_text(changed)
    (tmp_path / 'fast/eval/more.json').write_text(changed)
    _, more, _ = compare(CONFIG, [str(tmp_path / 'slow'), str(tmp_path / 'fast')], tmp_path / 'out')
    assert more.title == 'more' and more.rows[0][:2] == ('slow', 'not evaluated')
    assert 'WARNING: val is not the same set of clips in slow, fast' in capsys.readouterr().out


def test_a_run_compared_with_its_copy_is_no_better(runs, tmp_path):
    shutil.copytree(runs / 'fast', tmp_path / 'copy')
    _, gains, _ = compare(CONFIG, [str(runs / 'fast'), str(tmp_path / 'copy')], tmp_path)
    assert gains.rows == [('copy', *['+0.0000 [+0.00, +0.00]'] * 3)]
    (tmp_path / 'copy/eval/val.npz').write_bytes(b'PK')
    with pytest.raises(InputError, match=r'val\.npz: cannot be read'):
        compare(CONFIG, [str(runs / 'fast'), str(tmp_path / 'copy')], tmp_path)


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
