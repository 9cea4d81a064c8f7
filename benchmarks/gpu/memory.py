"""What a step needs: predicted by the compiler, and measured by running it."""

import itertools
from collections.abc import Iterator

import jax
from ml_collections import ConfigDict

from benchmarks.gpu.parts import Context, Row
from configs import probe as probe_config
from posevid_jax.capacity import on_device
from posevid_jax.capacity.candidate import Candidate
from posevid_jax.modes import probe

_DRY = {
    'model.name': 'stat_pool',
    'model.stat_pool.hidden_sizes': (8,),
    'data.synthetic.num_videos': 6,
    'data.synthetic.clips_per_video': 8,
    'data.synthetic.num_frames': 8,
    'probe.memory_bytes': 20_000_000,
    'probe.memory_fraction': 1.0,
    'probe.reserve_bytes': 0,
    'probe.first_batch': 16,
}


def _config(dry: bool, size: str, pack: str) -> ConfigDict:
    config = probe_config.get_config()
    config.model.size, config.features.pack, config.parallel = size, pack, 'jit'
    config.probe.sizes, config.probe.packs = (size,), (pack,)
    config.probe.ladder, config.probe.timed_steps = 1, 3
    config.update_from_flattened_dict(_DRY if dry else {})
    return config


def predicted_rows(context: Context) -> Iterator[Row]:
    """Six (size, pack, batch), from the smallest: a device tells the peak of the process."""
    sizes, packs = ('tiny', 'small'), ('off', 'light', 'full')
    for size, pack in itertools.product(sizes, packs):
        batch = (8 if context.dry else 32) * (1 + sizes.index(size))
        config = _config(context.dry, size, pack)
        device = jax.devices()[0]
        candidate = Candidate(config, device.device_kind, (device,))
        predicted = candidate.compile(batch, {})
        about = {'size': size, 'pack': pack}
        if predicted is None:
            yield about | {'batch': batch, 'error': 'out of memory'}
        else:
            yield about | on_device.verify(candidate, batch, predicted.bytes)


def largest_rows(context: Context) -> Iterator[Row]:
    """What the probe says of this device, and what happens at its largest batch and the next."""
    config = _config(context.dry, 'tiny', 'light')
    report = probe.probe(config, context.folder)
    found = report['results'][0]
    yield {
        'what': 'probe',
        'best_batch': found['best_batch'],
        'max_batch': found['max_batch'],
        'max_next': found['max_next'],
        'verified': found['verified'],
        'compiles': len(found['compiles']),
        'seconds': report['time']['seconds'],
    }
    device = jax.devices()[0]
    candidate = Candidate(config, device.device_kind, (device,))
    for what in ('max_batch', 'max_next'):
        batch = found[what]
        if batch:
            rung = on_device.throughput(candidate, batch, 1)
            yield {'what': what, 'batch': batch, 'clips_per_s': rung.clips_per_s}
