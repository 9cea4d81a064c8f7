"""benchmarks/unchanged.py sees every number that differs, and no time."""

import json

import pytest

from benchmarks import unchanged


@pytest.mark.parametrize('name', unchanged.FILES)
def test_finds_what_differs_but_for_times(tmp_path, name):
    def written(folder, loss, seconds, more=()):
        records = [{'loss': 1.0, 'time': 5}, {'val': {'loss': loss}, 'time': {'s': seconds}}, *more]
        path = tmp_path / folder / name
        path.parent.mkdir()
        lines = map(json.dumps, records)
        path.write_text('\n'.join(lines) if name.endswith('l') else json.dumps(records))
        return path

    before = written('before', 0.0, seconds=1)
    assert unchanged.differences(before, written('slower', 0.0, seconds=2)) == []
    assert unchanged.differences(before, written('other', -0.0, seconds=1)) == [
        '  1.val.loss: 0.0, now -0.0'
    ]
    longer = written('longer', 0.0, seconds=1, more=[{'loss': 2.0}])
    assert unchanged.differences(before, longer) == ['  2.loss: missing, now 2.0']
    lost = written('lost', float('nan'), seconds=1)
    assert unchanged.differences(lost, lost) == []
