"""Runs side by side, without runs: what their records and probabilities say."""

import dataclasses

import numpy as np

from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.comparison import Compared, Kept, compare
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.evaluation.results import PastEvaluation
from tests.evaluation import made

CLIPS = made.clips()


def run(name, seed, *, chosen_on='other clips', fingerprints=(), clips=CLIPS, **config):
    """What is known of a run whose scores depend on the seed."""
    chosen = Decision(0.3, 'highest F1', chosen_on, fingerprints=fingerprints)
    logits = made.logits(clips.label, seed=seed)
    found = assess(clips, logits, chosen, recall=0.8, samples=20)
    return Compared(
        name=name,
        config={'name': name, 'seed': seed} | config,
        history=[made.epoch(1, None)],
        evaluations={'set': past(found)},
        kept={'set': Kept(chosen.probabilities(logits), clips.label, clips.group)},
    )


def past(assessment):
    """What is read of the file of an evaluation."""
    return from_json(PastEvaluation, to_json(made.evaluation(assessment)), 'set.json')


def compared(*runs):
    return compare(runs, samples=20, seed=0)


def test_scores_and_differences_are_those_of_the_records():
    one, two = run('one', 0), run('two', 1)
    found = compared(one, two)
    scores, gains = found.sets['set']
    records = [of.evaluations['set'] for of in (one, two)]
    for row, name, record in zip(scores.rows, ('one', 'two'), records, strict=True):
        assert row[:3] == (name, '7', str(record.scores.clips))
        low, high = record.intervals['roc_auc']
        assert row[3] == f'{record.scores.roc_auc:.4f} [{low:.2f}, {high:.2f}]'
        low, high = record.intervals['at_threshold.f1']
        assert row[5] == f'{record.scores.at_threshold.f1:.4f} [{low:.2f}, {high:.2f}]'
        assert row[-1] == f'{record.scores.expected_calibration_error:.4f}'
    ((name, *cells),) = gains.rows
    before, after = (record.scores for record in records)
    auc, f1 = after.roc_auc - before.roc_auc, after.at_threshold.f1 - before.at_threshold.f1
    assert name == 'two'
    assert cells[0].startswith(f'{auc:+.4f} [') and cells[2].startswith(f'{f1:+.4f} [')
    assert found.differences.rows == [('seed', '0', '1')] and not found.warnings
    assert found.tables == [scores, gains, found.differences]
    text = found.page()
    assert text.count('<svg') == 2 and 'gain over one' in text
    assert 'the same videos drawn for both' in text and 'bootstrap over videos' in text


def test_what_was_drawn_is_named():
    names = tuple(f'set:{n}' for n in range(len(CLIPS)))
    single = dataclasses.replace(CLIPS, video=np.arange(len(CLIPS), dtype=np.int32), videos=names)
    text = compared(run('one', 0, clips=single), run('two', 1, clips=single)).page()
    assert 'the same subjects drawn for both' in text and 'bootstrap over subjects' in text


def test_a_run_is_no_better_than_its_copy_on_the_same_draws_of_videos():
    one = run('one', 0)
    (_, gains) = compared(one, dataclasses.replace(one, name='copy')).sets['set']
    assert gains.rows == [('copy', *['+0.0000 [+0.00, +0.00]'] * 3)]


def test_what_was_not_kept_or_is_of_other_clips_has_no_differences():
    one, two = run('one', 0), run('two', 1)
    assert len(compared(one, dataclasses.replace(two, kept={})).sets['set']) == 1
    other = run('other', 1, clips=made.clips(seed=3))
    found = compared(one, other)
    assert len(found.sets['set']) == 1
    assert found.warnings == ['set is not the same set of clips in one, other']


def test_a_missing_evaluation_and_a_missing_key_are_shown_as_such():
    one, two = run('one', 0, new=1), run('two', 0)
    more = dataclasses.replace(one, evaluations=one.evaluations | {'more': one.evaluations['set']})
    found = compared(more, two)
    (scores,) = found.sets['more']
    assert scores.rows[1][:2] == ('two', 'not evaluated')
    assert {len(row) for row in scores.rows} == {len(scores.header)}
    assert found.differences.rows == [('new', '1', '-')]


def test_a_threshold_of_the_same_clips_is_said():
    own = run('own', 0, fingerprints=(CLIPS.fingerprint(),))
    (warning,) = compared(own, run('other', 1)).warnings
    assert warning == 'own: threshold or calibration were chosen on set itself'


def test_several_classes_are_compared_by_macro_averages():
    clips = made.clips(classes=3)
    logits = made.logits(clips.label, 3)
    record = assess(clips, logits, Decision(None, '', ''), recall=0.8, samples=0)
    one = dataclasses.replace(run('one', 0), evaluations={'set': past(record)}, kept={})
    (scores,) = compared(one, dataclasses.replace(one, name='two')).sets['set']
    shown = dict(zip(scores.header, scores.rows[0], strict=True))
    assert shown['F1'] == f'{record.scores.f1:.4f}'
    assert shown['F1 of trivial'] == f'{record.scores.majority_class.f1:.4f}'
    assert np.isfinite(float(shown['ROC-AUC']))
