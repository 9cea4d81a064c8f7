"""Mode probe: the largest batch of each size and feature pack, known before training.

    python main.py --mode=probe --config=configs/probe.py --workdir=DIR

writes DIR/capacity_report.json; docs/capacity.md says how to read it.
"""

import concurrent.futures
import datetime
import itertools
import math
import pathlib
import time
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from posevid_jax.capacity import assignment, devices, on_device, schema, workspaces
from posevid_jax.capacity import record as records
from posevid_jax.capacity.candidate import Candidate, platform_of
from posevid_jax.capacity.devices import Target
from posevid_jax.capacity.search import Answer, Measurement, search
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import GrowingTable, number
from posevid_jax.features import motion
from posevid_jax.models import families
from posevid_jax.runs.environment import environment
from posevid_jax.runs.files import write_json

REPORT = 'capacity_report.json'


def probe(config: ConfigDict, workdir: pathlib.Path) -> dict[str, Any]:
    """Answers for every (size, pack) of `config.probe`, prints the table and writes the report.

    Args:
      config: the whole configuration, as for training; the probe varies size and pack.
      workdir: directory of the report; other files in it are left alone.

    Returns:
      the report, see `schema`.

    Raises:
      InputError: an unknown name, a budget that nothing fits into, a missing plugin, a directory
        that cannot be written. No report is written then.
    """
    _check(config)
    _check_writable(workdir)
    target = devices.find(config.probe)
    config = devices.as_trained_on(target.gpu, config)
    made_with, started = environment(), time.perf_counter()
    print(_opening(target, config), flush=True)
    rows = _Rows(config, target)
    found = rows.measure()
    if not any(record['max_batch'] for record in found):
        smallest = min(
            (item['bytes'] for r in found for item in r['compiles'] if item['bytes'] is not None),
            default=0,
        )
        raise InputError(
            f'probe: not even {config.probe.multiple_of} clips per device fit: the smallest step '
            f'takes {smallest} bytes, {target.kind} has a budget of {target.budget_bytes}'
        )
    report = _report(config, target, found, made_with, time.perf_counter() - started)
    schema.check(report, REPORT)
    write_json(workdir / REPORT, report)
    print(workdir / REPORT)
    return report


def pairs(config: ConfigDict) -> list[tuple[str | None, str]]:
    """The (size, pack) to answer for, those of `config.probe`: None for a family of one size, and
    the pack `off` alone for a network that reads no packed features."""
    family = families.of(config)
    sizes = config.probe.sizes if family.sizes else (None,)
    packs = config.probe.packs if family.inputs(config).reads_numbers else ('off',)
    return list(itertools.product(sizes, packs))


def _check(config: ConfigDict) -> None:
    settings, family = config.probe, families.of(config)
    for key, known in (('sizes', family.sizes), ('packs', motion.PACKS)):
        unknown = [name for name in settings[key] if name not in known]
        if known and (unknown or not settings[key]):
            raise InputError(
                f'probe.{key}: found {", ".join(unknown) or "none"}, '
                f'expected some of {", ".join(known)}'
            )
    for key in ('multiple_of', 'first_batch', 'max_batch', 'threads', 'ladder', 'timed_steps'):
        if settings[key] < 1:
            raise InputError(f'probe.{key}: found {settings[key]}, expected 1 or more')
    if not 0 <= settings.bracket < 1:
        raise InputError(f'probe.bracket: found {settings.bracket}, expected 0 up to below 1')


def _check_writable(workdir: pathlib.Path) -> None:
    # Before minutes of compiling: the report is the only result.
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        trial = workdir / f'.{REPORT}'
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise InputError(f'{workdir}: cannot be written ({error.strerror})') from None


class _Searched(NamedTuple):
    record: dict[str, Any]
    answer: Answer


class _Rows:
    """The rows of the table, on their way to records."""

    def __init__(self, config: ConfigDict, target: Target):
        self._config = config
        self._target = target
        self._multiple = math.lcm(config.probe.multiple_of, config.train.micro_batches)

    def measure(self) -> list[dict[str, Any]]:
        rows = pairs(self._config)
        table = GrowingTable(_HEADER, [size or self._config.model.name for size, _ in rows])
        searches: dict[tuple[str | None, str], concurrent.futures.Future[_Searched]] = {}
        with concurrent.futures.ThreadPoolExecutor(self._config.probe.threads) as threads:
            # Bytes hardly depend on the pack, so the first of each size shows the others the way.
            leading = rows[0][1]
            for row in sorted(rows, key=lambda row: row[1] != leading):
                guide = searches.get((row[0], leading))
                searches[row] = threads.submit(self._search, *row, guide, table)
        found = [searches[row].result().record for row in rows]
        if self._target.is_here:
            # The device's peak only ever rises: from the smallest prediction to the largest.
            for record in sorted(found, key=lambda record: record['peak_bytes'] or 0):
                self._run(record)
                table.add(_row(record))
        return found

    def _row_config(self, size: str | None, pack: str) -> ConfigDict:
        config = self._config.copy_and_resolve_references()
        config.features.pack = pack
        if size is not None:
            config.model.size = size
        return config

    def _candidate(self, size: str | None, pack: str) -> Candidate:
        config = self._row_config(size, pack)
        return Candidate(config, self._target.kind, tuple(self._target.devices))

    def _search(
        self,
        size: str | None,
        pack: str,
        guide: 'concurrent.futures.Future[_Searched] | None',
        table: GrowingTable,
    ) -> _Searched:
        settings, target = self._config.probe, self._target
        candidate, config = self._candidate(size, pack), self._row_config(size, pack)
        known = guide.result().answer if guide else None
        gained = known is None or known.best != known.largest
        compiles = []

        def measure(batch: int) -> Measurement:
            started = time.perf_counter()
            if target.gpu is None:
                found, workspace = candidate.compile(batch, dict(target.compiler_options)), 0
            else:
                found = assignment.compile_apart(config, batch)
                elements = found.attention_elements if found else 0
                workspace = workspaces.estimate(target.gpu, candidate.largest_parameter, elements)
            needed = found and found.bytes + workspace
            compiles.append(
                {
                    'batch': batch,
                    'bytes': found and found.bytes,
                    'workspace_bytes': workspace,
                    'recomputed': found.recomputed if found else 0,
                    'fits': needed is not None and needed <= target.budget_bytes,
                    'all_reduces': found.all_reduces if found else 0,
                    'seconds': round(time.perf_counter() - started, 1),
                }
            )
            return Measurement(needed, found.recomputed if found else 0)

        answer = search(
            measure,
            target.budget_bytes,
            fixed_bytes=round(known.line.fixed) if known else candidate.state_bytes,
            multiple=self._multiple,
            first=known.best.batch if known and known.best else settings.first_batch,
            limit=settings.max_batch,
            # Where it gained nothing for one pack, it gains nothing for another.
            recompute_bytes=target.recompute_bytes if gained else None,
            prove=settings.prove,
            tolerance=settings.bracket,
        )
        fingerprint = candidate.fingerprint(platform_of(target.devices[0]))
        record = records.of_answer(answer, candidate, compiles, fingerprint)
        if not target.is_here:
            table.add(_row(record))
        return _Searched(record, answer)

    def _run(self, record: dict[str, Any]) -> None:
        settings, best = self._config.probe, record['best_batch']
        if not best:
            return
        candidate = self._candidate(record['size'], record['pack'])
        rungs = [
            on_device.throughput(candidate, batch, settings.timed_steps)
            for batch in on_device.ladder(best, self._multiple, settings.ladder)
        ]
        knee = on_device.knee(rungs)
        record['ladder'] = [rung._asdict() for rung in rungs]
        record['throughput_clips_per_s'] = rungs[-1].clips_per_s
        record['knee_batch'] = knee
        if knee is not None:
            why = 'the smallest batch within 5 % of the best measured throughput'
            record['recommended'] = records.recommended(knee, candidate, 'knee_batch', why)
        if settings.verify:
            record['verified'] = on_device.verify(candidate, best, record['peak_bytes'])


def _report(
    config: ConfigDict,
    target: Target,
    records: list[dict[str, Any]],
    made_with: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    compiling = math.fsum(item['seconds'] for record in records for item in record['compiles'])
    return {
        'schema_version': schema.VERSION,
        'created': datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ'),
        'command': made_with['command'],
        'versions': made_with['versions'],
        'commit': made_with['commit'],
        'device': {
            'kind': target.kind,
            'source': target.source,
            'memory_bytes': target.memory_bytes,
            'memory_fraction': target.memory_fraction,
            'reserve_bytes': config.probe.reserve_bytes,
            'budget_bytes': target.budget_bytes,
            'platform': platform_of(target.devices[0]),
        },
        'results': records,
        'time': {
            'seconds': round(seconds, 1),
            'compile_seconds': round(compiling, 1),
            'threads': config.probe.threads,
        },
    }


def _opening(target: Target, config: ConfigDict) -> str:
    return (
        f'{len(target.devices)} x {target.kind} ({target.source}), '
        f'{target.budget_bytes / 1e9:.1f} GB per device to fit into; batches are per device and '
        f'multiples of {config.probe.multiple_of}'
    )


_HEADER = (
    'size', 'pack', 'best', 'GB', 'max', 'within', 'GB', 'repeated', 'MB/clip', 'clips/s', 'knee',
    'recommended', 'compiles', 's',
)  # fmt: skip


def _row(record: dict[str, Any]) -> list[str]:
    recommended = record['recommended']
    peak, largest = (record[key] and record[key] / 1e9 for key in ('peak_bytes', 'max_peak_bytes'))
    return [
        record['size'] or record['model'],
        record['pack'],
        str(record['best_batch']),
        number(peak, '.2f', '-'),
        str(record['max_batch']),
        number(record['max_bracket'], 'd', '-'),
        number(largest, '.2f', '-'),
        str(record['max_recomputed']),
        f'{record["bytes_per_clip"] / 1e6:.2f}',
        number(record['throughput_clips_per_s'], '.1f', '-'),
        number(record['knee_batch'], 'd', '-'),
        number(recommended and recommended['batch'], 'd', '-'),
        str(len(record['compiles'])),
        f'{math.fsum(item["seconds"] for item in record["compiles"]):.0f}',
    ]
