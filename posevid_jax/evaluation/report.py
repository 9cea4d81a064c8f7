"""An evaluation as tables, which a terminal and a page show alike."""

from collections.abc import Sequence

from posevid_jax.evaluation.findings import findings
from posevid_jax.evaluation.metrics import Record
from posevid_jax.evaluation.table import Table, number, printable, with_interval

CALLED = {'alarm': 'WARNING', 'care': 'note'}
_WORST = 5  # videos listed on screen
_UNDEFINED = 'undefined (one class)'

# Title and key, in the order of the tables.
_QUALITY = (
    ('ROC-AUC', 'roc_auc'), ('average precision', 'average_precision'), ('Brier score', 'brier'),
    ('calibration error', 'expected_calibration_error'),
)  # fmt: skip
_DECISIONS = (
    ('precision', 'precision'), ('recall', 'recall'), ('specificity', 'specificity'),
    ('balanced accuracy', 'balanced_accuracy'), ('F1', 'f1'),
)  # fmt: skip
_CLASS_COLUMNS = (
    ('precision', 'precision'), ('recall', 'recall'), ('specificity', 'specificity'), ('F1', 'f1'),
    ('ROC-AUC', 'roc_auc'), ('AP', 'average_precision'), ('Brier', 'brier'),
    ('ECE', 'expected_calibration_error'),
)  # fmt: skip
_COUNTS = (('clips', 'clips'), ('positive', 'positives'))
_VIDEO_COLUMNS = (
    *_COUNTS, ('mean prob', 'mean_probability'), ('wrong', 'wrong'), ('precision', 'precision'),
    ('recall', 'recall'), ('F1', 'f1'), ('ROC-AUC', 'roc_auc'),
)  # fmt: skip
BRIEF_COLUMNS = (
    *_COUNTS, ('said yes', 'decided_positive'), ('ROC-AUC', 'roc_auc'), ('AP', 'average_precision'),
    ('FPR at recall', 'false_positive_rate_at_recall'),
)  # fmt: skip
_GROUP_COLUMNS = (
    *BRIEF_COLUMNS, ('wrong', 'wrong'), ('precision', 'precision'), ('recall', 'recall'),
    ('FPR', 'false_positive_rate'), ('F1', 'f1'), ('mean prob', 'mean_probability'),
)  # fmt: skip
_COVERAGE_COLUMNS = (
    *_COUNTS, ('accuracy', 'accuracy'), ('precision', 'precision'), ('recall', 'recall'),
    ('FPR', 'false_positive_rate'),
)  # fmt: skip


def lines(name: str, record: Record) -> list[str]:
    """What a person reads after an evaluation.

    Args:
      name: of the set of clips.
      record: from `assessment.assess`, with `members` where there are several.
    """
    text = [f'{name}: {opening(record)}']
    if 'members' in record:
        text.append(f'  {_members(record["members"])}')
    text += indented(*headline(record), *([worst] if (worst := _worst_videos(record)) else []))
    return text + [f'{CALLED[kind]}: {printable(what)}' for kind, what in findings(record)]


def indented(*tables: Table) -> list[str]:
    """Tables as lines that all start with two spaces."""
    return [
        line if line.startswith('  ') else f'  {line}'
        for table in tables
        for line in table.lines()
        if line
    ]


def opening(record: Record) -> str:
    """How much was evaluated, and the numbers that depend on no threshold."""
    macro = 'macro ' if 'per_class' in record else ''
    return (
        f'{record["clips"]} clips of {record["videos"]} videos, '
        f'{macro}ROC-AUC {number(record["roc_auc"], none=_UNDEFINED)}, '
        f'{macro}average precision {number(record["average_precision"], none=_UNDEFINED)}'
    )


def headline(record: Record) -> list[Table]:
    """The numbers, those of trivial classifiers beside them, and who is taken for whom."""
    return _several_classes(record) if 'per_class' in record else [_two_classes(record)]


def _members(spread: Record) -> str:
    """How the members of an ensemble spread around it."""

    def text(title: str, of: Record) -> str:
        if of['mean'] is None:
            return f'{title} undefined'
        low, high = min(of['each']), max(of['each'])
        return f'{title} {of["mean"]:.4f} +- {of["std"]:.4f} ({low:.4f} to {high:.4f})'

    auc, precision = spread['roc_auc'], spread['average_precision']
    return (
        f'mean of {len(auc["each"])} members, above; one alone: {text("ROC-AUC", auc)}, '
        f'{text("average precision", precision)}'
    )


def _two_classes(record: Record) -> Table:
    at, half = record['at_threshold'], record['at_0.5']
    always, prior = record['always_positive'], record['prior']
    ends = record['intervals']
    rows = [('threshold', f'{at["threshold"]:.4f}', '0.5', '', '')]
    if record['calibration']['kind'] != 'none':
        rows.append(('before calibration', f'{record["stored_threshold"]:.4f}', '', '', ''))
    for title, key in _QUALITY:
        ours = with_interval(record[key], ends.get(key))
        rows.append((title, ours, '', number(always[key]), number(prior[key])))
    for title, key in _DECISIONS:
        stored = with_interval(at[key], ends.get(f'at_threshold.{key}'))
        middle = with_interval(half[key], ends.get(f'at_0.5.{key}'))
        rows.append((title, stored, middle, number(always[key]), number(prior[key])))
    for title, row, column in (
        ('true positives', 1, 1), ('false positives', 0, 1),
        ('false negatives', 1, 0), ('true negatives', 0, 0),
    ):  # fmt: skip
        counts = [str(of['confusion'][row][column]) for of in (at, half, always, prior)]
        rows.append((title, *counts))
    title = 'with 95 % intervals by bootstrap over videos' if ends else ''
    return Table(title, ('', 'stored threshold', 'at 0.5', 'always positive', 'prior'), rows)


def _several_classes(record: Record) -> list[Table]:
    """A row a class, their means, what trivial classifiers score, and who is taken for whom."""
    names, majority = record['class_names'], record['majority_class']

    def row(title: str, clips: int | str, scores: Record) -> list[str]:
        return [title, str(clips), *(number(scores.get(key)) for _, key in _CLASS_COLUMNS)]

    rows = [
        row(name, scores['support'], scores)
        for name, scores in zip(names, record['per_class'], strict=True)
    ]
    rows.append(row('macro average', record['clips'], record))
    for place, title in enumerate(('95 % from', '95 % to')):
        ends = {key: both[place] for key, both in record['intervals'].items() if both}
        if ends:
            rows.append(row(title, '', ends))
    always = f'always {names[majority["class"]]}'
    rows.append(row(always, record['clips'], majority))
    rows.append(row('prior', record['clips'], record['prior']))
    scores = Table('classes', ('', 'clips', *(title for title, _ in _CLASS_COLUMNS)), rows)
    confusion = Table(
        f'accuracy {record["accuracy"]:.4f}, of {always} {majority["accuracy"]:.4f}; '
        'a row a true class, a column a predicted one',
        ('', *names),
        [
            (name, *map(str, counts))
            for name, counts in zip(names, record['confusion'], strict=True)
        ],
    )
    return [scores, confusion]


def group_tables(
    record: Record, columns: Sequence[tuple[str, str]] = _GROUP_COLUMNS
) -> list[Table]:
    """A table for each way of grouping, those of videos with most wrong decisions first.

    Args:
      record: with the `groups` of `limits.by_group`.
      columns: title and key; those that the groups do not have are left out.
    """
    return [
        _group_table(f'by {title}', groups if title != 'video' else _worst_first(groups), columns)
        for title, groups in record['groups'].items()
    ]


def not_grouped(record: Record) -> str:
    """By what there are no groups, in a sentence; '' where there are all."""
    reasons = [f'{title} (all clips: {name})' for title, name in record['not_grouped'].items()]
    return f'No groups by {", ".join(reasons)}.' if reasons else ''


def coverage_table(record: Record) -> Table:
    """What becomes of the decisions when the least certain ones are declined."""
    kept = record['coverage']
    return Table(
        'when the least certain clips are declined',
        ('kept', *(title for title, key in _COVERAGE_COLUMNS if key in kept[0])),
        [(f'{part["kept"]:.1%}', *_cells(part, _COVERAGE_COLUMNS)) for part in kept],
    )


def errors_table(record: Record) -> Table:
    """The wrong decisions of `error_analysis.find`, the surest one first."""
    header = ('clip', 'video', 'fold', 'start frame', 'seconds', 'is', 'taken for')
    return Table(
        '',
        (*header, 'probability', 'certainty', record['visibility']),
        [
            (
                str(error['row']), error['video'], str(error['fold']),
                '' if error['start_frame'] is None else str(error['start_frame']),
                '' if error['start_s'] is None else f'{error["start_s"]:.1f}',
                error['label'], error['decided'],
                *(number(error[key]) for key in ('probability', 'certainty', 'visibility')),
            )
            for error in record['errors']
        ],
    )  # fmt: skip


def _worst_videos(record: Record) -> Table | None:
    videos = record['groups'].get('video')
    if not videos:
        return None
    wrong = sum(group['wrong'] > 0 for group in videos)
    title = f'worst of {len(videos)} videos, {wrong} of them with a wrong decision'
    return _group_table(title, _worst_first(videos)[:_WORST], _VIDEO_COLUMNS)


def _worst_first(groups: list[Record]) -> list[Record]:
    return sorted(groups, key=lambda group: -group['wrong'] / group['clips'])


def _group_table(title: str, groups: list[Record], columns: Sequence[tuple[str, str]]) -> Table:
    header = ('', *(name for name, key in columns if key in groups[0]))
    return Table(title, header, [(group['name'], *_cells(group, columns)) for group in groups])


def _cells(record: Record, columns: Sequence[tuple[str, str]]) -> list[str]:
    values = [record[key] for _, key in columns if key in record]
    return [str(value) if isinstance(value, int) else number(value) for value in values]


def calibration_table(record: Record) -> Table:
    """What calibration did."""
    columns = (
        ('log loss', 'log_loss'), ('Brier score', 'brier'),
        ('calibration error', 'expected_calibration_error'),
    )  # fmt: skip
    of = record['calibration']
    return Table(
        f'calibration: {of["kind"]}',
        ('', *(title for title, _ in columns)),
        [(stage, *(number(of[stage][key]) for _, key in columns)) for stage in ('before', 'after')],
    )
