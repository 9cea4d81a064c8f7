"""A cross-validation as lines of text."""

from collections.abc import Sequence

from posevid_jax.evaluation import report
from posevid_jax.evaluation.metrics import Record
from posevid_jax.evaluation.page import printable

_COLUMNS = {
    'roc_auc': 'ROC-AUC',
    'average_precision': 'AP',
    'f1': 'F1',
    'trivial_f1': 'trivial',
    'false_positive_rate': 'FPR',
}
_WIDTH = 9


def lines(record: Record, points: dict[str, Record] | None, names: Sequence[str] = ()) -> list[str]:
    """What a person reads after a cross-validation.

    Args:
      record: from `out_of_fold.evaluate`.
      points: from `out_of_fold.operating_points`; None with several classes.
      names: of the members, which then have a row each; () for seeds of one run.
    """
    pooled = record['pooled']
    seeds = len(record['members']['roc_auc']['each'])
    width = max(10, *(len(name) + 2 for name in names)) if names else 10
    table = [
        f'  {"":<{width}}{"clips":>7}{"videos":>8}'
        + ''.join(f'{_COLUMNS[key]:>{_WIDTH}}' for key in pooled)
    ]
    for fold in record['folds']:
        counts = f'{fold["clips"]:7d}{fold["groups"]:8d}'
        table.append(_row(f'fold {fold["fold"]}', counts, fold, pooled, width))
    table.append(_row('mean', '', record['mean'], pooled, width))
    table.append(_row('spread', '', record['std'], pooled, width))
    table.append(
        _row('pooled', f'{record["clips"]:7d}{record["groups"]:8d}', pooled, pooled, width)
    )
    for place, name in enumerate(('from', 'to')):
        ends = {key: end and end[place] for key, end in record['intervals'].items()}
        table.append(_row(f'95 % {name}', '', ends, pooled, width))
    members = record['members']
    for member, name in enumerate(names):
        numbers = {key: members[key]['each'][member] for key in pooled}
        table.append(_row(name, '', numbers, pooled, width))
    if seeds > 1 and not names:
        for part, name in (('mean', 'one seed'), ('std', 'spread')):
            numbers = {key: members[key][part] for key in pooled}
            table.append(_row(name, '', numbers, pooled, width))
    return [*table, *_legend(record, seeds, points is not None, names), *_points(points or {})]


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


def _row(title: str, counts: str, numbers: Record, keys: Record, width: int) -> str:
    cells = ['-' if numbers[key] is None else f'{numbers[key]:.4f}' for key in keys]
    return f'  {title:<{width}}{counts:>15}' + ''.join(f'{cell:>{_WIDTH}}' for cell in cells)


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


def _points(points: dict[str, Record]) -> list[str]:
    if not points:
        return []
    width = max(20, *(len(point['rule']) for point in points.values()))
    table = [
        f'  {"threshold for":<{width}}{"value":>8}{"precision":>11}{"recall":>9}{"F1":>9}{"FPR":>9}'
        '   on videos it was not fitted to'
    ]
    for point in points.values():
        at = point['expected']
        if at is None:
            table.append(f'  {point["rule"]:<{width}}   not reached')
            continue
        table.append(
            f'  {point["rule"]:<{width}}{point["threshold"]:8.4f}{at["precision"]:11.4f}'
            f'{at["recall"]:9.4f}{at["f1"]:9.4f}{at["false_positive_rate"]:9.4f}'
        )
    return table
