"""The training step compiled for GPUs that are not here: what the probe relies on.

Needs JAX's CUDA plugin: `pip install -e '.[cuda12]'`, then `pytest -m cuda_aot`.
"""

import functools
import json

import jax
import pytest

from configs import probe as probe_config
from posevid_jax.capacity import assignment, devices, schema
from posevid_jax.capacity.candidate import Candidate
from posevid_jax.errors import InputError
from posevid_jax.modes.probe import probe

MAX_ALL_REDUCES = 8


@functools.cache
def plugin_missing():
    try:
        devices.topology_devices(devices.GPUS['h200'], 1)
    except InputError as error:
        return str(error)
    return None


@pytest.fixture(autouse=True)
def plugin():
    if plugin_missing():
        pytest.skip(plugin_missing())


pytestmark = pytest.mark.cuda_aot


def config(device='h200', num_devices=1, **overrides):
    c = probe_config.get_config()
    c.data.synthetic.num_videos = 4
    c.data.synthetic.clips_per_video = 4
    c.model.size = 'tiny'
    c.features.pack = 'light'
    c.probe.device = device
    c.probe.num_devices = num_devices
    c.update_from_flattened_dict({key.replace('__', '.'): v for key, v in overrides.items()})
    return c.lock()


@functools.cache
def compiled(batch, device='h200', num_devices=1, **overrides):
    """The step at a batch, and the state's bytes; each compiled once for all tests."""
    target = devices.find(config(device, num_devices).probe)
    candidate = Candidate(config(device, num_devices, **overrides), target.kind, target.devices)
    return candidate.compile(batch, dict(target.compiler_options)), candidate


def test_what_is_known_before_kernels_are_generated_is_what_the_whole_compile_says():
    for batch, dtype in ((128, 'float32'), (320, 'float32'), (128, 'bfloat16')):
        changed = {'model__dtype': dtype}
        apart = assignment.compile_apart(config(**changed), batch)
        assert apart == compiled(batch, **changed)[0]


def assert_on_a_line(sizes):
    """The two smallest batches predict the third."""
    (a, a_bytes), (b, b_bytes), (c, c_bytes) = sorted(sizes.items())[:3]
    predicted = a_bytes + (b_bytes - a_bytes) * (c - a) / (b - a)
    assert predicted == pytest.approx(c_bytes, rel=0.02)


def test_a_line_through_two_batches_predicts_a_third():
    assert_on_a_line({batch: compiled(batch)[0].bytes for batch in (128, 320, 512)})


@pytest.mark.parametrize(
    'overrides',
    [{'model__video_swin__remat': (True, True, True, True)}, {'model__dtype': 'bfloat16'}],
    ids=['remat', 'bfloat16'],
)
def test_remat_and_bfloat16_lower_the_bytes(overrides):
    assert compiled(512, **overrides)[0].bytes < 0.8 * compiled(512)[0].bytes


@pytest.mark.parametrize(('device', 'count'), [('h200', 1), ('h200', 4), ('rtx4070super', 4)])
def test_the_state_is_donated_and_the_gradients_are_summed_together(device, count):
    found, candidate = compiled(128, device, count)
    assert candidate.num_devices == count
    assert found.alias == candidate.state_bytes
    assert found.all_reduces <= MAX_ALL_REDUCES
    assert (found.all_reduces > 0) == (count > 1)
    assert found.doubles == 0
    assert found.recomputed == 0


def test_four_devices_take_the_bytes_of_one_and_of_their_all_reduces():
    one, candidate = compiled(128)
    four, _ = compiled(128, 'h200', 4)
    assert one.bytes < four.bytes < one.bytes + 3 * candidate.parameter_bytes


def test_the_probe_answers_for_a_card_that_is_not_here(tmp_path):
    chosen = config(
        'rtx4070super', probe__sizes=('tiny',), probe__packs=('light',), probe__first_batch=128
    )
    probe(chosen, tmp_path)
    report = json.loads((tmp_path / 'capacity_report.json').read_text())
    schema.check(report, 'report')
    assert report['device']['kind'] == 'NVIDIA GeForce RTX 4070 SUPER'
    assert report['device']['source'] == 'described'
    (record,) = report['results']
    trials = {item['batch']: item for item in record['compiles']}
    assert trials[record['best_batch']]['fits']
    assert trials[record['best_batch']]['recomputed'] == 0
    following = trials[record['best_next']]
    assert not following['fits'] or following['recomputed']
    clean = {batch: item['bytes'] for batch, item in trials.items() if not item['recomputed']}
    assert_on_a_line(clean)
    assert following['batch'] == record['best_batch'] + 8
    assert len(trials) <= 5
    assert record['workspace_bytes'] > 0
    assert trials[record['max_batch']]['fits']
    assert record['max_batch'] >= record['best_batch'] > 0
    assert record['throughput_clips_per_s'] is None
    assert record['knee_batch'] is None
    assert jax.default_backend() == 'cpu'  # nothing of it ran
