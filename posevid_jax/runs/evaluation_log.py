"""How often a run was judged by the same clips: what is chosen by them is fitted to them."""

import contextlib
import datetime
import json
import pathlib
import shlex

from posevid_jax.errors import InputError
from posevid_jax.evaluation.metrics import Record
from posevid_jax.machine import processes
from posevid_jax.runs.environment import environment


def note(workdir: pathlib.Path, record: Record, *, epochs: int | None = None) -> int:
    """Appends a line to `eval/looks.jsonl`.

    Args:
      workdir: the run directory.
      record: of the evaluation, with `set` and `step`.
      epochs: of a training at its end: at how many it was judged by these clips before.

    Returns:
      how many lines are about clips with this content, the new one included.

    Raises:
      InputError: the file cannot be read or written.
    """
    path = workdir / 'eval' / 'looks.jsonl'
    look = {key: record[key] for key in ('set', 'fingerprint', 'step', 'roc_auc')} | {
        'time': datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds'),
        'command': shlex.join(environment()['command']),
    }
    if epochs is not None:
        look['epochs'] = epochs
    try:
        text = path.read_text() if path.exists() else ''
        if processes.is_first():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Appended, so that of two at once none is lost; half a line, of a process that died
            # while writing, is closed first.
            with path.open('a') as file:
                file.write('\n' * (text[-1:] not in ('', '\n')) + json.dumps(look) + '\n')
    except OSError as error:
        raise InputError(f'{path}: cannot be used ({error.strerror})') from None
    return 1 + sum(_fingerprint(line) == look['fingerprint'] for line in text.splitlines())


def _fingerprint(line: str) -> str | None:
    with contextlib.suppress(ValueError):
        return json.loads(line)['fingerprint']
    return None
