"""One part of the proof, in a process of its own: see `benchmarks.gpu`.

    python -m benchmarks.gpu.one PART OUT [--dry] [--data=CLIPS]

writes OUT/PART.json after each row.
"""

import argparse
import datetime
import importlib
import pathlib
import time
import traceback

from benchmarks.gpu import parts
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('part')
    parser.add_argument('out', type=pathlib.Path)
    parser.add_argument('--dry', action='store_true')
    parser.add_argument('--data', default='')
    asked = parser.parse_args()
    part, started = parts.find(asked.part), time.monotonic()
    record = {'part': part.name, 'status': 'running', 'dry': asked.dry, 'rows': []}
    record['date'] = datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds')

    def write(status: str) -> None:
        record.update(status=status, seconds=round(time.monotonic() - started, 1))
        write_json(asked.out / f'{part.name}.json', record)

    module, _, function = part.function.partition(':')
    try:
        make = getattr(importlib.import_module(f'benchmarks.gpu.{module}'), function)
        for row in make(parts.Context(asked.dry, asked.out / part.name, asked.data)):
            record['rows'].append(row)
            write('running')
        record['environment'] = environment()  # only now, as it takes the device
        write('done')
    except Exception as error:  # whatever a card brings: the next part is still to come
        traceback.print_exc()
        record['error'] = f'{type(error).__name__}: {error}'[:2000]
        write('failed')


if __name__ == '__main__':
    main()
