"""An evaluation as lines of text."""

from posevid_jax.evaluation.metrics import Record


def lines(name: str, record: Record) -> list[str]:
    """What a person reads after an evaluation.

    Args:
      name: of the set of clips.
      record: from `metrics.evaluate`; for more than two classes with `class_names`.
    """
    several = 'per_class' in record
    macro = 'macro ' if several else ''
    head = (
        f'{name}: {record["clips"]} clips, {macro}ROC-AUC {_number(record["roc_auc"])}, '
        f'{macro}average precision {_number(record["average_precision"])}'
    )
    members = _members(record['members']) if 'members' in record else []
    return [head, *members, *(_several_classes(record) if several else _two_classes(record))]


def _members(spread: Record) -> list[str]:
    """How the members of an ensemble spread around it."""

    def text(title: str, of: Record) -> str:
        if of['mean'] is None:
            return f'{title} undefined'
        low, high = min(of['each']), max(of['each'])
        return f'{title} {of["mean"]:.4f} +- {of["std"]:.4f} ({low:.4f} to {high:.4f})'

    auc, precision = spread['roc_auc'], spread['average_precision']
    return [
        f'  mean of {len(auc["each"])} members, above; one alone: {text("ROC-AUC", auc)}, '
        f'{text("average precision", precision)}'
    ]


def _two_classes(record: Record) -> list[str]:
    rows = [('stored threshold', 'at_threshold'), ('0.5', 'at_0.5')]
    rows.append(('always positive', 'always_positive'))
    table = [
        f'  {"decision":<18}{"threshold":>9} {"precision":>9} {"recall":>7} {"F1":>7}'
        f' {"tn":>6} {"fp":>6} {"fn":>6} {"tp":>6}'
    ]
    for title, key in rows:
        at = record[key]
        (tn, fp), (fn, tp) = at['confusion']
        table.append(
            f'  {title:<18}{at["threshold"]:9.4f} {at["precision"]:9.4f} {at["recall"]:7.4f}'
            f' {at["f1"]:7.4f} {tn:6d} {fp:6d} {fn:6d} {tp:6d}'
        )
    return table


def _several_classes(record: Record) -> list[str]:
    """A row a class, their means, what the trivial classifier scores, and who is taken for whom."""
    names, majority = record['class_names'], record['majority_class']
    always = f'always {names[majority["class"]]}'
    width = max(18, *(len(name) + 2 for name in (*names, always)))

    def row(title: str, clips: int, scores: Record) -> str:
        keys = ('precision', 'recall', 'f1', 'roc_auc', 'average_precision')
        cells = ['' if scores.get(key) is None else f'{scores[key]:.4f}' for key in keys]
        line = f'  {title:<{width}}{clips:6d}' + ''.join(f'{cell:>10}' for cell in cells)
        return line.rstrip()

    headings = ('precision', 'recall', 'F1', 'ROC-AUC', 'AP')
    table = [f'  {"class":<{width}}{"clips":>6}' + ''.join(f'{h:>10}' for h in headings)]
    for name, scores in zip(names, record['per_class'], strict=True):
        table.append(row(name, scores['support'], scores))
    table.append(row('macro average', record['clips'], record))
    table.append(row(always, record['clips'], majority))
    table.append(
        f'  accuracy {record["accuracy"]:.4f}, of {always} {majority["accuracy"]:.4f}; '
        'below, a row a true class, a column a predicted one'
    )
    cell = max(8, *(len(name) + 2 for name in names))
    table.append(' ' * (2 + width) + ''.join(f'{name:>{cell}}' for name in names))
    for name, counts in zip(names, record['confusion'], strict=True):
        table.append(f'  {name:<{width}}' + ''.join(f'{count:{cell}d}' for count in counts))
    return table


def _number(value: float | None) -> str:
    return 'undefined (one class)' if value is None else f'{value:.4f}'
