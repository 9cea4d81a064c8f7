"""The device to plan for: its budget, its description, and what is wrong with a wrong one."""

import re

import jax
import pytest

from configs import probe as probe_config
from posevid_jax.capacity import devices
from posevid_jax.errors import InputError


def settings(**changed):
    section = probe_config.get_config().probe
    section.update(changed)
    return section


class Stats:
    """A device that says how much memory it has."""

    device_kind = 'NVIDIA Test'
    platform = 'gpu'

    def memory_stats(self):
        return {'bytes_limit': 9_000}


def test_the_table_holds_the_gpus_people_have():
    expected = {
        'rtx3090', 'rtx4070super', 'rtx4090', 'rtx5090', 't4', 'l4', 'l40s', 'a100_40gb',
        'a100_80gb', 'h100', 'h200', 'b200',
    }  # fmt: skip
    assert expected <= set(devices.GPUS)
    kinds = [gpu.kind for gpu in devices.GPUS.values()]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize('name', devices.GPUS)
def test_a_description_is_complete_and_plausible(name):
    gpu = devices.GPUS[name]
    text = devices.describe(gpu)
    fields = dict(re.findall(r'(\w+): (\S+)', text))
    assert int(fields['core_count']) == gpu.cores
    assert int(fields['device_memory_size']) == gpu.memory_bytes
    assert int(fields['shared_memory_per_block_optin']) <= int(fields['shared_memory_per_core'])
    assert f'major: {gpu.capability[0]} minor: {gpu.capability[1]}' in text
    assert text.count('{') == text.count('}')
    # Bytes, not GB, and a rate, not GB/s.
    assert 10e9 < gpu.memory_bytes < 200e9
    assert 250e9 < gpu.bandwidth < 10e12
    assert 8e12 <= gpu.float32_flops <= gpu.bfloat16_flops < 3e15


def test_the_budget_is_what_the_local_device_says(monkeypatch):
    monkeypatch.setattr(jax, 'local_devices', lambda: [Stats()])
    target = devices.find(settings(reserve_bytes=1_000))
    assert (target.source, target.budget_bytes) == ('measured', 8_000)
    assert target.memory_bytes == 12_000  # of which JAX took 0.75
    monkeypatch.setenv('XLA_PYTHON_CLIENT_MEM_FRACTION', '0.9')
    assert devices.find(settings(reserve_bytes=1_000)).memory_bytes == 10_000


def test_configured_bytes_replace_what_the_device_says(monkeypatch):
    monkeypatch.setattr(jax, 'local_devices', lambda: [Stats()])
    target = devices.find(settings(memory_bytes=4_000, memory_fraction=0.5, reserve_bytes=100))
    assert target.budget_bytes == 1_900


@pytest.mark.parametrize(
    ('changed', 'named'),
    [
        ({}, 'probe.memory_bytes'),  # a CPU does not say
        ({'device': 'rtx9999'}, 'probe.device: found .rtx9999., expected local or one of'),
        ({'memory_bytes': 10**9, 'memory_fraction': 0.0}, 'probe.memory_fraction'),
        ({'memory_bytes': 10**9, 'reserve_bytes': 10**9}, 'probe.reserve_bytes'),
        ({'device': 'h200', 'num_devices': 0}, 'probe.num_devices'),
    ],
)
def test_what_cannot_be_planned_for_is_named(changed, named):
    with pytest.raises(InputError, match=named):
        devices.find(settings(**changed))


def test_without_the_plugin_the_message_has_the_install_line(monkeypatch):
    def missing(**_):
        raise NotImplementedError('topology not implemented for cuda')

    monkeypatch.setattr(devices.topologies, 'get_topology_desc', missing)
    with pytest.raises(InputError, match=r'probe.device: .*CUDA plugin.*pip install') as caught:
        devices.find(settings(device='h200'))
    assert '\n' not in str(caught.value)
