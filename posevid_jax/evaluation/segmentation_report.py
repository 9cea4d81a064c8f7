"""How well recordings are cut into events, as tables for a terminal and for pages."""

from collections.abc import Mapping, Sequence

from posevid_jax.evaluation.class_report import MOST_ON_SCREEN
from posevid_jax.evaluation.findings import FEW
from posevid_jax.evaluation.segmentation_results import ClassEvents, RecordingEvents, Segmentation
from posevid_jax.evaluation.table import Table, number

_MIDDLE = 0.5  # the overlap that one number is given at where there is no room for all
_FORMS = {'edit': '.1f', 'false_per_hour': '.0f'}  # of numbers that are no shares
_OF_FRAMES = ('edit', 'frame_accuracy', 'frame_macro_f1')
_BOUNDARY = (('median', 'median'), ('median_abs', 'off by'), ('p90_abs', '90 %'))


def lines(title: str, ways: Mapping[str, Segmentation]) -> list[str]:
    """What a person reads: all ways, and each class as the first way finds it.

    Args:
      title: what was judged.
      ways: to segment the same recordings, by name; trivial ones last.
    """
    first = next(iter(ways.values()))
    text = table(f'{title}{drawn(first)}', ways).lines()
    classes = first.classes
    if len(classes) > MOST_ON_SCREEN:
        worst = sorted(classes, key=lambda of: of.f1[middle(first)])[:MOST_ON_SCREEN]
        called = f'The {MOST_ON_SCREEN} of {len(classes)} classes with the lowest F1'
        text += class_table(first, worst, called).lines()
    elif len(classes) > 1:
        text += class_table(first, classes).lines()
    return text


def drawn(of: Segmentation) -> str:
    """What the intervals are of, to end a title; '' without any."""
    if not any(of.intervals.values()):
        return ''
    rough = ', so few that they are rough' if of.drawn.count < FEW else ''
    return f', with 95 % intervals by bootstrap over {of.drawn.count} {of.drawn.name}s{rough}'


def table(title: str, ways: Mapping[str, Segmentation]) -> Table:
    """A row a measure with its interval, a column a way to segment the same recordings."""
    first = next(iter(ways.values()))
    at = first.overlaps[middle(first)]
    shown = [
        *(f'f1@{overlap:g}' for overlap in first.overlaps),
        *(f'{name}@{at:g}' for name in ('precision', 'recall', 'false_per_hour')),
        *_OF_FRAMES,
    ]
    rows = [(_title(name), *(_cell(name, of) for of in ways.values())) for name in shown]
    for which in ('start', 'end'):
        for key, called in _BOUNDARY:
            values = [getattr(getattr(of, which), key) for of in ways.values()]
            rows.append((f'{which}, {called} (s)', *(number(v, '.2f', none='-') for v in values)))
    return Table(title, ('', *ways), rows)


def class_table(
    of: Segmentation, classes: Sequence[ClassEvents], title: str = 'Each class'
) -> Table:
    """A row for each of the classes."""
    o = middle(of)
    title = f'{title}; precision, recall and false ones an hour at an overlap of {of.overlaps[o]:g}'
    header = ('', 'events', 'found', *(f'F1@{overlap:g}' for overlap in of.overlaps))
    header = (*header, 'precision', 'recall', 'false/hour', 'frames F1')
    rows = [
        (
            c.name, f'{c.true_events}', f'{c.found_events}', *(f'{f1:.3f}' for f1 in c.f1),
            f'{c.precision[o]:.3f}', f'{c.recall[o]:.3f}',
            number(c.false_per_hour[o], '.0f', none='-'), f'{c.frame_f1:.3f}',
        )
        for c in classes
    ]  # fmt: skip
    return Table(title, header, rows)


def overlap_table(of: Segmentation) -> Table:
    """A row an overlap."""
    rows = []
    for overlap, matched in zip(of.overlaps, of.matched, strict=True):
        names = [f'{name}@{overlap:g}' for name in ('precision', 'recall', 'f1', 'false_per_hour')]
        counts = (of.true_events, of.found_events, matched)
        rows.append((f'{overlap:g}', *map(str, counts), *(_cell(name, of) for name in names)))
    header = ('overlap', 'events', 'found', 'matched', 'precision', 'recall', 'F1')
    return Table('By overlap', (*header, 'false per hour'), rows)


def recording_table(of: Segmentation, recordings: Sequence[RecordingEvents]) -> Table:
    """A row for each of the recordings."""
    o = middle(of)
    at = f'{of.overlaps[o]:g}'
    header = ('', 'events', 'found', f'matched@{at}', f'F1@{at}', 'edit', 'frame accuracy')
    rows = [
        (
            r.name, f'{r.true_events}', f'{r.found_events}', f'{r.matched[o]}',
            number(r.f1[o], '.3f', none='-'), number(r.edit, '.1f', none='-'),
            number(r.frame_accuracy, '.3f', none='-'),
        )
        for r in recordings
    ]  # fmt: skip
    return Table('', header, rows)


def worst_first(of: Segmentation) -> list[RecordingEvents]:
    """The recordings by F1, at the same one by frame accuracy; those without any event, true or
    found, come last."""
    o = middle(of)

    def place(one: RecordingEvents) -> tuple[bool, float, float]:
        accuracy = 1.0 if one.frame_accuracy is None else one.frame_accuracy
        return one.f1[o] is None, one.f1[o] or 0.0, accuracy

    return sorted(of.by_recording, key=place)


def middle(of: Segmentation) -> int:
    """Which of the overlaps is nearest to a half."""
    return min(range(len(of.overlaps)), key=lambda o: abs(of.overlaps[o] - _MIDDLE))


def _title(name: str) -> str:
    return name.replace('_', ' ').replace('f1', 'F1')


def _cell(name: str, of: Segmentation) -> str:
    form = next((form for start, form in _FORMS.items() if name.startswith(start)), '.3f')
    value, interval = of.numbers.get(name), of.intervals.get(name)
    if value is None or interval is None:
        return number(value, form, none='-')
    return f'{value:{form}} [{interval.low:{form}}, {interval.high:{form}}]'
