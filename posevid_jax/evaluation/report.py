"""An evaluation as tables, which a terminal and a page show alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from posevid_jax.evaluation import class_report, units
from posevid_jax.evaluation.cv_results import ErrorAnalysis
from posevid_jax.evaluation.findings import findings
from posevid_jax.evaluation.results import (
    Assessment,
    CalibrationEffect,
    Coverage,
    Evaluation,
    Group,
    Spread,
)
from posevid_jax.evaluation.scores import (
    DECISION_TITLES,
    MACRO_TITLES,
    QUALITY_TITLES,
    BinaryScores,
    MulticlassScores,
    intervals_of,
)
from posevid_jax.evaluation.table import Table, number, printable, with_interval

CALLED = {'alarm': 'WARNING', 'care': 'note'}
UNITS = {'video', 'subject'}  # groups of which the worst are listed first
_WORST = 5  # of these, listed on screen
_UNDEFINED = 'undefined (one class)'

# Title and attribute, in the order of the tables.
_COUNTS = (('clips', 'clips'), ('positive', 'positives'))
_UNIT_COLUMNS = (
    *_COUNTS, ('mean prob', 'mean_probability'), ('wrong', 'wrong'), ('accuracy', 'accuracy'),
    ('precision', 'precision'), ('recall', 'recall'), ('F1', 'f1'), ('ROC-AUC', 'roc_auc'),
)  # fmt: skip
BRIEF_COLUMNS = (
    *_COUNTS, ('said yes', 'decided_positive'), ('accuracy', 'accuracy'), ('ROC-AUC', 'roc_auc'),
    ('AP', 'average_precision'), ('FPR at recall', 'false_positive_rate_at_recall'),
)  # fmt: skip
_GROUP_COLUMNS = (
    *BRIEF_COLUMNS, ('wrong', 'wrong'), ('precision', 'precision'), ('recall', 'recall'),
    ('FPR', 'false_positive_rate'), ('F1', 'f1'), ('mean prob', 'mean_probability'),
)  # fmt: skip
_COVERAGE_COLUMNS = (
    *_COUNTS, ('accuracy', 'accuracy'), ('precision', 'precision'), ('recall', 'recall'),
    ('FPR', 'false_positive_rate'),
)  # fmt: skip


def lines(name: str, evaluation: Evaluation) -> list[str]:
    """What a person reads after an evaluation.

    Args:
      name: of the set of clips.
      evaluation: of it.
    """
    record = evaluation.assessment
    text = [f'{name}: {opening(record)}']
    if evaluation.members:
        text.append(f'  {_members(evaluation.members)}')
    tables = [headline(record)]
    if record.by_class:
        _, counts = next(iter(record.scores.confusions.items()))
        tables += class_report.on_screen(record.by_class, counts)
    text += indented(*tables, *worst_units(record.groups))
    text += [f'  {units.WHY[record.unit.name]}'] if record.unit else []
    return text + [f'{CALLED[kind]}: {printable(what)}' for kind, what in findings(evaluation)]


def indented(*tables: Table) -> list[str]:
    """Tables as lines that all start with two spaces."""
    return [
        line if line.startswith('  ') else f'  {line}'
        for table in tables
        for line in table.lines()
        if line
    ]


def opening(record: Assessment) -> str:
    """How much was evaluated, and the numbers that depend on no threshold."""
    scores = record.scores
    return (
        f'{units.counted(scores.clips, record.drawn)}, '
        f'{scores.AVERAGE}ROC-AUC {number(scores.roc_auc, none=_UNDEFINED)}, '
        f'{scores.AVERAGE}average precision {number(scores.average_precision, none=_UNDEFINED)}'
    )


def headline(record: Assessment) -> Table:
    """The numbers, and those of trivial classifiers beside them."""
    match record.scores:
        case BinaryScores() as scores:
            return _two_classes(record, scores)
        case MulticlassScores() as scores:
            return _several_classes(record, scores)


def _members(spread: Mapping[str, Spread]) -> str:
    """How the members of an ensemble spread around it."""

    def text(title: str, of: Spread) -> str:
        known = [value for value in of.each if value is not None]
        if of.mean is None:
            return f'{title} undefined'
        return f'{title} {of.mean:.4f} +- {number(of.std)} ({min(known):.4f} to {max(known):.4f})'

    auc, precision = spread['roc_auc'], spread['average_precision']
    return (
        f'mean of {len(auc.each)} members, above; one alone: {text("ROC-AUC", auc)}, '
        f'{text("average precision", precision)}'
    )


def _two_classes(record: Assessment, scores: BinaryScores) -> Table:
    at, half = scores.at_threshold, scores.at_half
    always, prior = scores.always_positive, scores.prior
    ends = record.intervals
    at_ends, half_ends = intervals_of('at_threshold', ends), intervals_of('at_0.5', ends)
    rows: list[Sequence[str]] = [('threshold', number(at.threshold), '0.5', '', '')]
    if record.calibration.kind != 'none':
        rows.append(('before calibration', number(record.stored_threshold), '', '', ''))
    for title, key in QUALITY_TITLES:
        ours = with_interval(getattr(scores, key), ends.get(key))
        constant = (number(getattr(of, key)) for of in (always, prior))
        rows.append((title, ours, '', *constant))
    for title, key in DECISION_TITLES:
        stored = with_interval(getattr(at, key), at_ends.get(key))
        middle = with_interval(getattr(half, key), half_ends.get(key))
        constant = (number(getattr(of, key)) for of in (always, prior))
        rows.append((title, stored, middle, *constant))
    for title, row, column in (
        ('true positives', 1, 1), ('false positives', 0, 1),
        ('false negatives', 1, 0), ('true negatives', 0, 0),
    ):  # fmt: skip
        counts = [str(of.confusion[row][column]) for of in (at, half, always, prior)]
        rows.append((title, *counts))
    return Table(
        _intervals_title(record),
        ('', 'stored threshold', 'at 0.5', 'always positive', 'prior'),
        rows,
    )


def _several_classes(record: Assessment, scores: MulticlassScores) -> Table:
    ends, majority = record.intervals, scores.majority_class
    rows = [
        (
            title,
            with_interval(getattr(scores, key), ends.get(key)),
            *(number(getattr(of, key)) for of in (majority, scores.prior)),
        )
        for title, key in MACRO_TITLES
        if getattr(scores, key) is not None
    ]
    always = f'always {record.class_names[majority.class_number]}'
    return Table(_intervals_title(record), ('', 'most probable class', always, 'prior'), rows)


def _intervals_title(record: Assessment) -> str:
    """What the intervals of a table are; '' without."""
    what = f'with 95 % intervals by bootstrap over {record.drawn.name}s'
    return what if record.intervals else ''


def group_tables(
    groups: Mapping[str, Sequence[Group]], columns: Sequence[tuple[str, str]] = _GROUP_COLUMNS
) -> list[Table]:
    """A table for each way of grouping; of videos or subjects, the most wrong decisions first.

    Args:
      groups: by what they have in common.
      columns: title and attribute; those that the groups do not have are left out.
    """
    return [
        _group_table(f'by {title}', _worst_first(some) if title in UNITS else some, columns)
        for title, some in groups.items()
    ]


def not_grouped(names: Mapping[str, str]) -> str:
    """By what there are no groups, in a sentence; '' where there are all."""
    reasons = [f'{title} (all clips: {name})' for title, name in names.items()]
    return f'No groups by {", ".join(reasons)}.' if reasons else ''


def coverage_table(coverage: Sequence[Coverage]) -> Table:
    """What becomes of the decisions when the least certain ones are declined."""
    return Table(
        'when the least certain clips are declined',
        ('kept', *_titles(coverage[0], _COVERAGE_COLUMNS)),
        [(f'{part.kept:.1%}', *_cells(part, _COVERAGE_COLUMNS)) for part in coverage],
    )


def errors_table(found: ErrorAnalysis) -> Table:
    """The wrong decisions, the surest one first."""
    header = ('clip', 'video', 'fold', 'start frame', 'seconds', 'is', 'taken for')
    return Table(
        '',
        (*header, 'probability', 'certainty', found.visibility),
        [
            (
                str(error.row), error.video, str(error.fold),
                '' if error.start_frame is None else str(error.start_frame),
                number(error.start_s, '.1f'), error.label, error.decided,
                number(error.probability), number(error.certainty), number(error.visibility),
            )
            for error in found.errors
        ],
    )  # fmt: skip


def worst_units(groups: Mapping[str, Sequence[Group]]) -> list[Table]:
    """The videos or subjects with most wrong decisions, as one table; none where no group is one.

    Args:
      groups: by what they have in common.
    """
    found = []
    for unit in UNITS & groups.keys():
        of = groups[unit]
        wrong = sum(group.wrong > 0 for group in of)
        title = f'worst of {len(of)} {unit}s, {wrong} of them with a wrong decision'
        found.append(_group_table(title, _worst_first(of)[:_WORST], _UNIT_COLUMNS))
    return found


def _worst_first(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: -group.wrong / group.clips)


def _group_table(title: str, groups: Sequence[Group], columns: Sequence[tuple[str, str]]) -> Table:
    header = ('', *_titles(groups[0], columns))
    return Table(title, header, [(group.name, *_cells(group, columns)) for group in groups])


def _titles(first: Any, columns: Sequence[tuple[str, str]]) -> list[str]:
    return [title for title, key in columns if hasattr(first, key)]


def _cells(row: Any, columns: Sequence[tuple[str, str]]) -> list[str]:
    values = [getattr(row, key) for _, key in columns if hasattr(row, key)]
    return [str(value) if isinstance(value, int) else number(value) for value in values]


def calibration_table(effect: CalibrationEffect) -> Table:
    """What calibration did."""
    columns = (
        ('log loss', 'log_loss'), ('Brier score', 'brier'),
        ('calibration error', 'expected_calibration_error'),
    )  # fmt: skip
    return Table(
        f'calibration: {effect.kind}',
        ('', *(title for title, _ in columns)),
        [
            (stage, *_cells(of, columns))
            for stage, of in (('before', effect.before), ('after', effect.after))
        ],
    )
