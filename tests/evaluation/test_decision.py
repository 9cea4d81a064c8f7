import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.evaluation import decision, metrics, thresholds
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.decision import Decision, Origin
from posevid_jax.runs.directory import read_decision, write_decision
from posevid_jax.runs.files import write_json
from tests import toy
from tests.evaluation import made

CLIPS = made.clips()
LOGITS = made.logits(CLIPS.label)


def chosen(**changes):
    config = toy.config(**{f'eval__{key}': value for key, value in changes.items()})
    return decision.choose(LOGITS, CLIPS.label, config.eval)


def restored(kind, workdir, choice=None):
    """What a run directory with the choice says."""
    choice = choice or chosen()
    origin = Origin(chosen_on='val', clips=len(CLIPS), val='abc')
    write_decision(workdir, choice.threshold, choice.rules, choice.calibrations, origin)
    return read_decision(workdir, kind)


@pytest.mark.parametrize('kind', ['none', 'temperature', 'platt'])
def test_calibration_changes_probabilities_and_no_decision(kind, tmp_path):
    run = restored(kind, tmp_path)
    raw, probs = metrics.probabilities(LOGITS)[:, 1], run.probabilities(LOGITS)[:, 1]
    np.testing.assert_array_equal(probs >= run.threshold, raw >= run.raw_threshold)
    before = metrics.evaluate(CLIPS.label, metrics.probabilities(LOGITS), run.raw_threshold)
    after = metrics.evaluate(CLIPS.label, run.probabilities(LOGITS), run.threshold)
    assert after.at_threshold.confusion == before.at_threshold.confusion
    assert (after.brier < before.brier) == (kind != 'none')
    assert run.fingerprints == ('abc',)


def test_each_rule_keeps_its_promise_where_it_was_chosen():
    prob, label = metrics.probabilities(LOGITS)[:, 1], CLIPS.label
    choices = {rule: chosen(threshold=rule) for rule in decision.RULES}
    points = {
        rule: thresholds.operating_point(label, prob, of.threshold.threshold)
        for rule, of in choices.items()
    }
    assert points['recall'].recall >= 0.8
    assert points['precision'].precision >= 0.75
    assert points['f1'].f1 == max(point.f1 for point in points.values())
    assert all(of.rules == choices['f1'].rules for of in choices.values())
    dear = chosen(threshold='cost', miss_cost=100.0).threshold
    assert not np.any((label == 1) & (prob < dear.threshold))
    assert dear.rule == 'lowest cost, 1 a false alarm and 100 a miss'


def test_a_precision_out_of_reach_falls_back_and_says_so():
    label = np.array([0, 1, 0])
    config = toy.config(eval__threshold='precision', eval__precision=0.9)
    found = decision.choose(np.array([[0.0], [1.0], [2.0]]), label, config.eval)
    assert found.threshold.threshold == found.rules['f1'].threshold
    assert 'no threshold reaches precision >= 0.9' in found.threshold.rule


def test_several_classes_have_a_temperature_and_no_threshold(tmp_path):
    label = made.clips(classes=3).label
    found = decision.choose(made.logits(label, 3), label, toy.config().eval)
    assert found.threshold.threshold is None and found.rules is None
    assert found.calibrations.keys() == {'temperature'}
    with pytest.raises(InputError, match=r"no 'platt', expected .* auto, none, temperature"):
        restored('platt', tmp_path, found)
    assert restored('auto', tmp_path, found).kind == 'temperature'
    assert restored('auto', tmp_path).kind == 'platt'


def test_a_run_without_calibrations_is_left_as_it_is(tmp_path):
    old = {'threshold': 0.4, 'rule': 'highest F1', 'chosen_on': 'validation clips', 'step': 3}
    write_json(tmp_path / 'thresholds.json', old)
    run = read_decision(tmp_path, 'temperature')
    assert run == Decision(0.4, 'highest F1', 'validation clips')
    assert (run.threshold, run.calibration) == (0.4, Calibration())


@pytest.mark.parametrize(
    'changes',
    [
        {'eval__threshold': 'best'},
        {'eval__calibration': 'isotonic'},
        {'eval__calibration': 'platt', 'train__loss': 'ce'},
        {'eval__recall': 0.0},
        {'eval__precision': 1.5},
        {'eval__miss_cost': 0.0},
        {'eval__bootstrap': -1},
    ],
)
def test_what_cannot_work_is_named(changes):
    key = next(iter(changes)).replace('__', r'\.')
    with pytest.raises(InputError, match=key):
        decision.check(toy.config(**changes))
