"""The loader's bench: which ways it measures, what it writes, and that all deliver the same."""

import json

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.modes import bench, bench_loader
from tests import toy


def config(**changes):
    return toy.config(**{'bench__what': 'loader', 'bench__loader_clips': 64} | changes)


def test_rates_are_printed_and_written(tmp_path, capsys):
    records = bench.bench(config(), tmp_path)
    assert [r['loader'] for r in records] == ["grain's .batch", 'in memory', 'memory-mapped']
    for record in records:
        assert record['time']['clips_per_s'] > 0
        assert record['time']['ratio'] == pytest.approx(
            record['time']['clips_per_s'] / records[0]['time']['clips_per_s']
        )
    printed = capsys.readouterr().out
    assert all(record['loader'] in printed for record in records)
    assert json.loads((tmp_path / 'bench.json').read_text())['results'] == records


def test_both_loaders_deliver_every_clip_in_batches_of_the_same_columns():
    arrays = bench_loader._random_clips(12).arrays(skeleton=False)
    for batches in (bench_loader._ours(arrays, 4, 3), bench_loader._grains_own(arrays, 4)):
        batches = list(batches)
        assert sorted(np.concatenate([batch['row'] for batch in batches])) == list(range(12))
        for batch in batches:
            assert set(batch) == {*arrays, 'valid'}
            for name, values in arrays.items():
                np.testing.assert_array_equal(batch[name], values[batch['row']])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'bench__what': 'disk'}, r"bench\.what: found 'disk', expected one of step, loader"),
        ({'bench__loader_clips': 31}, r'bench\.loader_clips: found 31'),
    ],
)
def test_what_cannot_be_measured(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        bench.bench(config(**changes), tmp_path)
    assert not list(tmp_path.iterdir())
