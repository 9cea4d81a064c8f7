"""A family is a model file, a row of the table and a configuration, and nothing else."""

import ast
import json
import pathlib

import flax.linen as nn
import jax.numpy as jnp
import pytest

from posevid_jax.errors import InputError
from posevid_jax.features.inputs import InputSpec
from posevid_jax.models import families
from posevid_jax.modes import bench, eval, probe
from posevid_jax.training import experiment as experiments
from posevid_jax.training import loop
from tests import toy

ROOT = pathlib.Path(__file__).parent.parent.parent
SOURCES = [
    *(ROOT / 'posevid_jax').rglob('*.py'),
    *(ROOT / 'configs').glob('*.py'),
    ROOT / 'main.py',
]


class MeanOfFeatures(nn.Module):
    """A linear model of each channel's mean."""

    num_outputs: int

    @nn.compact
    def __call__(self, inputs, *, train):
        x, mask = inputs.channels
        mean = jnp.where(mask, x, 0).sum(1) / jnp.maximum(mask.sum(1), 1)
        return nn.Dense(self.num_outputs, name='head')(mean.reshape(len(mean), -1))


@pytest.fixture(autouse=True)
def third(monkeypatch):
    row = families.Family(
        inputs=lambda config: InputSpec(config.features, channels=True),
        build=lambda config, num_outputs, frames: MeanOfFeatures(num_outputs),
        place=lambda module: None,
    )
    monkeypatch.setitem(families.FAMILIES, 'mean', row)


def test_it_trains_and_evaluates(tmp_path):
    config = toy.config('mean', train__learning_rate=0.05, train__layer_decay=0.5)
    trained = loop.train_and_evaluate(config, tmp_path / 'run')
    assert trained.scores.roc_auc > 0.6
    evaluated = eval.evaluate_run(config, tmp_path / 'run')
    assert evaluated.loss == pytest.approx(trained.loss, rel=1e-5)


def test_it_is_probed(tmp_path):
    config = toy.config(
        'mean',
        parallel='jit',
        probe__packs=('off', 'light'),
        probe__memory_bytes=2_000_000,
        probe__memory_fraction=1.0,
        probe__reserve_bytes=0,
        probe__first_batch=16,
        probe__ladder=1,
        probe__timed_steps=1,
    )
    probe.probe(config, tmp_path)
    results = json.loads((tmp_path / 'capacity_report.json').read_text())['results']
    found = [(r['model'], r['size'], r['pack'], r['remat']) for r in results]
    assert found == [('mean', None, 'off', []), ('mean', None, 'light', [])]
    assert results[0]['best_batch'] > results[1]['best_batch'] > 0


@pytest.mark.parametrize(
    ('overrides', 'message'),
    [
        (
            {'train__frame_loss': 1.0},
            r'train\.frame_loss: found 1\.0 with mean and 2 classes, expected 0, or video_swin and',
        ),
        (
            {'model__pretrained': 'w.npz'},
            r'model\.pretrained: w\.npz: found no run directory, expected one.*mean has no',
        ),
        ({'model__name': 'rnn'}, r'model\.name: .* expected one of stat_pool, video_swin, mean$'),
    ],
)
def test_what_it_cannot_do_is_one_line(overrides, message):
    with pytest.raises(InputError, match=message):
        experiments.build(toy.config('mean', **overrides))


def test_a_shape_of_other_axes_is_not_timed():
    config = toy.config('mean', bench__clip_shape=(4, 3, 1, 1))
    with pytest.raises(InputError, match=r'found \(4, 3, 1, 1\), expected sizes T, F, C for mean'):
        bench.bench_steps(config)


def test_its_step_is_timed():
    config = toy.config('mean', bench__clip_shape=(4, 3, 1), bench__batch_sizes=(2,))
    (record,) = bench.bench_steps(config)
    assert record['size'] == 'mean' and record['gflop'] > 0


def test_only_the_table_asks_for_a_models_name():
    table = pathlib.Path(families.__file__)
    found = {str(p.relative_to(ROOT)): asks(p.read_text()) for p in SOURCES if p != table}
    assert len(found) > 100 and not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize(
    'text',
    [
        "config.model.name == 'rnn'",
        "config['model']['name'] != other",
        "name in ('stat_pool', 'rnn')",
        'SIZES[config.model.name]',
        'match model.name:\n    case _: pass',
    ],
)
def test_every_way_to_ask_is_seen(text):
    assert asks(text)


def asks(text):
    """What of a source compares a model's name, or looks something up by it."""
    found = []
    for node in ast.walk(ast.parse(text)):
        asked = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            asked = [node.subject]
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        found += [ast.unparse(node) for each in asked if names_a_model(each)]
    return found


def names_a_model(node):
    """Whether an expression is `config.model.name` or the like, or the name of a family."""
    if isinstance(node, ast.Constant):
        return node.value in ('stat_pool', 'video_swin')
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(names_a_model, node.elts))
    return ast.unparse(node).replace("['", '.').replace("']", '').endswith('model.name')
