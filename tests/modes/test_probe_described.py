"""Mode probe for a GPU that is not here, with a fake in place of its compiler."""

import jax
import pytest

from configs import probe as probe_config
from posevid_jax.capacity import assignment, devices
from posevid_jax.capacity.devices import Target
from posevid_jax.capacity.memory import StepMemory
from posevid_jax.modes.probe import probe

MB = 10**6
BUDGET = 1000 * MB
WORKSPACE = 32 * 1024**2
PER_CLIP = {'off': 1_000_000, 'light': 1_002_000, 'full': 1_003_000}


def config():
    c = probe_config.get_config()
    c.model.name = 'stat_pool'
    c.model.stat_pool.hidden_sizes = (8,)
    c.data.synthetic.num_videos = 6
    c.data.synthetic.clips_per_video = 8
    c.data.synthetic.num_frames = 8
    c.parallel = 'jit'
    return c.lock()


def needed(pack, batch):
    return 20 * MB + PER_CLIP[pack] * batch


def probed(workdir, gpu='h200'):
    """The report, and the configurations that were compiled."""
    compiled = []

    def compile_apart(config, batch):
        compiled.append(config)
        temp = needed(config.features.pack, batch)
        return StepMemory(0, 0, temp, 0, recomputed=0, all_reduces=0, doubles=0)

    target = Target(
        kind=devices.GPUS[gpu].kind, source='described', gpu=devices.GPUS[gpu],
        memory_bytes=2 * BUDGET, memory_fraction=0.5, budget_bytes=BUDGET,
        recompute_bytes=int(1.01 * BUDGET), devices=jax.devices()[:1], compiler_options={},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, 'compile_apart', compile_apart)
        patch.setattr(devices, 'find', lambda settings: target)
        return probe(config(), workdir), compiled


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    return probed(tmp_path_factory.mktemp('probe'))[0]


@pytest.mark.parametrize(('gpu', 'form'), [('t4', 'plain'), ('a100_40gb', 'auto')])
def test_a_card_older_than_the_kernels_trains_without_them(tmp_path, gpu, form):
    _, compiled = probed(tmp_path, gpu)
    assert {of.model.video_swin.attention for of in compiled} == {form}


def test_the_largest_batch_leaves_room_for_what_only_the_card_takes(report):
    for record in report['results']:
        fits, fails = (record[key] for key in ('best_batch', 'best_next'))
        assert fails == fits + 8
        assert needed(record['pack'], fits) + WORKSPACE <= BUDGET
        assert needed(record['pack'], fails) + WORKSPACE > BUDGET
        assert record['workspace_bytes'] == WORKSPACE
        assert record['peak_bytes'] == needed(record['pack'], fits)
        assert record['verified'] is None


def test_the_first_pack_takes_five_compiles_and_shows_the_others_the_way(report):
    assert [record['pack'] for record in report['results']] == ['off', 'light', 'full']
    compiles = [len(record['compiles']) for record in report['results']]
    assert compiles[0] <= 5  # one of them looks for a plateau
    assert max(compiles[1:]) <= 3
