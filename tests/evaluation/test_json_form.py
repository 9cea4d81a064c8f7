"""Records as JSON: what is written, and what is read of this version and of older ones."""

import dataclasses
import json
import pathlib
from typing import Annotated

import numpy as np
import pytest

from posevid_jax.errors import InputError
from posevid_jax.evaluation import metrics
from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.json_form import INLINE, LEFT_OUT, Key, from_json, to_json
from posevid_jax.evaluation.results import Epoch, EpochScores, PastEvaluation, Spread
from posevid_jax.evaluation.scores import BinaryScores, MulticlassScores
from tests.evaluation import made

OLD = pathlib.Path(__file__).parents[1] / 'data/old_run'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Disc:
    radius: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Square:
    side: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawing:
    shape: Annotated[Disc | Square, INLINE]
    line: Annotated[int, Key('line.width')] = 1
    notes: Annotated[list[str] | None, LEFT_OUT] = None
    scale: float | None = None


def through_a_file(value):
    return from_json(type(value), json.loads(json.dumps(to_json(value))), 'a file')


def test_annotations_say_what_is_written_and_all_of_it_is_read_again():
    disc = Drawing(shape=Disc(radius=1.5), line=2, notes=['a'])
    assert to_json(disc) == {'radius': 1.5, 'line.width': 2, 'notes': ['a'], 'scale': None}
    square = Drawing(shape=Square(side=1.0))
    assert to_json(square) == {'side': 1.0, 'line.width': 1, 'scale': None}
    assert through_a_file(disc) == disc and through_a_file(square) == square


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ({'line.width': 1}, 'f.json: side: not found'),
        ({'side': 'long'}, 'f.json: side: found str, expected float'),
        ({'side': True}, 'f.json: side: found bool, expected float'),
        ({'side': 1.0, 'notes': [1]}, 'f.json: notes.0: found int, expected str'),
        ({'side': 1.0, 'notes': {}}, 'f.json: notes: found dict, expected a list'),
        ([], 'f.json: found list, expected an object'),
    ],
)
def test_what_does_not_fit_is_named(value, message):
    with pytest.raises(InputError) as error:
        from_json(Drawing, value, 'f.json')
    assert str(error.value) == message


def scores_of(classes):
    clips = made.clips(classes=classes)
    probs = metrics.probabilities(made.logits(clips.label, 1 if classes == 2 else classes))
    return metrics.evaluate(clips.label, probs, 0.4)


@pytest.mark.parametrize(('classes', 'kind'), [(2, BinaryScores), (4, MulticlassScores)])
def test_an_epoch_is_read_as_it_was_written(classes, kind):
    members = {'loss': Spread(mean=1.0, std=None, each=[1.0])}
    scores = scores_of(classes)
    for of in (None, members):
        val = EpochScores(scores=scores, loss=0.5, members=of)
        entry = Epoch(epoch=1, step=2, train={'loss': 1.0}, val=val, time={'eval_s': 0.1})
        found = through_a_file(entry)
        assert found == entry and isinstance(found.val.scores, kind)
        assert ('members' in to_json(entry)['val']) == (of is not None)


QUALITY = ['roc_auc', 'average_precision', 'brier', 'expected_calibration_error']
POINT = [
    'threshold', 'precision', 'recall', 'f1', 'specificity', 'balanced_accuracy',
    'false_positive_rate', 'confusion',
]  # fmt: skip
MACRO = [
    'roc_auc', 'average_precision', 'precision', 'recall', 'specificity', 'f1',
    'balanced_accuracy', 'accuracy', 'brier', 'expected_calibration_error',
]  # fmt: skip


def test_scores_have_the_keys_that_readers_of_history_know_in_their_order():
    binary, several = to_json(scores_of(2)), to_json(scores_of(3))
    parts = ['at_threshold', 'at_0.5', 'always_positive', 'prior']
    assert list(binary) == ['clips', 'positives', *QUALITY, *parts]
    assert list(binary['at_0.5']) == POINT and list(binary['prior']) == [*QUALITY, *POINT]
    assert list(several) == [
        'clips', *MACRO, 'per_class', 'confusion', 'majority_class', 'prior',
    ]  # fmt: skip
    assert list(several['per_class'][0]) == ['support', *MACRO[:6]]
    assert list(several['majority_class']) == ['class', *MACRO]
    assert list(several['prior']) == MACRO


@pytest.mark.parametrize('classes', [2, 3])
def test_evaluations_keep_their_keys(classes):
    clips = made.clips(classes=classes)
    logits = made.logits(clips.label, 1 if classes == 2 else classes)
    chosen = Decision(0.5 if classes == 2 else None, 'rule', 'clips')
    found = assess(clips, logits, chosen, recall=0.8, samples=2)
    record = to_json(made.evaluation(found))
    assert record.keys() - to_json(found.scores).keys() == {
        'set', 'step', 'videos', 'fingerprint', 'class_names', 'intervals', 'calibration',
        'stored_threshold', 'threshold_rule', 'chosen_on', 'chosen_on_these', 'groups',
        'not_grouped', 'coverage', 'loss', 'trained_on', 'source',
    } | ({'by_class'} if classes == 3 else set())  # fmt: skip
    group = {'name', 'clips', 'wrong', 'precision', 'recall', 'f1', *MACRO[:2]}
    kept = {'asked', 'kept', 'clips', 'certainty', 'accuracy', 'precision', 'recall'}
    if classes == 2:
        group |= {'positives', 'mean_probability', 'decided_positive', 'false_positive_rate'}
        group |= {'false_positive_rate_at_recall'}
        kept |= {'positives', 'false_positive_rate'}
    else:
        group |= {'accuracy'}
    assert record['groups']['video'][0].keys() == group
    assert record['coverage'][0].keys() == kept
    ends = record['intervals']['roc_auc']
    assert isinstance(ends, list) and len(ends) == 2
    assert from_json(PastEvaluation, record, 'eval/set.json').scores == found.scores


def test_what_an_older_version_wrote_is_read_and_what_it_did_not_know_is_unknown():
    found = from_json(PastEvaluation, json.loads((OLD / 'eval/old_clips.json').read_text()), 'old')
    headline = found.scores.headline
    assert (found.step, found.threshold) == (4, 0.5905714182831956)
    assert (headline.roc_auc, headline.f1, headline.trivial_f1) == (0.625, 0.25, 2 / 7)
    assert np.isnan([headline.brier, headline.balanced_accuracy]).all()
    assert found.fingerprint is None and not found.intervals
    history = json.loads((OLD / 'history.json').read_text())
    entries = [from_json(Epoch, entry, 'old') for entry in history]
    assert [entry.val.scores.roc_auc for entry in entries] == [
        entry['val']['roc_auc'] for entry in history
    ]
