"""The form of capacity_report.json, and a check of it."""

import pathlib
from typing import Any

from posevid_jax.errors import InputError
from posevid_jax.runs.files import read_json

VERSION = 3

_NUMBER = (int, float)
_OPTIONAL_INT = (int, type(None))
_OPTIONAL_NUMBER = (int, float, type(None))

DEVICE = {
    'kind': str,
    'source': str,
    'memory_bytes': int,
    'memory_fraction': _OPTIONAL_NUMBER,
    'reserve_bytes': int,
    'budget_bytes': int,
    'platform': str,
}
COMPILE = {
    'batch': int,
    'bytes': _OPTIONAL_INT,
    'workspace_bytes': int,
    'recomputed': int,
    'fits': bool,
    'all_reduces': int,
    'seconds': _NUMBER,
}
RECOMMENDED = {'batch': int, 'global_batch': int, 'which': str, 'why': str}
RUNG = {'batch': int, 'clips_per_s': _OPTIONAL_NUMBER}
VERIFIED = {
    'batch': int,
    'steps': int,
    'predicted_bytes': int,
    'peak_bytes_in_use': _OPTIONAL_INT,
    'ratio': _OPTIONAL_NUMBER,
}
RECORD = {
    'model': str,
    'size': (str, type(None)),
    'pack': str,
    'dtype': str,
    'remat': [bool],
    'optimiser': str,
    'clip_shape': [int],
    'devices': int,
    'micro_batches': int,
    'seeds': int,
    'best_batch': int,
    'best_next': _OPTIONAL_INT,
    'max_batch': int,
    'max_next': _OPTIONAL_INT,
    'max_bracket': _OPTIONAL_INT,
    'max_recomputed': int,
    'peak_bytes': _OPTIONAL_INT,
    'max_peak_bytes': _OPTIONAL_INT,
    'workspace_bytes': int,
    'bytes_per_clip': _NUMBER,
    'fixed_bytes': _NUMBER,
    'state_bytes': int,
    'parameter_bytes': int,
    'throughput_clips_per_s': _OPTIONAL_NUMBER,
    'knee_batch': _OPTIONAL_INT,
    'ladder': ([RUNG], type(None)),
    'verified': (VERIFIED, type(None)),
    'recommended': (RECOMMENDED, type(None)),
    'compiles': [COMPILE],
    'fingerprint': str,
}
COMMIT = {'id': str, 'dirty': bool}
REPORT = {
    'schema_version': int,
    'created': str,
    'command': [str],
    'versions': dict,
    'commit': (COMMIT, type(None)),
    'device': DEVICE,
    'results': [RECORD],
    'time': {'seconds': _NUMBER, 'compile_seconds': _NUMBER, 'threads': int},
}


def read(path: pathlib.Path) -> dict[str, Any]:
    """A report as this version of the program reads it.

    Version 1 did not know of several seeds: its records are of one. Before version 3, neither the
    commit was written nor what a step takes on the card alone, and no width of a bracket.

    Raises:
      InputError: it is missing, not JSON, or of another form.
    """
    report = read_json(path)
    if isinstance(report, dict) and report.get('schema_version') in (1, 2):
        results = report.get('results')
        for record in results if isinstance(results, list) else ():
            if isinstance(record, dict):
                _complete(record)
        report.setdefault('commit', None)
        report['schema_version'] = VERSION
    check(report, str(path))
    return report


def _complete(record: dict[str, Any]) -> None:
    record.setdefault('seeds', 1)
    record.setdefault('workspace_bytes', 0)
    largest, following = record.get('max_batch'), record.get('max_next')
    if isinstance(largest, int) and isinstance(following, int):
        record.setdefault('max_bracket', following - largest)
    record.setdefault('max_bracket', None)
    compiles = record.get('compiles')
    for item in compiles if isinstance(compiles, list) else ():
        if isinstance(item, dict):
            item.setdefault('workspace_bytes', 0)


def check(report: Any, source: str) -> None:
    """Checks the form of a report.

    Args:
      report: the value of the JSON file.
      source: the file, for the message.

    Raises:
      InputError: the first key that is missing, unknown or of the wrong type.
    """
    if isinstance(report, dict) and report.get('schema_version', VERSION) != VERSION:
        raise InputError(
            f'{source}: schema_version: found {report["schema_version"]}, expected {VERSION}'
        )
    _check(report, REPORT, source)


def _check(value: Any, form: Any, where: str) -> None:
    if isinstance(form, tuple) and not all(isinstance(part, type) for part in form):
        if value is None:
            return
        form = form[0]
    if isinstance(form, dict):
        _expect(isinstance(value, dict), value, 'an object', where)
        for key in (*form, *value):
            _expect(key in value, 'nothing', 'this key', f'{where}: {key}')
            _expect(key in form, 'an unknown key', 'none', f'{where}: {key}')
            _check(value[key], form[key], f'{where}: {key}')
    elif isinstance(form, list):
        _expect(isinstance(value, list), value, 'a list', where)
        for index, item in enumerate(value):
            _check(item, form[0], f'{where}[{index}]')
    else:
        # bool is an int in Python, not in a report.
        fits = isinstance(value, form) and (form is bool or not isinstance(value, bool))
        _expect(fits, repr(value), _name(form), where)


def _expect(condition: bool, found: Any, expected: str, where: str) -> None:
    if not condition:
        raise InputError(f'{where}: found {found}, expected {expected}')


def _name(form: Any) -> str:
    return ' or '.join(part.__name__ for part in (form if isinstance(form, tuple) else (form,)))
