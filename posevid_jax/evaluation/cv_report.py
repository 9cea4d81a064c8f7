"""A cross-validation as lines of text."""

from collections.abc import Mapping, Sequence

from posevid_jax.evaluation import class_report, report, units
from posevid_jax.evaluation.cv_results import CrossValidation, ErrorAnalysis, OutOfFoldThreshold
from posevid_jax.evaluation.findings import FEW
from posevid_jax.evaluation.table import Table, number, printable

COLUMNS = {
    'accuracy': 'accuracy',
    'trivial_accuracy': 'trivial',
    'top_3_accuracy': 'top 3',
    'top_5_accuracy': 'top 5',
    'roc_auc': 'ROC-AUC',
    'average_precision': 'AP',
    'f1': 'F1',
    'trivial_f1': 'trivial',
    'false_positive_rate': 'FPR',
}
"""Titles of what is told of a classifier, by the name of the number, in their order."""


def lines(
    record: CrossValidation,
    points: Mapping[str, OutOfFoldThreshold] | None,
    names: Sequence[str] = (),
) -> list[str]:
    """What a person reads after a cross-validation.

    Args:
      record: of the cross-validation.
      points: from `out_of_fold.operating_points`; None with several classes.
      names: of the members, which then have a row each; () for seeds of one run.
    """
    seeds = len(record.members['roc_auc'].each)
    return [
        *report.indented(_scores(record, names, seeds)),
        *_legend(record, seeds, points is not None, names),
        *(report.indented(_points(points)) if points else []),
    ]


def error_analysis(found: ErrorAnalysis) -> list[str]:
    """Where it fails, for a person."""
    groups = {title: of for title, of in found.groups.items() if title not in report.UNITS}
    subjects = {title: of for title, of in found.groups.items() if title == 'subject'}
    tables = [*report.worst_units(subjects), *report.group_tables(groups, report.BRIEF_COLUMNS)]
    missing = report.not_grouped(found.not_grouped)
    decided = (
        f'by the threshold of the other folds, {found.rule}; FPR at recall: by a threshold of the '
        "group's own"
    )
    if found.by_class and found.confusion:
        tables = [*class_report.on_screen(found.by_class, found.confusion), *tables]
        decided = f'for the {found.rule}'
    return [
        *report.indented(*tables, report.coverage_table(found.coverage)),
        f'  decided {decided}',
        *([f'  {printable(missing)}'] if missing else []),
    ]


def _scores(record: CrossValidation, names: Sequence[str], seeds: int) -> Table:
    """One row per fold, their mean and spread, all clips together, and each member."""
    members, known = record.members, vars(record.pooled)
    keys = [key for key in COLUMNS if known.get(key) is not None]

    def row(
        title: str, of: Mapping[str, float | None], clips: int | str = '', groups: int | str = ''
    ) -> list[str]:
        return [title, str(clips), str(groups), *(number(of[key], none='-') for key in keys)]

    rows = [row(f'fold {of.fold}', vars(of.numbers), of.clips, of.groups) for of in record.folds]
    rows += [row('mean', vars(record.mean)), row('spread', vars(record.std))]
    rows.append(row('pooled', vars(record.pooled), record.clips, record.groups))
    for place, name in enumerate(('from', 'to')):
        ends = {key: end and end[place] for key, end in record.intervals.items()}
        rows.append(row(f'95 % {name}', ends))
    for member, name in enumerate(names):
        rows.append(row(name, {key: members[key].each[member] for key in keys}))
    if seeds > 1 and not names:
        rows.append(row('one seed', {key: members[key].mean for key in keys}))
        rows.append(row('spread', {key: members[key].std for key in keys}))
    macro = {'f1': 'macro F1'} if 'accuracy' in keys else {}
    groups = 'subjects' if record.unit == 'subject' else 'groups'
    header = ('', 'clips', groups, *((COLUMNS | macro)[key] for key in keys))
    return Table('', header, rows)


def _legend(
    record: CrossValidation, seeds: int, two_classes: bool, names: Sequence[str]
) -> list[str]:
    if two_classes:
        notes = [
            '  F1 as decided by the threshold of the other folds; trivial: of saying yes to all; '
            f'FPR: false-positive rate at recall {record.recall:g}'
        ]
    else:
        notes = [
            '  macro averages but for accuracy; trivial: of the most frequent class for every clip'
        ]
    several = f'the mean of {seeds} seeds' if seeds > 1 else 'one seed'
    if names:
        several = 'the ensemble, each fold by weights of the others'
    drawn = 'groups, which are videos where clips have no group_id'
    if record.unit:
        drawn = f'{record.unit}s'
        if record.groups < FEW:
            drawn = f'{record.groups} {drawn}, so few that it is rough itself'
        notes.append(f'  {units.WHY[record.unit]}')
    notes.append(f'  all but the last rows: {several}; 95 %: by bootstrap over {drawn}')
    numbers = [
        f'{name} log loss {of.log_loss:.4f}, ECE {of.expected_calibration_error:.4f}'
        for name, of in record.calibration.items()
    ]
    notes.append(f'  calibration, each fold by the others: {"; ".join(numbers)}')
    return notes


def _points(points: Mapping[str, OutOfFoldThreshold]) -> Table:
    """One row per rule: its threshold, and what that does to videos it was not fitted to."""
    rows = []
    for point in points.values():
        at = point.expected
        if at is None:
            rows.append((point.rule, 'not reached', *[''] * 4))
        else:
            numbers = (point.threshold, at.precision, at.recall, at.f1, at.false_positive_rate)
            rows.append((point.rule, *map(number, numbers)))
    title = 'thresholds, on videos they were not fitted to'
    return Table(title, ('for', 'value', 'precision', 'recall', 'F1', 'FPR'), rows)
