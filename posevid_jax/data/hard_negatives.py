"""Which clips without the gesture a model finds hard, from a CSV that a run has written."""

import math
import pathlib

import numpy as np

from posevid_jax.data import csv_file
from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.errors import InputError

_COLUMNS = ('row', 'prob', 'loss', 'video_id', 'start_frame', 'label')
NEGATIVE = 0  # the class without the gesture


def read_boost(path: str, clips: Clips, boost: float) -> np.ndarray:
    """How much more often than others each clip is to be drawn.

    The file has a line a clip: `row`, its number among `clips`, and `prob`, its probability of the
    gesture, or `loss` in nats, of which 1 - exp(-loss) is that probability for a clip without the
    gesture. Clips that it does not list count as probability 0. Columns `video_id`, `start_frame`
    and `label`, where there are any, must agree with the clips: row numbers of other clips would
    otherwise go unnoticed.

    Args:
      path: predictions or largest losses of a run.
      clips: the training clips.
      boost: of a clip without the gesture that the model is sure has it.

    Returns:
      [N] f64, for a clip of class 0 from 1 (probability 0) linearly to `boost` (probability 1), for
      other clips 1.

    Raises:
      InputError: the file cannot be read, or is not about these clips.
    """
    if not 1 <= boost < math.inf:
        raise InputError(f'data.hard_negative_boost: found {boost}, expected 1 or more')
    if clips.num_classes != 2:
        raise InputError(
            f'data.hard_negatives: found {clips.num_classes} classes, expected a negative and a '
            'positive one'
        )
    prob = np.full(len(clips), np.nan)
    for line, record in _records(pathlib.Path(path)):
        where = f'{path}: line {line}'
        row = _number(where, record, 'row')
        if row not in range(len(clips)):
            raise InputError(f'{where}: row: found {row:g}, expected 0 to {len(clips) - 1}')
        row = int(row)
        if not np.isnan(prob[row]):
            raise InputError(f'{where}: row: found {row} again, expected every clip once')
        _check_identity(where, record, clips, row)
        prob[row] = _probability(where, record)
    hardness = np.where(clips.label == NEGATIVE, np.nan_to_num(prob), 0.0)
    return 1.0 + (boost - 1.0) * hardness


def _records(path: pathlib.Path) -> list[tuple[int, dict[str, str]]]:
    """(line number, value by column) of each line after the header."""
    try:
        content = path.read_bytes()
        content.decode()
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror})') from None
    except UnicodeDecodeError as error:
        raise InputError(f'{path}: not a CSV file ({error})') from None
    file = csv_file.parse(content, str(path))
    columns = [name for name in _COLUMNS if name in file.columns]
    if 'row' not in columns or not {'prob', 'loss'} & set(columns):
        raise InputError(
            f'{path}: found the columns {", ".join(file.columns) or "none"}, '
            'expected row and prob, or row and loss'
        )
    rows = zip(*file.text(columns).values(), strict=True)
    records = [dict(zip(columns, cells, strict=True)) for cells in rows]
    return list(zip(file.lines.tolist(), records, strict=True))


def _number(where: str, record: dict[str, str], column: str) -> float:
    try:
        return float(record[column])
    except ValueError:
        raise InputError(
            f'{where}: {column}: found {record[column]!r}, expected a number'
        ) from None


def _probability(where: str, record: dict[str, str]) -> float:
    """Of the gesture, if the clip does not have it."""
    if 'prob' in record:
        prob = _number(where, record, 'prob')
        if not 0 <= prob <= 1:
            raise InputError(f'{where}: prob: found {prob}, expected 0 to 1')
        return prob
    loss = _number(where, record, 'loss')
    if not loss >= 0:
        raise InputError(f'{where}: loss: found {loss}, expected 0 or more')
    return -math.expm1(-loss)


def _check_identity(where: str, record: dict[str, str], clips: Clips, row: int) -> None:
    known = {
        'video_id': clips.videos[clips.video[row]].partition(':')[2],
        'label': str(clips.label[row]),
    }
    if clips.start_frame[row] != UNKNOWN_FRAME:
        known['start_frame'] = str(clips.start_frame[row])
    for column, expected in known.items():
        if record.get(column) not in (None, '', expected):
            raise InputError(
                f'{where}: {column}: found {record[column]!r}, but row {row} of the training clips '
                f'has {expected!r}; expected a file about the training clips'
            )
