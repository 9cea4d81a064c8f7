"""Pages of evaluations: whole, alone, and there for every kind of set."""

import dataclasses
import re
import xml.etree.ElementTree

import numpy as np
import pytest

from posevid_jax.evaluation import eval_page, eval_pictures
from posevid_jax.evaluation.assessment import assess
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.results import Best
from tests.evaluation import made

EVIL = '<script>alert(1)</script> $x_$'
CHOSEN = Decision(0.6, 'highest F1', 'val', (), 'platt', Calibration(0.5, 0.1))
HISTORY = [made.epoch(number, auc) for number, auc in ((1, None), (2, 0.6), (3, 0.7))]


def page(clips, logits, chosen=CHOSEN):
    record = made.evaluation(assess(clips, logits, chosen, recall=0.8, samples=20))
    return eval_page.make(
        f'set {EVIL}', record, clips, logits, chosen,
        history=HISTORY, best=Best(step=3, epoch=3, metric='roc_auc', value=0.7),
        environment=[('device', 'cpu')], settings=[('name', EVIL)],
    )  # fmt: skip


def test_a_page_that_stands_alone_with_pictures_as_png():
    clips = dataclasses.replace(made.clips(), class_names=(EVIL, '喫煙'))
    text, pictures = page(clips, made.logits(clips.label))
    assert pictures.keys() == {
        'curves', 'confusion', 'reliability', 'scores', 'hardest_clips', 'thresholds', 'learning',
        'declining',
    }  # fmt: skip
    assert '<script' not in text and '&lt;script&gt;' in text
    links = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', text)
    assert all((a or b).startswith('#') for a, b in links)
    for picture in pictures.values():
        xml.etree.ElementTree.fromstring(picture.svg)
        assert picture.svg in text and 'currentColor' in picture.svg
        assert picture.png.startswith(b'\x89PNG')
    for words in ('bootstrap over videos', 'before calibration', 'F1, chosen on val', 'set:v3'):
        assert words in text


def poor(**changes):
    return dataclasses.replace(made.clips(), **changes)


POOR = {
    'no skeleton': poor(skeleton=None, skeleton_mask=None, joint_names=()),
    'only the gesture': poor(label=np.ones(48, np.int32)),
    'only the rest': poor(label=np.zeros(48, np.int32)),
    'one clip': made.clips().select([0]),
}


@pytest.mark.parametrize('clips', POOR.values(), ids=POOR)
def test_poor_sets_have_a_page_too(clips):
    text, pictures = page(clips, made.logits(clips.label))
    assert 'curves' in pictures and text.endswith('</html>\n')


def test_several_classes_have_a_curve_each():
    clips = made.clips(classes=3)
    chosen = Decision(None, 'most probable class', 'val', (), 'temperature', Calibration(0.5))
    text, pictures = page(clips, made.logits(clips.label, 3), chosen)
    assert 'thresholds' not in pictures
    assert all(name in pictures['curves'].svg for name in clips.class_names)
    assert 'macro F1' in text and 'each class' in text


def test_pictures_of_many_classes_show_the_worst():
    clips = made.clips(classes=10)
    chosen = Decision(None, 'most probable class', 'val')
    logits = made.logits(clips.label, 10)
    record, judged = assess(clips, logits, chosen, recall=0.8, samples=0), chosen.judge(logits)
    value = {of.name: of.average_precision for of in record.by_class.classes}
    drawn = eval_pictures.curves(clips.label, judged.probs, record).svg
    left_out = sorted(value, key=lambda name: value[name])[8:]
    assert [name for name in value if f'>{name}<' not in drawn] == sorted(left_out)
    assert 'taken for what it is' in eval_pictures.scores(clips.label, judged.probs, record).svg
    # Every clip is taken for the next class: ten pairs.
    judged = chosen.judge(3 * np.eye(10)[(clips.label + 1) % 10] + 0.1 * logits)
    rows = eval_pictures._hardest(clips, judged)
    pairs = {(clips.label[row], judged.decided[row]) for row in rows}
    assert len(pairs) == len(rows) == 8 and all(label != taken for label, taken in pairs)
    own = judged.probs[rows, clips.label[rows]]
    assert (np.diff(own) >= 0).all()


def test_curves_enclose_the_area_and_meet_the_thresholds(monkeypatch):
    figures = made.figures_of(monkeypatch, eval_pictures)
    clips = made.clips()
    logits = made.logits(clips.label)
    record = assess(clips, logits, CHOSEN, recall=0.8, samples=0)
    eval_pictures.curves(clips.label, CHOSEN.probabilities(logits), record)
    roc, precision_recall = (axes.lines for axes in figures[0].axes)
    scores, at = record.scores, record.scores.at_threshold
    false_positive_rate, recall = roc[0].get_data()
    assert np.trapezoid(recall, false_positive_rate) == pytest.approx(scores.roc_auc)
    recall, precision = precision_recall[0].get_data()
    assert -np.diff(recall) @ precision[:-1] == pytest.approx(scores.average_precision)
    marks = {line.get_label(): line.get_xydata()[0].tolist() for line in roc[2:]}
    assert marks['stored threshold'] == [at.false_positive_rate, at.recall]
