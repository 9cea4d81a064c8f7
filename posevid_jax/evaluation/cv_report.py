"""A cross-validation as lines of text."""

from collections.abc import Sequence

from posevid_jax.evaluation import report
from posevid_jax.evaluation.metrics import Record
from posevid_jax.evaluation.table import Table, number, printable

_COLUMNS = {
    'roc_auc': 'ROC-AUC',
    'average_precision': 'AP',
    'f1': 'F1',
    'trivial_f1': 'trivial',
    'false_positive_rate': 'FPR',
}


def lines(record: Record, points: dict[str, Record] | None, names: Sequence[str] = ()) -> list[str]:
    """What a person reads after a cross-validation.

    Args:
      record: from `out_of_fold.evaluate`.
      points: from `out_of_fold.operating_points`; None with several classes.
      names: of the members, which then have a row each; () for seeds of one run.
    """
    seeds = len(record['members']['roc_auc']['each'])
    return [
        *report.indented(_scores(record, names, seeds)),
        *_legend(record, seeds, points is not None, names),
        *(report.indented(_points(points)) if points else []),
    ]


def error_analysis(found: Record) -> list[str]:
    """Where it fails, for a person.

    Args:
      found: from `error_analysis.find`.
    """
    groups = {title: of for title, of in found['groups'].items() if title != 'video'}
    tables = report.group_tables(found | {'groups': groups}, report.BRIEF_COLUMNS)
    missing = report.not_grouped(found)
    return [
        *report.indented(*tables, report.coverage_table(found)),
        f'  decided by the threshold of the other folds, {found["rule"]}; FPR at recall: by a '
        "threshold of the group's own",
        *([f'  {printable(missing)}'] if missing else []),
    ]


def _scores(record: Record, names: Sequence[str], seeds: int) -> Table:
    """A row a fold, their mean and spread, all clips together, and each member."""
    pooled, members = record['pooled'], record['members']

    def row(title: str, of: Record, clips: int | str = '', groups: int | str = '') -> list[str]:
        return [title, str(clips), str(groups), *(number(of[key], none='-') for key in pooled)]

    rows = [row(f'fold {of["fold"]}', of, of['clips'], of['groups']) for of in record['folds']]
    rows += [row('mean', record['mean']), row('spread', record['std'])]
    rows.append(row('pooled', pooled, record['clips'], record['groups']))
    for place, name in enumerate(('from', 'to')):
        ends = {key: end and end[place] for key, end in record['intervals'].items()}
        rows.append(row(f'95 % {name}', ends))
    for member, name in enumerate(names):
        rows.append(row(name, {key: members[key]['each'][member] for key in pooled}))
    if seeds > 1 and not names:
        for part, name in (('mean', 'one seed'), ('std', 'spread')):
            rows.append(row(name, {key: members[key][part] for key in pooled}))
    return Table('', ('', 'clips', 'videos', *(_COLUMNS[key] for key in pooled)), rows)


def _legend(record: Record, seeds: int, two_classes: bool, names: Sequence[str]) -> list[str]:
    if two_classes:
        notes = [
            '  F1 as decided by the threshold of the other folds; trivial: of saying yes to all; '
            f'FPR: false-positive rate at recall {record["recall"]:g}'
        ]
    else:
        notes = ['  macro averages; trivial: F1 of the most frequent class for every clip']
    several = f'the mean of {seeds} seeds' if seeds > 1 else 'one seed'
    if names:
        several = 'the ensemble, each fold by weights of the others'
    notes.append(f'  all but the last rows: {several}; 95 %: by bootstrap over videos')
    before, *after = record['calibration'].items()
    numbers = [
        f'{name} log loss {of["log_loss"]:.4f}, ECE {of["expected_calibration_error"]:.4f}'
        for name, of in (before, *after)
    ]
    notes.append(f'  calibration, each fold by the others: {"; ".join(numbers)}')
    return notes


def _points(points: dict[str, Record]) -> Table:
    """A row a rule: its threshold, and what that does to videos it was not fitted to."""
    keys = ('precision', 'recall', 'f1', 'false_positive_rate')
    rows = []
    for point in points.values():
        at = point['expected']
        if at is None:
            rows.append((point['rule'], 'not reached', *[''] * len(keys)))
        else:
            rows.append((point['rule'], number(point['threshold']), *(number(at[k]) for k in keys)))
    title = 'thresholds, on videos they were not fitted to'
    return Table(title, ('for', 'value', 'precision', 'recall', 'F1', 'FPR'), rows)
