"""What an NVIDIA GPU does with this project, in one command: parity, bytes, speed, whole runs.

    python -m benchmarks.gpu --minutes=8 --out=DIR

walks the table of `benchmarks/gpu/parts.py`, each part in a process of its own with a limit of its
own. DIR/PART.json is written row by row, so that what was found stays when a part is cut; given
again, the command goes on with the parts that are not done. DIR/gpu.json and DIR/gpu.txt, a table,
join them. `--dry` walks the same code at toy size on a CPU.
"""

import argparse
import contextlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

from benchmarks.gpu import report
from benchmarks.gpu.parts import PARTS, Part
from posevid_jax.runs.files import read_json, write_json

_DRY_SLOWER = 3  # a CPU compiles in its spare time
_LEAST_SECONDS = 15  # that are left for a part; with less, it is not begun


def main() -> int:
    """Runs what is missing; returns the exit code, 1 where a part has failed."""
    parser = argparse.ArgumentParser('python -m benchmarks.gpu', description=__doc__)
    parser.add_argument('--minutes', type=float, default=8, help='in which all is to be done')
    parser.add_argument('--out', type=pathlib.Path, required=True, help='folder of the results')
    parser.add_argument('--dry', action='store_true', help='toy size, on a CPU')
    parser.add_argument('--data', default='', help='an archive of clips to train on')
    parser.add_argument('--parts', default='', help='some of them, with commas')
    asked = parser.parse_args()
    names = [name for name in asked.parts.split(',') if name] or [part.name for part in PARTS]
    unknown = sorted(set(names) - {part.name for part in PARTS})
    if unknown:
        parser.error(f'--parts: found {unknown[0]}, expected {", ".join(p.name for p in PARTS)}')
    started, end = time.monotonic(), time.monotonic() + 60 * asked.minutes
    asked.out.mkdir(parents=True, exist_ok=True)
    about = report.about()
    if not asked.dry and about['gpu'] is None:
        parser.error('found no NVIDIA GPU (nvidia-smi); --dry walks the same code on a CPU')
    for part in (part for part in PARTS if part.name in names):
        if _status(asked.out, part, asked.dry) != 'done':
            _run(part, asked.out, asked.dry, asked.data, end)
            report.write(asked.out, about)
    report.write(asked.out, about)
    print((asked.out / 'gpu.txt').read_text())
    print(f'{asked.out}/gpu.json, {time.monotonic() - started:.0f} s')
    # On a slow card, time may run out; a dry run is to walk all of it.
    bad = ('failed', 'cut', 'no time') if asked.dry else ('failed',)
    chosen = [part for part in PARTS if part.name in names]
    return int(any(_status(asked.out, part, asked.dry) in bad for part in chosen))


def _status(out: pathlib.Path, part: Part, dry: bool) -> str:
    """As the part's file says; '' without one, or with one of another size."""
    path = out / f'{part.name}.json'
    if not path.exists():
        return ''
    record = read_json(path)
    return record['status'] if record.get('dry', dry) == dry else ''


def _run(part: Part, out: pathlib.Path, dry: bool, data: str, end: float) -> None:
    """Runs a part in its time, and writes why it has not run to its end."""
    path = out / f'{part.name}.json'
    record: dict[str, Any] = {'part': part.name, 'dry': dry, 'rows': []}
    missing = [name for name in part.needs if importlib.util.find_spec(name) is None]
    if missing:
        print(f'{part.name}: skipped, {", ".join(missing)} is not installed', flush=True)
        write_json(path, record | {'status': 'skipped', 'error': f'no {missing[0]}'})
        return
    limit = part.seconds * (_DRY_SLOWER if dry else 1)
    left = min(limit, end - time.monotonic())
    if left < _LEAST_SECONDS:
        print(f'{part.name}: no time is left', flush=True)
        write_json(path, record | {'status': 'no time'})
        return
    print(f'{part.name}: {part.title}, at most {left:.0f} s', flush=True)
    path.unlink(missing_ok=True)
    command = [sys.executable, '-m', 'benchmarks.gpu.one', part.name, str(out)]
    command += ['--dry'] * dry + ([f'--data={data}'] if data else [])
    # A part that was cut finds what it has compiled when it is run again.
    given = os.environ | {'JAX_COMPILATION_CACHE_DIR': str((out / 'cache').absolute())}
    if dry or part.on_host:
        given['JAX_PLATFORMS'] = 'cpu'
    with (out / f'{part.name}.log').open('w') as log:
        process = subprocess.Popen(
            command, env=given, stdout=log, stderr=log, start_new_session=True
        )
        try:
            process.wait(left)
            why = f'ended with code {process.returncode}'
        except subprocess.TimeoutExpired:
            why = 'out of time'
        finally:
            _kill(process)
    record = read_json(path) if path.exists() else record
    if record.get('status') not in ('done', 'failed'):
        status = 'cut' if why == 'out of time' else 'failed'
        write_json(path, record | {'status': status, 'error': why})
    print(f'{part.name}: {_status(out, part, dry)}', flush=True)


def _kill(process: 'subprocess.Popen[bytes]') -> None:
    """Ends a part with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


if __name__ == '__main__':
    sys.exit(main())
