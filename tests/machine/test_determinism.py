"""Two runs of one configuration, and the flag that asks for it on a GPU."""

import json
import os

import pytest

from posevid_jax.machine import determinism
from posevid_jax.training import loop
from tests import toy


def test_two_runs_of_one_configuration_write_the_same(tmp_path):
    config = toy.config(model__dropout=0.3, augment__frame_drop=0.2, parallel='pmap')
    for name in 'ab':
        loop.train_and_evaluate(config, tmp_path / name)
    lines, histories = [], []
    for name in 'ab':
        lines.append((tmp_path / name / 'metrics.jsonl').read_text())
        history = json.loads((tmp_path / name / 'history.json').read_text())
        histories.append([{k: v for k, v in record.items() if k != 'time'} for record in history])
    assert lines[0] == lines[1] and histories[0] == histories[1]


@pytest.mark.parametrize(
    ('before', 'wanted', 'after'),
    [
        ('', True, '--xla_gpu_deterministic_ops=true'),
        ('--xla_a=1', True, '--xla_a=1 --xla_gpu_deterministic_ops=true'),
        ('--xla_gpu_deterministic_ops=false', True, '--xla_gpu_deterministic_ops=false'),
        ('--xla_a=1', False, '--xla_a=1'),
    ],
)
def test_the_flag_is_added_to_those_there_are(monkeypatch, before, wanted, after):
    monkeypatch.setenv('XLA_FLAGS', before)
    determinism.apply(wanted)
    assert os.environ['XLA_FLAGS'] == after
