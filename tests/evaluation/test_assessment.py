import dataclasses

import numpy as np
import pytest

from posevid_jax.evaluation import report
from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.findings import findings
from posevid_jax.evaluation.groups import by_quartile, groupings
from posevid_jax.evaluation.scores import intervals_of
from tests.evaluation import made

CLIPS = made.clips()
LOGITS = made.logits(CLIPS.label)
PLAIN = Decision(0.5, 'highest F1', 'other clips')


def assessed(clips=CLIPS, logits=LOGITS, chosen=PLAIN, samples=60):
    return assess(clips, logits, chosen, recall=0.8, samples=samples)


def said_of(assessment):
    return findings(made.evaluation(assessment))


def test_intervals_stand_around_every_number_and_are_of_videos():
    record = assessed()
    for key in ('roc_auc', 'brier', 'expected_calibration_error'):
        low, high = record.intervals[key]
        assert low < getattr(record.scores, key) < high
    parts = (('at_threshold', 'at_threshold'), ('at_half', 'at_0.5'), ('prior', 'prior'))
    for name, key in parts:
        low, high = intervals_of(key, record.intervals)['f1']
        assert low <= getattr(record.scores, name).f1 <= high
    one = dataclasses.replace(CLIPS, group=np.zeros(len(CLIPS), np.int32))
    assert set(assessed(one).intervals.values()) == {None}
    assert assessed(samples=0).intervals == {}


def test_log_loss_is_that_of_what_was_said_before_and_after_calibration():
    calibrated = dataclasses.replace(PLAIN, kind='temperature', calibration=Calibration(0.5))
    effect = assessed(chosen=calibrated, samples=0).calibration
    sign = 2 * CLIPS.label - 1
    for stage, factor in ((effect.before, 1.0), (effect.after, 0.5)):
        expected = np.logaddexp(0, -factor * sign * LOGITS[:, 0]).mean()
        assert stage.log_loss == pytest.approx(expected)


def test_videos_add_up_to_the_set():
    record = assessed()
    (_, fp), (fn, tp) = record.scores.at_threshold.confusion
    assert record.groups.keys() == {'video', 'wrist visibility', 'body size', 'frame rate'}
    for groups in record.groups.values():
        assert sum(group.clips for group in groups) == len(CLIPS)
        assert sum(group.positives for group in groups) == tp + fn
        assert sum(group.wrong for group in groups) == fp + fn
    assert [group.name for group in record.groups['video']] == list(CLIPS.videos)
    assert [group.name for group in record.groups['frame rate']] == [
        '24 per second',
        '25 per second',
    ]


def test_groups_of_visibility_hold_what_their_names_say():
    (_, quarters, _, _), _ = groupings(CLIPS)
    seen = CLIPS.skeleton[:, :, 2:, 3].mean((1, 2))
    assert np.bincount(quarters.group).tolist() == [12, 12, 12, 12]
    for g, name in enumerate(quarters.names):
        low, high = (float(part) for part in name.rsplit(', ', 1)[1].split(' to '))
        assert low - 0.01 <= seen[quarters.group == g].min()
        assert seen[quarters.group == g].max() <= high + 0.01
    assert by_quartile('x', np.zeros(5)).names == ['0.00 to 0.00']


def test_a_model_that_says_the_same_to_all_is_called_out():
    record = assessed(logits=np.full_like(LOGITS, 2.0))
    loud, half, *_ = said_of(record)
    assert loud[0] == 'alarm' and "EVERY CLIP FOR 'smoke'" in loud[1]
    assert half[1].startswith('AT 0.5, THE MODEL')
    assert any('no better than' in sentence for _, sentence in said_of(record))
    text = report.lines('set', made.evaluation(record))
    assert any(line.startswith("WARNING: THE MODEL TAKES EVERY CLIP FOR 'smoke'") for line in text)
    assert not any('EVERY' in sentence for _, sentence in said_of(assessed()))


def test_clips_that_had_a_part_in_the_choice_are_recognised():
    own = dataclasses.replace(PLAIN, fingerprints=(CLIPS.fingerprint(),))
    assert assessed(chosen=own).chosen_on_these
    assert any('these very clips' in sentence for _, sentence in said_of(assessed(chosen=own)))
    other = assessed(CLIPS.select(range(24)), LOGITS[:24], own)
    assert not other.chosen_on_these
    assert not any('these very clips' in sentence for _, sentence in said_of(other))


@pytest.mark.parametrize('label', [0, 1])
def test_a_set_of_one_class_has_a_record_and_a_table(label):
    one = dataclasses.replace(CLIPS, label=np.full_like(CLIPS.label, label))
    assert 'undefined' in report.lines('set', made.evaluation(assessed(one)))[0]


def test_several_classes_have_columns_that_stay_aligned():
    clips = made.clips(classes=4)
    clips = dataclasses.replace(clips, class_names=('a', 'b', 'c', 'a class with a long name'))
    record = assessed(clips, made.logits(clips.label, 4), Decision(None, 'most probable', 'val'))
    text = report.lines('set', made.evaluation(record))
    keys = ('f1', 'per_class.0.f1', 'roc_auc', 'top_3_accuracy')
    assert all(record.intervals[key] for key in keys)
    rows = [line for line in text if line.startswith(('  accuracy', '  top-3', '  macro F1'))]
    assert len(rows) == 3 and len({line.rindex('.') for line in rows}) == 1
    assert not any('top-5' in line for line in text)
    assert any('a class with a long name' in line for line in text)
