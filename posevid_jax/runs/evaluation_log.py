"""How often a run was judged by the same clips: what is chosen by them is fitted to them."""

import contextlib
import datetime
import json
import pathlib
import shlex

from posevid_jax.errors import InputError
from posevid_jax.evaluation.results import Evaluation
from posevid_jax.machine import processes
from posevid_jax.runs.environment import environment


def note(workdir: pathlib.Path, evaluation: Evaluation, *, epochs: int | None = None) -> int:
    """Appends a line to `eval/looks.jsonl`.

    Args:
      workdir: the run directory.
      evaluation: of the clips.
      epochs: of a training at its end: at how many it was judged by these clips before.

    Returns:
      how many lines are about clips with this content, the new one included.

    Raises:
      InputError: the file cannot be read or written.
    """
    path = workdir / 'eval' / 'looks.jsonl'
    look = {
        'set': evaluation.set,
        'fingerprint': evaluation.assessment.fingerprint,
        'step': evaluation.step,
        'roc_auc': evaluation.scores.roc_auc,
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
