"""The GPU to plan for: the one that is here, or the description of one that is not.

A description is compiled for as if the GPU were present: XLA's GPU compiler needs the figures of a
chip, not the chip. Sources of the figures:

    XLA        openxla/xla, xla/backends/gpu/target_config/specs/*.txtpb, written by XLA's authors:
               a100_sxm_40, a100_sxm_80, h100_sxm, h200, b200.
    CUDA       "Compute Capabilities" in NVIDIA's CUDA C++ Programming Guide: what each capability
               allows a multiprocessor (`_CAPABILITIES`); XLA's files agree for 8.0, 9.0 and 10.0.
    NVIDIA     data sheets and architecture papers of Turing, Ampere, Ada and Blackwell:
               multiprocessors, L2, boost clock and memory bandwidth of the other rows. Of all
               rows the rates of dense products that are summed in float32, in bfloat16 and (as
               TF32) in float32; Turing has neither and computes both in float32.
    reported   `memory_bytes` is what the driver offers a process (cudaMemGetInfo's total), a few
               per cent below the size on the box: XLA's files, and for the other rows and the H200
               (whose file has the nominal 141 GiB) deviceQuery and out-of-memory messages in
               public reports, the lowest of those found.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax.experimental import topologies
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.models import nvidia

GIB = 1024**3
INSTALL = "pip install 'jax[cuda12]'"
# What XLA allows itself before it recomputes instead of storing: 0.8 of the device, without the
# arguments, and of that 0.95 (the figures behind it: docs/capacity.md).
_XLA_SHARE, _XLA_MARGIN = 0.8, 0.95
# What JAX takes of a GPU at start unless XLA_PYTHON_CLIENT_MEM_FRACTION says otherwise.
JAX_FRACTION = 0.75
# For `Lowered.compile` where the GPU is not here: tile sizes of Triton's products come from trying
# them out.
DESCRIBED_OPTIONS: dict[str, Any] = {'xla_gpu_enable_triton_gemm': False}


@dataclasses.dataclass(frozen=True)
class Gpu:
    """The figures of one GPU.

    Attributes:
      kind: the name that the driver, and so `jax.Device.device_kind`, gives it.
      capability: compute capability (major, minor).
      cores: multiprocessors.
      memory_bytes: what the driver offers a process.
      bandwidth: of the memory, bytes per second.
      l2_bytes: second-level cache.
      clock_ghz: boost clock.
      bfloat16_flops, float32_flops: of dense matrix products, per second.
    """

    kind: str
    capability: tuple[int, int]
    cores: int
    memory_bytes: int
    bandwidth: float
    l2_bytes: int
    clock_ghz: float
    bfloat16_flops: float
    float32_flops: float


def _gib(size: float) -> int:
    return int(size * GIB)


GPUS = {
    't4': Gpu('Tesla T4', (7, 5), 40, 15_843_721_216,
        320e9, 4 << 20, 1.59, 8.1e12, 8.1e12),
    'rtx3090': Gpu('NVIDIA GeForce RTX 3090', (8, 6), 82, _gib(23.56),
        936.2e9, 6 << 20, 1.695, 71e12, 35.6e12),
    'rtx4070super': Gpu('NVIDIA GeForce RTX 4070 SUPER', (8, 9), 56, _gib(11.49),
        504.2e9, 48 << 20, 2.475, 71e12, 35.5e12),
    'rtx4090': Gpu('NVIDIA GeForce RTX 4090', (8, 9), 128, _gib(23.52),
        1008e9, 72 << 20, 2.52, 165.2e12, 82.6e12),
    'rtx5090': Gpu('NVIDIA GeForce RTX 5090', (12, 0), 170, _gib(31.36),
        1792e9, 96 << 20, 2.407, 209.5e12, 104.8e12),
    'l4': Gpu('NVIDIA L4', (8, 9), 58, _gib(22.03),
        300e9, 48 << 20, 2.04, 121e12, 60e12),
    'l40s': Gpu('NVIDIA L40S', (8, 9), 142, _gib(44.39),
        864e9, 96 << 20, 2.52, 362e12, 183e12),
    'a100_40gb': Gpu('NVIDIA A100-SXM4-40GB', (8, 0), 108, 42_331_013_120,
        1555.2e9, 40 << 20, 1.41, 312e12, 156e12),
    'a100_80gb': Gpu('NVIDIA A100-SXM4-80GB', (8, 0), 108, 85_100_068_864,
        2039.04e9, 40 << 20, 1.41, 312e12, 156e12),
    'h100': Gpu('NVIDIA H100 80GB HBM3', (9, 0), 132, 84_942_979_072,
        3352.32e9, 50 << 20, 1.98, 989.4e12, 494.7e12),
    'h200': Gpu('NVIDIA H200', (9, 0), 132, _gib(139.80),
        4800e9, 50 << 20, 1.98, 989.4e12, 494.7e12),
    'b200': Gpu('NVIDIA B200', (10, 0), 148, 191_514_411_008,
        7672.32e9, 132_644_864, 1.965, 2250e12, 1125e12),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Capability:
    lanes: int  # float32 units of a multiprocessor
    threads: int  # resident threads of a multiprocessor
    shared: int  # bytes of shared memory of a multiprocessor
    shared_block: int  # of which one block may ask for


_CAPABILITIES = {
    (7, 5): _Capability(64, 1024, 65_536, 65_536),
    (8, 0): _Capability(64, 2048, 167_936, 166_912),
    (8, 6): _Capability(128, 1536, 102_400, 101_376),
    (8, 9): _Capability(128, 1536, 102_400, 101_376),
    (9, 0): _Capability(128, 2048, 233_472, 232_448),
    (10, 0): _Capability(128, 2048, 233_472, 232_448),
    (12, 0): _Capability(128, 1536, 102_400, 101_376),
}


@dataclasses.dataclass(frozen=True)
class Target:
    """What the probe compiles for.

    Attributes:
      kind: as in `Gpu.kind`.
      source: 'measured' (it is here) or 'described'.
      gpu: the figures of a described one; None when it is here.
      memory_bytes: of one device.
      memory_fraction: share of it that the allocator gets; None when the device itself said how
        much that is.
      budget_bytes: what one device may use for a step.
      recompute_bytes: where XLA starts to recompute of its own accord; None when it never does.
      devices: to compile for; steps can run on them only when the source is 'measured'.
      compiler_options: for `Lowered.compile`.
    """

    kind: str
    source: str
    gpu: Gpu | None
    memory_bytes: int
    memory_fraction: float | None
    budget_bytes: int
    recompute_bytes: int | None
    devices: Sequence[jax.Device]
    compiler_options: Mapping[str, Any]

    @property
    def is_here(self) -> bool:
        return self.source == 'measured'


def find(config: ConfigDict) -> Target:
    """The device that `config.probe` names.

    Raises:
      InputError: unknown name, no CUDA plugin for a described GPU, or no budget.
    """
    target = _local(config) if config.device == 'local' else _described(config)
    if target.budget_bytes <= 0:
        raise InputError(
            f'probe.reserve_bytes: found {config.reserve_bytes}, expected less than the '
            f'{target.budget_bytes + config.reserve_bytes} bytes that {target.kind} offers'
        )
    return target


def as_trained_on(gpu: Gpu | None, config: ConfigDict) -> ConfigDict:
    """The whole configuration as a training on a described GPU follows it.

    One that is older than the kernels for NVIDIA GPUs (`models/nvidia.py`) trains without them.
    """
    if gpu is None or gpu.capability >= nvidia.LEAST_CAPABILITY:
        return config
    config = config.copy_and_resolve_references()
    config.model.video_swin.attention = 'plain'
    return config


def describe(gpu: Gpu) -> str:
    """The text of XLA's GpuTargetConfigProto for a GPU."""
    per_core = _CAPABILITIES[gpu.capability]
    major, minor = gpu.capability
    return f"""
        gpu_device_info {{
          threads_per_block_limit: 1024
          threads_per_warp: 32
          shared_memory_per_block: 49152
          shared_memory_per_core: {per_core.shared}
          threads_per_core_limit: {per_core.threads}
          core_count: {gpu.cores}
          fpus_per_core: {per_core.lanes}
          block_dim_limit_x: 2147483647
          block_dim_limit_y: 65535
          block_dim_limit_z: 65535
          memory_bandwidth: {gpu.bandwidth:.0f}
          l2_cache_size: {gpu.l2_bytes}
          clock_rate_ghz: {gpu.clock_ghz}
          device_memory_size: {gpu.memory_bytes}
          shared_memory_per_block_optin: {per_core.shared_block}
          cuda_compute_capability {{ major: {major} minor: {minor} }}
          registers_per_core_limit: 65536
          registers_per_block_limit: 65536
        }}
        platform_name: "CUDA"
        dnn_version_info {{ major: 9 minor: 10 }}
        runtime_version {{ major: 12 minor: 8 }}
        device_description_str: "{gpu.kind}"
    """


def named(key: str, name: str) -> Gpu:
    """A row of the table.

    Raises:
      InputError: there is none of this name, which `key` of the configuration gives.
    """
    if name not in GPUS:
        raise InputError(f'{key}: found {name!r}, expected local or one of {", ".join(GPUS)}')
    return GPUS[name]


def topology_devices(gpu: Gpu, count: int, key: str = 'probe.device') -> Sequence[jax.Device]:
    """`count` devices of a GPU that is not here; programs compile for them and never run.

    Raises:
      InputError: JAX's CUDA plugin is not installed; `key` of the configuration asked for it.
    """
    try:
        topology = topologies.get_topology_desc(
            topology_name=gpu.kind,
            platform='cuda',
            target_config=describe(gpu),
            topology=f'1x1x{count}',
        )
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{key}: compiling for a GPU that is not here needs JAX's CUDA plugin "
            f'({_first_line(error)}); {INSTALL}'
        ) from None
    return topology.devices


def shapes_on(device: jax.Device, tree: Any) -> Any:
    """Arrays, or their shapes, as shapes on a device, present or described: what to lower for."""
    sharding = jax.sharding.SingleDeviceSharding(device)
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree
    )


def _described(config: ConfigDict) -> Target:
    gpu = named('probe.device', config.device)
    if config.num_devices < 1:
        raise InputError(f'probe.num_devices: found {config.num_devices}, expected 1 or more')
    memory = config.memory_bytes or gpu.memory_bytes
    return Target(
        kind=gpu.kind,
        source='described',
        gpu=gpu,
        memory_bytes=memory,
        memory_fraction=config.memory_fraction,
        budget_bytes=_budget(memory, config),
        recompute_bytes=_recompute_bytes(memory),
        devices=topology_devices(dataclasses.replace(gpu, memory_bytes=memory), config.num_devices),
        compiler_options=DESCRIBED_OPTIONS,
    )


def _local(config: ConfigDict) -> Target:
    devices = jax.local_devices()
    stats = devices[0].memory_stats()
    if stats is not None and not config.memory_bytes:
        memory, fraction = _memory_of(stats['bytes_limit']), None
        budget = stats['bytes_limit'] - config.reserve_bytes
    elif config.memory_bytes:
        memory, fraction = config.memory_bytes, config.memory_fraction
        budget = _budget(memory, config)
    else:
        raise InputError(
            f'probe.memory_bytes: found 0, expected the bytes to plan for: '
            f'{devices[0].device_kind} does not say how much memory it has'
        )
    return Target(
        kind=devices[0].device_kind,
        source='measured',
        gpu=None,
        memory_bytes=memory,
        memory_fraction=fraction,
        budget_bytes=budget,
        recompute_bytes=_recompute_bytes(memory) if devices[0].platform == 'gpu' else None,
        devices=devices,
        compiler_options={},
    )


def _budget(memory: int, config: ConfigDict) -> int:
    if not 0 < config.memory_fraction <= 1:
        raise InputError(
            f'probe.memory_fraction: found {config.memory_fraction}, expected above 0 and up to 1'
        )
    return int(memory * config.memory_fraction) - config.reserve_bytes


def _memory_of(bytes_limit: int) -> int:
    # The allocator's limit is a fraction of the device; XLA's own limit counts the whole of it.
    fraction = float(os.environ.get('XLA_PYTHON_CLIENT_MEM_FRACTION', JAX_FRACTION))
    return int(bytes_limit / fraction)


def _recompute_bytes(memory: int) -> int:
    return int(memory * _XLA_SHARE * _XLA_MARGIN)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
