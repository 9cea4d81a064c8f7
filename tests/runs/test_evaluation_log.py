"""Looks at sets of clips are counted."""

import dataclasses
import json

from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.decision import Decision
from posevid_jax.runs import evaluation_log
from tests.evaluation import made

CLIPS = made.clips()
ASSESSMENT = assess(CLIPS, made.logits(CLIPS.label), Decision(0.5, '', ''), recall=0.8, samples=0)


def look(name, fingerprint, auc=0.7):
    scores = dataclasses.replace(ASSESSMENT.scores, roc_auc=auc)
    found = dataclasses.replace(ASSESSMENT, fingerprint=fingerprint, scores=scores)
    return made.evaluation(found, set=name)


def test_looks_at_the_same_clips_are_counted_under_any_name(tmp_path):
    assert evaluation_log.note(tmp_path, look('val', 'a'), epochs=6) == 1
    assert evaluation_log.note(tmp_path, look('test', 'b', None)) == 1
    assert evaluation_log.note(tmp_path, look('copy', 'a', 0.8)) == 2
    lines = [json.loads(line) for line in (tmp_path / 'eval' / 'looks.jsonl').open()]
    assert [line['set'] for line in lines] == ['val', 'test', 'copy']
    assert [line['roc_auc'] for line in lines] == [0.7, None, 0.8]
    assert [line.get('epochs') for line in lines] == [6, None, None]
    assert all(line['time'].endswith('+00:00') and line['command'] for line in lines)


def test_half_a_line_spoils_no_other(tmp_path):
    evaluation_log.note(tmp_path, look('val', 'a'))
    path = tmp_path / 'eval' / 'looks.jsonl'
    whole = path.read_text()
    path.write_text(whole + whole[:20])  # of a process that died
    assert evaluation_log.note(tmp_path, look('val', 'a')) == 2
    assert evaluation_log.note(tmp_path, look('val', 'a')) == 3
    assert path.read_text().startswith(whole + whole[:20] + '\n{')
