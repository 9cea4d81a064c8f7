"""Where a classifier fails: numbers of groups, declining, and the surest mistakes."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics as sk

from posevid_jax.config import get_config
from posevid_jax.evaluation import (
    cv_report,
    error_analysis,
    error_analysis_page,
    out_of_fold,
    thresholds,
)
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.decision import Decision, rules
from tests.evaluation import made

CLIPS = made.clips()
FOLD = CLIPS.video % 3
CHOSEN = Decision(0.6, 'highest F1', 'other clips', (), 'platt', Calibration(0.5, 0.3))
JUDGED = CHOSEN.judge(made.logits(CLIPS.label))
CONFIG = get_config().eval


def test_certainty_is_the_distance_to_the_other_decision_in_log_odds():
    logits = made.logits(CLIPS.label)
    logits[0] = 90.0  # a probability that rounds to 1
    judged = CHOSEN.judge(logits)
    raw = np.log(0.6 / 0.4)
    np.testing.assert_allclose(judged.certainty, 0.5 * np.abs(logits[:, 0] - raw))
    np.testing.assert_array_equal(judged.decided, logits[:, 0] >= raw)
    # The same classifier with an output a class.
    scaled = dataclasses.replace(CHOSEN, kind='temperature', calibration=Calibration(0.5))
    pair = np.stack([np.ones(len(logits)), 1 + logits[:, 0]], axis=1)
    for one, two in zip(scaled.judge(logits), scaled.judge(pair), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-12)
    three = Decision(None, '', '').judge(np.array([[1.0, 3.0, 2.5], [4.0, 0.0, 1.0]]))
    np.testing.assert_allclose(three.certainty, [0.5, 3.0])
    assert three.decided.tolist() == [1, 0]


def test_the_numbers_of_a_group_are_those_of_its_clips():
    label = CLIPS.label.copy()
    label[CLIPS.video == 2] = 0
    assert [len(set(label[CLIPS.video == v])) for v in (2, 3)] == [1, 2]
    groups, _ = error_analysis.by_group(dataclasses.replace(CLIPS, label=label), JUDGED, 0.8)
    for v, found in enumerate(groups['video']):
        rows = CLIPS.video == v
        y, p, said = label[rows], JUDGED.probs[rows, 1], JUDGED.decided[rows]
        assert (found.clips, found.positives) == (rows.sum(), y.sum())
        assert found.wrong == (said != y).sum()
        assert found.decided_positive == pytest.approx(said.mean())
        assert found.f1 == pytest.approx(sk.f1_score(y, said, zero_division=0))
        assert found.false_positive_rate == pytest.approx(
            (said * (1 - y)).sum() / max(sum(1 - y), 1)
        )
        if len(set(y)) == 1:
            assert found.roc_auc is found.false_positive_rate_at_recall is None
            continue
        assert found.roc_auc == pytest.approx(sk.roc_auc_score(y, p))
        assert found.average_precision == pytest.approx(sk.average_precision_score(y, p))
        false, recall, _ = sk.roc_curve(y, p, drop_intermediate=False)
        at_recall = found.false_positive_rate_at_recall
        assert at_recall == pytest.approx(false[recall >= 0.8].min())


def test_declining_keeps_the_clips_of_greatest_certainty():
    label, n = CLIPS.label, len(CLIPS)
    whole, *parts = error_analysis.coverage(label, JUDGED)
    point = thresholds.operating_point(label, JUDGED.decided, 0.5)
    assert whole.kept == 1 and whole.clips == n
    assert {key: getattr(whole, key) for key in ('precision', 'recall', 'false_positive_rate')} == {
        key: getattr(point, key) for key in ('precision', 'recall', 'false_positive_rate')
    }
    assert whole.accuracy == pytest.approx((JUDGED.decided == label).mean())
    for part in parts:
        rows = np.argsort(-JUDGED.certainty)[: round(part.asked * n)]
        assert part.clips == len(rows) and part.positives == label[rows].sum()
        assert part.accuracy == pytest.approx((JUDGED.decided[rows] == label[rows]).mean())
        assert part.recall == pytest.approx(JUDGED.decided[rows][label[rows] == 1].mean())
        assert part.false_positive_rate == pytest.approx(
            JUDGED.decided[rows][label[rows] == 0].mean()
        )


def test_equally_certain_clips_are_declined_together_in_any_order():
    tied = JUDGED._replace(certainty=np.round(JUDGED.certainty))
    found = error_analysis.coverage(CLIPS.label, tied)
    assert [part.clips for part in found] == [
        (tied.certainty >= part.certainty).sum() for part in found
    ]
    order = np.random.default_rng(1).permutation(len(CLIPS))
    mixed = type(tied)(*(of[order] for of in tied))
    assert error_analysis.coverage(CLIPS.label[order], mixed) == found
    equal = tied._replace(certainty=np.zeros(len(CLIPS)))
    assert {part.kept for part in error_analysis.coverage(CLIPS.label, equal)} == {1.0}


def test_mistakes_are_mistakes_and_the_surest_comes_first():
    wrong = np.flatnonzero(JUDGED.decided != CLIPS.label)
    every = error_analysis.errors(CLIPS, JUDGED, FOLD)
    assert sorted(error.row for error in every) == wrong.tolist()
    certain = [error.certainty for error in every]
    assert certain == sorted(certain, reverse=True) and 5 < len(certain) < 30
    assert error_analysis.errors(CLIPS, JUDGED, FOLD, most=3) == every[:3]
    first, row = every[0], every[0].row
    assert first.certainty == JUDGED.certainty[wrong].max()
    assert first.label == CLIPS.class_names[CLIPS.label[row]] != first.decided
    assert first.video == CLIPS.video_ids[row] and first.start_frame is None
    assert first.visibility == pytest.approx(CLIPS.skeleton[row, :, 2:, 3].mean())
    right = JUDGED._replace(decided=CLIPS.label.astype(np.int64))
    assert error_analysis.errors(CLIPS, right, FOLD) == []


def test_a_fold_is_judged_by_what_the_others_chose():
    label, logits = CLIPS.label, made.logits(CLIPS.label)
    judged = error_analysis.judge(label, logits, FOLD, CONFIG)
    points = out_of_fold.operating_points(
        label, 1 / (1 + np.exp(-logits[:, 0])), FOLD, rules(CONFIG)
    )
    whole = error_analysis.coverage(label, judged)[0]
    for key in ('precision', 'recall', 'false_positive_rate'):
        assert getattr(whole, key) == getattr(points['f1'].expected, key)
    # Groups are ranked like the whole set, not by calibrations that differ from fold to fold.
    rows = np.flatnonzero(CLIPS.fps == 24)
    of_rate = error_analysis.by_group(CLIPS, judged, 0.8)[0]['frame rate'][0]
    assert of_rate.roc_auc == pytest.approx(sk.roc_auc_score(label[rows], logits[rows, 0]))
    assert of_rate.mean_probability == pytest.approx(judged.probs[rows, 1].mean())
    # What a fold's own labels are changes nothing of it, and something of the others.
    turned = np.where(FOLD == 1, 1 - label, label)
    again = error_analysis.judge(turned, logits, FOLD, CONFIG)
    for before, after in zip(judged, again, strict=True):
        np.testing.assert_array_equal(before[FOLD == 1], after[FOLD == 1])
    assert not np.allclose(judged.probs[FOLD != 1], again.probs[FOLD != 1])


@pytest.mark.parametrize('classes', [2, 4])
@pytest.mark.parametrize('skeleton', [True, False])
def test_lines_and_page_of_any_set(classes, skeleton):
    clips = made.clips(classes=classes)
    if not skeleton:
        clips = dataclasses.replace(clips, skeleton=None, skeleton_mask=None, joint_names=())
    logits = made.logits(clips.label, 1 if classes == 2 else classes)
    judged = error_analysis.judge(clips.label, logits, FOLD, CONFIG)
    found = error_analysis.find(clips, judged, FOLD, CONFIG)
    assert [error.fold for error in found.errors] == [FOLD[error.row] + 1 for error in found.errors]
    text = '\n'.join(cv_report.error_analysis(found))
    assert ('by body size' in text) == skeleton
    assert ('body size (all clips: not seen)' in text) != skeleton
    html, pictures = error_analysis_page.make('a set', found, clips, judged)
    expected = {'declining'} | ({'errors'} if skeleton else set())
    assert pictures.keys() == expected | ({'confusion'} if classes == 4 else set())
    assert ('Of all clips: accuracy' in html) == ('most confused' in text) == (classes == 4)
    assert all(picture.svg in html for picture in pictures.values())
    for word in ('by frame rate', 'when the least certain', found.errors[0].video):
        assert word in html
