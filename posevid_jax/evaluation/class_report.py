"""Several classes as tables: each of them, and who is taken for whom."""

from collections.abc import Sequence

from posevid_jax.evaluation.confusion import ClassErrors, ConfusedPair, Confusion
from posevid_jax.evaluation.scores import CLASS_TITLES, MACRO_TITLES, MacroScores
from posevid_jax.evaluation.table import Table, number

MOST_ON_SCREEN = 10  # classes; of more, a terminal lists the worst, and no counts of all pairs


def on_screen(found: Confusion, counts: Sequence[Sequence[int]]) -> list[Table]:
    """The tables for a terminal.

    Args:
      found: of K classes.
      counts: [K, K], a row per true class, a column per predicted one.
    """
    classes = found.classes
    if len(classes) > MOST_ON_SCREEN:
        there = [of for of in classes if of.clips]
        worst = sorted(there, key=lambda of: of.f1)[:MOST_ON_SCREEN]
        title = f'the {len(worst)} of {len(classes)} classes with the lowest F1'
        return [_classes(title, worst), *_pairs(found.most_confused)]
    names = [of.name for of in classes]
    matrix = Table(
        'a row per true class, a column per predicted one',
        ('', *names),
        [(name, *map(str, row)) for name, row in zip(names, counts, strict=True)],
    )
    return [_classes('each class', classes), matrix, *_pairs(found.most_confused)]


def overall(scores: MacroScores) -> str:
    """The numbers of all classes together that a page of mistakes opens with, in a sentence."""
    keys = ('accuracy', 'top_3_accuracy', 'top_5_accuracy', 'f1')
    known = [(title, getattr(scores, key)) for title, key in MACRO_TITLES if key in keys]
    numbers = ', '.join(f'{title} {number(of)}' for title, of in known if of is not None)
    return f'Of all clips: {numbers}.'


def on_page(found: Confusion | None) -> list[Table]:
    """The tables for a page, which draws the counts of all pairs; none of two classes."""
    if found is None:
        return []
    return [_classes('each class', found.classes), *_pairs(found.most_confused)]


def _classes(title: str, classes: Sequence[ClassErrors]) -> Table:
    rows = []
    for of in classes:
        values = [getattr(of, key) for _, key in CLASS_TITLES]
        cells = [str(value) if isinstance(value, int) else number(value) for value in values]
        taken = f'{of.taken_for} ({of.taken_for_clips})' if of.taken_for else ''
        rows.append((of.name, *cells, taken))
    titles = [title for title, _ in CLASS_TITLES]
    return Table(title, ('', *titles, 'most often taken for'), rows)


def _pairs(pairs: Sequence[ConfusedPair]) -> list[Table]:
    """One table; none without a mistake."""
    rows = [(of.true, of.predicted, str(of.clips), f'{of.share:.1%}') for of in pairs]
    header = ('is', 'taken for', 'clips', 'of the class')
    return [Table('most confused', header, rows)] if rows else []
