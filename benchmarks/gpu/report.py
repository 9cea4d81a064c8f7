"""What all parts have found, as one JSON file and as tables."""

import datetime
import pathlib
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any

from benchmarks.gpu.parts import PARTS, Row
from posevid_jax.evaluation.table import Table
from posevid_jax.runs.files import read_json, write_json, write_text

_MOST_COLUMNS = 20  # of a table; the JSON file has everything


def about() -> dict[str, Any]:
    """GPU, driver and packages, without taking the GPU; `gpu` is None where there is none."""
    asked = 'name,driver_version,memory.total,compute_cap'
    command = ['nvidia-smi', f'--query-gpu={asked}', '--format=csv,noheader']
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        gpu = found.stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        gpu = None
    names = ('torch', 'torchvision', 'jax-cuda12-plugin', 'jax-cuda13-plugin')
    packages = {name: _version(name) for name in names}
    return {
        'date': datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds'),
        'command': ['python', '-m', 'benchmarks.gpu', *sys.argv[1:]],
        'gpu': gpu,
        'host': platform.platform(),
        'packages': {name: version for name, version in packages.items() if version},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ''


def write(out: pathlib.Path, said: dict[str, Any]) -> None:
    """Writes `out/gpu.json` and `out/gpu.txt` of the parts that have files there."""
    paths = {part: out / f'{part.name}.json' for part in PARTS}
    records = {part: read_json(path) for part, path in paths.items() if path.exists()}
    write_json(out / 'gpu.json', said | {'parts': list(records.values())})
    lines = [f'{said["gpu"] or "no NVIDIA GPU"}, {said["host"]}, {said["date"]}']
    for part, record in records.items():
        title = f'{part.name}, {part.title}: {record["status"]} {record.get("error", "")}'.strip()
        rows = [_flat(row) for row in record['rows']]
        header = list(dict.fromkeys(key for row in rows for key in row))[:_MOST_COLUMNS]
        cells = [[_cell(row.get(key, '')) for key in header] for row in rows]
        lines += ['', *(Table(title, header, cells).lines() if cells else [title])]
    write_text(out / 'gpu.txt', '\n'.join(lines) + '\n')


def _flat(row: Row) -> Row:
    """Numbers of a record inside a row stand beside the others."""
    found: Row = {}
    for key, value in row.items():
        found |= _flat(value) if isinstance(value, dict) else {key: value}
    return found


def _cell(value: Any) -> str:
    return f'{value:.5g}' if isinstance(value, float) else str(value)
