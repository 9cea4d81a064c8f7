"""Training takes its batch size from a report, or splits one that does not fit."""

import contextlib
import pathlib
import shlex
import sys
from collections.abc import Generator
from typing import Any

import jax
from ml_collections import ConfigDict

from posevid_jax.capacity import memory, schema
from posevid_jax.capacity.candidate import Candidate, platform_of
from posevid_jax.errors import InputError
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models import families
from posevid_jax.runs.environment import program

_REPLACED = ('config.train.batch_size', 'config.train.capacity_report', 'config.train.num_seeds')


def resolve(config: ConfigDict) -> ConfigDict:
    """Settles `train.batch_size` and `train.micro_batches`, and says how.

    Without `train.capacity_report` the configuration stays as it is. With one, a batch size of 0
    becomes what the report recommends for this model on these devices, no more than there are
    training clips; one that does not fit is divided into the fewest micro-batches that do, with
    the global batch, and so the schedule, unchanged.

    Args:
      config: the whole configuration of a training.

    Returns:
      a configuration without a report to resolve.

    Raises:
      InputError: there is no report to take the batch size from, or it has no record of this
        training, or an outdated one.
    """
    train = config.train
    if not train.capacity_report:
        if train.batch_size == 0:
            raise InputError(
                'train.batch_size: found 0, expected 1 or more, or train.capacity_report=PATH to '
                f'take it from; a report is made by: {probe_command(config)}'
            )
        return config
    candidate = _candidate(config)
    path = pathlib.Path(train.capacity_report)
    report = schema.read(path)
    record = _record(path, report, candidate, config)
    config = config.copy_and_resolve_references()
    config.train.capacity_report = ''
    if train.batch_size == 0:
        config.train.batch_size = _adopted(path, record, candidate)
    else:
        config.train.micro_batches = _divided(path, report, record, candidate, train.batch_size)
    return config


@contextlib.contextmanager
def out_of_memory_explained(config: ConfigDict) -> Generator[None]:
    """Turns an out-of-memory error of a training into one line: the numbers, and what to do.

    Raises:
      InputError: in place of the error of the device.
    """
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if not memory.ran_out(error):
            raise
        raise InputError(_explanation(config)) from error


def probe_command(config: ConfigDict) -> str:
    """The command that makes the report this training needs, from the command that is running."""
    sizes = (config.model.size,) if families.of(config).sizes else config.probe.sizes
    seeds = config.train.num_seeds
    kept, arguments = [], iter(sys.argv[1:])
    for argument in arguments:
        name, _, value = argument.lstrip('-').partition('=')
        # A value may stand apart from its flag.
        values = [] if value else [next(arguments, '')]
        if name not in _REPLACED and name.startswith('config'):
            kept += [argument, *values]
    return ' '.join(
        [
            f'{program()} --mode=probe --workdir=DIR',
            *map(shlex.quote, kept),
            *([f'--config.train.num_seeds={seeds}'] if seeds > 1 else []),
            shlex.quote(f'--config.probe.sizes={tuple(sizes)!r}'),
            shlex.quote(f'--config.probe.packs={(config.features.pack,)!r}'),
        ]
    )


def _candidate(config: ConfigDict) -> Candidate:
    devices = Parallel(config.parallel).devices
    return Candidate(config, devices[0].device_kind, tuple(devices))


def _record(
    path: pathlib.Path, report: dict[str, Any], candidate: Candidate, config: ConfigDict
) -> dict[str, Any]:
    """The record of this training, if it is there and still true."""
    remedy = f'a new report is made by: {probe_command(config)}'
    device = candidate.parallel.devices[0]
    if report['device']['kind'] != device.device_kind:
        raise InputError(
            f'{path}: device: found {report["device"]["kind"]}, expected {device.device_kind}; '
            f'{remedy}'
        )
    wanted = candidate.identity._asdict()

    def differing(record: dict[str, Any]) -> list[str]:
        return [key for key, value in wanted.items() if record[key] != value]

    record = min(report['results'], key=lambda record: len(differing(record)), default=None)
    if record is None or differing(record):
        differences = (
            'no record'
            if record is None
            else ', '.join(
                f'{key} {record[key]} where this training has {wanted[key]}'
                for key in differing(record)
            )
        )
        raise InputError(f'{path}: no record matches, the nearest has {differences}; {remedy}')
    if record['fingerprint'] != candidate.fingerprint(platform_of(device)):
        raise InputError(
            f'{path}: fingerprint: the training step, JAX or the device has changed since the '
            f'report was made on {report["created"]}; {remedy}'
        )
    if record['recommended'] is None:
        raise InputError(f'{path}: no batch of this training fits on {device.device_kind}')
    return record


def _adopted(path: pathlib.Path, record: dict[str, Any], candidate: Candidate) -> int:
    recommended, count = record['recommended'], candidate.num_devices
    clips, unit = len(candidate.experiment.train), count * record['micro_batches']
    wanted = recommended['batch'] * count
    batch_size = min(wanted, max(clips // unit, 1) * unit)
    capped = f', no more than the {clips} training clips' if batch_size < wanted else ''
    print(
        f'{path}: train.batch_size {batch_size}: {recommended["which"]} {recommended["batch"]} '
        f'x {count} device(s){capped} ({recommended["why"]})'
    )
    return batch_size


def _divided(
    path: pathlib.Path,
    report: dict[str, Any],
    record: dict[str, Any],
    candidate: Candidate,
    batch_size: int,
) -> int:
    candidate.parallel.check_batch_size('train.batch_size', batch_size)
    share = batch_size // candidate.num_devices
    budget = report['device']['budget_bytes']
    if share <= record['max_batch']:
        again = ', with recomputation by the compiler' if share > record['best_batch'] else ''
        print(f'{path}: train.batch_size {batch_size}: {share} clips per device fit{again}')
        return record['micro_batches']
    if record['micro_batches'] > 1:
        raise InputError(
            f'train.micro_batches: found {record["micro_batches"]}, but {share} clips per device '
            f'do not fit; with 1 and a report for it they are divided as needed'
        )
    for pieces in range(2, share + 1):
        piece = share // pieces
        if share % pieces or piece > record['best_batch']:
            continue
        # Beside a piece there are the rest of the batch and the gradient summed so far.
        needed = (
            record['fixed_bytes']
            + record['bytes_per_clip'] * piece
            + record['parameter_bytes']
            + candidate.clip_bytes * (share - piece)
        )
        if needed <= budget:
            print(
                f'{path}: train.batch_size {batch_size}: {share} clips per device do not fit '
                f'(at most {record["max_batch"]}), so each step works through {pieces} '
                f'micro-batches of {piece}; global batch and schedule are unchanged'
            )
            return pieces
    raise InputError(
        f'train.batch_size: found {batch_size}, {share} per device, and no micro-batch of it fits '
        f'into the {budget} bytes of {report["device"]["kind"]}'
    )


def _explanation(config: ConfigDict) -> str:
    devices = Parallel(config.parallel).devices
    share = config.train.batch_size // len(devices) // config.train.micro_batches
    stats = devices[0].memory_stats()
    limit = ''
    if stats is not None:
        limit = (
            f' of {stats["bytes_limit"]} bytes ({stats["bytes_in_use"]} in use, '
            f'{stats["peak_bytes_in_use"]} at most so far)'
        )
    return (
        f'train.batch_size: found {config.train.batch_size}, {share} clips per device at a time, '
        f'which ran out of the memory{limit} of {devices[0].device_kind}; the last checkpoint is '
        f'as it was. What fits is found by: {probe_command(config)}; then use '
        f'--config.train.capacity_report=DIR/capacity_report.json'
    )
