"""Who is taken for whom: numbers by hand, and tables and pictures that suit many classes."""

import numpy as np
import pytest
from matplotlib.collections import PatchCollection

from posevid_jax.evaluation import class_report, confusion, confusion_pictures, metrics
from tests.evaluation import made

# Of class 0 one is taken for 1 and two for 2; of class 1 two for 0; class 3 has no clip.
LABEL = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2])
DECIDED = np.array([0, 1, 2, 2, 1, 1, 1, 0, 0, 2])


def scored(label, decided, classes):
    return metrics.evaluate(label, 0.5 * np.eye(classes)[decided] + 0.5 / classes, None)


def test_each_class_and_the_pairs_are_those_worked_out_by_hand():
    found = confusion.by_class(scored(LABEL, DECIDED, 4), ['a', 'b', 'c', 'd'])
    a, b, c, d = found.classes
    assert (a.name, a.clips, a.taken_for, a.taken_for_clips) == ('a', 4, 'c', 2)
    assert (a.precision, a.recall) == pytest.approx((1 / 3, 1 / 4))
    assert (b.taken_for, c.taken_for, d.clips, d.taken_for) == ('a', None, 0, None)
    pairs = [(of.true, of.predicted, of.clips, of.share) for of in found.most_confused]
    # Of equal counts, the larger share comes first.
    assert pairs == [('a', 'c', 2, 0.5), ('b', 'a', 2, 0.4), ('a', 'b', 1, 0.25)]
    two = metrics.evaluate(LABEL % 2, np.full((10, 2), 0.5), 0.5)
    assert confusion.by_class(two, ['no', 'yes']) is None


def many(classes):
    """Scores of classes of three clips; each of the first half loses one to its neighbour."""
    label = np.repeat(np.arange(classes), 3)
    decided = label.copy()
    decided[: 3 * classes // 2 : 3] += 1
    scores = scored(label, decided, classes)
    names = [f'class {k}' for k in range(classes)]
    return scores, confusion.by_class(scores, names), names


def test_a_terminal_lists_the_worst_of_many_classes_and_a_page_all():
    scores, found, names = many(30)
    assert len(found.most_confused) == 10
    worst, pairs = class_report.on_screen(found, scores.confusion)
    f1 = {of.name: of.f1 for of in found.classes}
    shown = [row[0] for row in worst.rows]
    assert len(shown) == 10
    assert max(f1[name] for name in shown) <= min(f1[n] for n in names if n not in shown)
    assert pairs.rows[0] == ('class 0', 'class 1', '1', '33.3%')
    every, _ = class_report.on_page(found)
    assert [row[0] for row in every.rows] == names
    assert every.rows[0][-1] == 'class 1 (1)' and every.rows[-1][-1] == ''
    # Few classes are all on the screen, with the counts of all pairs.
    scores, found, names = many(4)
    each, counts, _ = class_report.on_screen(found, scores.confusion)
    assert [row[0] for row in each.rows] == names
    assert counts.rows[0] == ('class 0', '2', '1', '0', '0')
    # A class without clips has not failed.
    scores = scored(LABEL, DECIDED, 20)
    found = confusion.by_class(scores, [str(k) for k in range(20)])
    shown = class_report.on_screen(found, scores.confusion)[0].rows
    assert [row[0] for row in shown] == ['0', '2', '1']


@pytest.mark.parametrize(('classes', 'numbers'), [(3, 'both'), (27, 'counts'), (80, '')])
def test_a_picture_has_all_names_and_the_numbers_that_fit(monkeypatch, classes, numbers):
    figures = made.figures_of(monkeypatch, confusion_pictures)
    scores, _, names = many(classes)
    picture = confusion_pictures.of_several_classes(scores.confusion, names)
    ax = figures[0].axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == names
    assert picture.svg.count(f'>class {classes - 1}<') == 2  # on both axes
    tiles = next(of for of in ax.collections if isinstance(of, PatchCollection))
    opacity = {
        tuple(np.round(path.vertices.mean(axis=0)).astype(int)): shade[3]
        for path, shade in zip(tiles.get_paths(), tiles.get_facecolors(), strict=True)
    }
    assert len(opacity) == np.count_nonzero(scores.confusion)
    last = classes - 1
    assert opacity[last, last] > opacity[0, 0]  # 3 of 3 clips, 2 of 3
    texts = [text.get_text() for text in ax.texts]
    assert ('3' in texts) == bool(numbers) and ('67%' in texts) == (numbers == 'both')
