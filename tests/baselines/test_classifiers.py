"""The table of baselines: what each does with classes and holes, and without what it needs."""

import sys
import types

import numpy as np
import pytest

from posevid_jax.baselines import classifiers
from posevid_jax.baselines.classifiers import BASELINES, Baseline

TRIVIAL, FOREST, MINIROCKET = BASELINES
LABEL = np.arange(40) % 2 * 2  # of three classes, the middle one is never shown


class Means:
    """In place of aeon's MiniRocket: the mean of each channel over time."""

    def __init__(self, random_state):
        assert random_state == 7

    def fit_transform(self, x):
        return self.transform(x)

    def transform(self, x):
        assert x.shape[1:] == (3, 10)  # channels, frames
        return x.mean(axis=2)


@pytest.fixture
def aeon(monkeypatch):
    monkeypatch.setattr(classifiers, '_TREES', 30)
    module = types.ModuleType(classifiers._AEON)
    module.__dict__['MiniRocket'] = Means
    monkeypatch.setitem(sys.modules, classifiers._AEON, module)


def clips(baseline, label=LABEL):
    """What shows each class in a channel, partly missing where trees read it."""
    x = np.random.default_rng(0).normal(size=(len(label), 10, 3))
    x += 5 * np.eye(3)[label][:, None]
    if baseline is MINIROCKET:
        return x
    x[::3, :, 2] = np.nan
    return x.mean(axis=1)


@pytest.mark.parametrize('baseline', [FOREST, MINIROCKET], ids=lambda of: of.name)
@pytest.mark.parametrize('label', [LABEL, LABEL // 2, np.arange(40) % 3], ids=['gap', '2', '3'])
def test_classes_are_told_apart_by_their_numbers(aeon, baseline, label):
    x = clips(baseline, label)
    logits = baseline.logits(x[:30], label[:30], x[30:], int(label.max()) + 1, seed=7)
    np.testing.assert_array_equal(logits.argmax(axis=1), label[30:])
    assert np.isfinite(logits).all()


@pytest.mark.parametrize('baseline', BASELINES, ids=lambda of: of.name)
def test_a_class_that_is_never_shown_is_never_decided_for(aeon, baseline):
    x = clips(baseline)
    logits = baseline.logits(x, LABEL, x, 4, seed=7)
    assert set(logits.argmax(axis=1)) <= {0, 2}
    only = baseline.logits(x, np.full(40, 1), x, 4, seed=7)
    assert (only.argmax(axis=1) == 1).all()


def test_the_trivial_one_says_what_is_most_frequent():
    label = np.array([1, 2, 2, 0])
    logits = TRIVIAL.logits(np.zeros((4, 1)), label, np.zeros((2, 1)), 3, seed=0)
    assert logits.argmax(axis=1).tolist() == [2, 2] and not logits[:, 2].any()


def test_what_is_not_installed_is_named_with_its_remedy(monkeypatch):
    assert FOREST.missing() == ''
    monkeypatch.setitem(sys.modules, classifiers._AEON, None)  # as if it were not there
    line = MINIROCKET.missing()
    assert line.startswith('minirocket is left out') and "pip install -e '.[baselines]'" in line
    assert '\n' not in line
    assert Baseline('x', TRIVIAL.read, TRIVIAL.fit, needs='json').missing() == ''
