"""What tables list and the bootstrap draws, where every clip is a video of its own."""

import numpy as np
import pytest

from posevid_jax.config import get_config
from posevid_jax.data import clips as contract
from posevid_jax.evaluation import cv_report, error_analysis, error_analysis_page, report, units
from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.findings import findings
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.evaluation.results import PastEvaluation
from posevid_jax.evaluation.units import Unit
from tests.evaluation import made

COUNT = 48
SUBJECT = np.array([f'person {n}' for n in (3, 1, 2, 0)]).repeat(COUNT // 4)


def single(group_id=None, classes=4):
    """Clips that are each a video."""
    return contract.from_arrays(
        source='set', features=np.random.default_rng(0).normal(size=(COUNT, 4, 2)),
        label=np.arange(COUNT) % classes, group_id=group_id,
    )  # fmt: skip


def assessed(clips):
    chosen = Decision(None, 'most probable class', 'other clips')
    logits = made.logits(clips.label, clips.num_classes)
    return assess(clips, logits, chosen, recall=0.8, samples=20)


def test_videos_then_subjects_then_clips():
    assert units.of(made.clips()) is None
    assert units.drawn(made.clips()) == Unit(name='video', count=8)
    assert units.of(single(SUBJECT)) == Unit(name='subject', count=4)
    assert units.of(single()) == Unit(name='clip', count=COUNT)
    names, group = units.subjects(single(SUBJECT))
    assert names == [f'set:{row} and 11 more' for row in (0, 12, 24, 36)]
    np.testing.assert_array_equal(group, np.arange(COUNT) // 12)


def test_subjects_take_the_place_of_videos_in_an_evaluation():
    clips = single(SUBJECT)
    record = assessed(clips)
    assert 'video' not in record.groups and len(record.groups['subject']) == 4
    wrong = [of.wrong for of in record.groups['subject']]
    assert [of.accuracy for of in record.groups['subject']] == pytest.approx(
        [1 - n / 12 for n in wrong]
    )
    text = report.lines('set', made.evaluation(record))
    assert '48 clips of 4 subjects' in text[0]
    assert sum('group_id' in line for line in text) == 1
    table = text[text.index(f'  worst of 4 subjects, {sum(map(bool, wrong))} of them with a wrong '
                            'decision') :]  # fmt: skip
    assert 'accuracy' in table[1] and f'set:{12 * int(np.argmax(wrong))} and 11' in table[2]
    assert any('bootstrap over subjects' in line for line in text)
    assert ('care', 'only 4 subjects: the intervals are rough themselves') in findings(
        made.evaluation(record)
    )
    written = to_json(made.evaluation(record))
    assert written['unit'] == {'name': 'subject', 'count': 4}
    assert from_json(PastEvaluation, written, 'eval/set.json').unit == record.unit


def test_without_subjects_there_is_no_such_table_and_one_line_says_so():
    record = assessed(single())
    assert record.groups.keys() == {'share observed'} & record.groups.keys()
    assert record.not_grouped['video'] == 'each a video and a group of its own'
    text = '\n'.join(report.lines('set', made.evaluation(record)))
    assert '48 clips, macro' in text and 'bootstrap over clips' in text
    assert 'worst of' not in text and text.count(units.WHY['clip']) == 1


@pytest.mark.parametrize('group_id', [SUBJECT, None])
def test_a_cross_validation_speaks_of_the_same(group_id):
    clips, fold = single(group_id), np.arange(COUNT) // 12
    config = get_config().eval
    judged = error_analysis.judge(clips.label, made.logits(clips.label, 4), fold, config)
    found = error_analysis.find(clips, judged, fold, config)
    text = '\n'.join(cv_report.error_analysis(found))
    html, _ = error_analysis_page.make('a set', found, clips, judged)
    subjects = group_id is not None
    assert ('worst of 4 subjects' in text) == ('by subject' in html) == subjects
    assert ('No groups by video (all clips: each a video' in text) != subjects
    assert units.WHY['subject' if subjects else 'clip'] in html
