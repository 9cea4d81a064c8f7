"""Columns as CSV."""

import csv
import io
from collections.abc import Mapping

import numpy as np


def csv_text(columns: Mapping[str, np.ndarray]) -> str:
    """Columns of equal length as CSV; floats with six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(columns)
    formatted = [
        [f'{value:.6g}' for value in values] if values.dtype.kind == 'f' else values.tolist()
        for values in columns.values()
    ]
    writer.writerows(zip(*formatted, strict=True))
    return text.getvalue()
