"""An evaluation as lines of text."""

from posevid_jax.evaluation.metrics import Record


def lines(name: str, record: Record) -> list[str]:
    """What a person reads after an evaluation.

    Args:
      name: of the set of clips.
      record: from `metrics.evaluate`.
    """
    head = (
        f'{name}: {record["clips"]} clips, ROC-AUC {_number(record["roc_auc"])}, '
        f'average precision {_number(record["average_precision"])}'
    )
    if 'at_threshold' not in record:
        return [head, f'  macro F1 {record["f1"]:.4f}, accuracy {record["accuracy"]:.4f}']
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
    return [head, *table]


def _number(value: float | None) -> str:
    return 'undefined (one class)' if value is None else f'{value:.4f}'
