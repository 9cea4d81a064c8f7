"""The real training step, compiled for GPUs that are not here.

    JAX_PLATFORMS=cpu python -m pytest -m cuda_aot

Needs the cuda12 or cuda13 extra: XLA's GPU compiler is part of JAX's plugin, the GPU is not.
"""

import functools
import re

import jax
import numpy as np
import pytest

from configs import video_swin
from posevid_jax.capacity import devices, kernels, memory
from posevid_jax.errors import InputError
from posevid_jax.features.scaling import fit_scaler
from posevid_jax.machine import parallel
from posevid_jax.models import classifier, families
from posevid_jax.modes import bench_described
from posevid_jax.training import optim, steps
from posevid_jax.training import state as states

pytestmark = pytest.mark.cuda_aot

BATCH, FRAMES, FEATURES, DEVICES = 16, 75, 36, 4


@pytest.fixture(scope='module', autouse=True)
def compiler():
    try:
        devices.topology_devices(devices.GPUS['h200'], 1)
    except InputError as error:
        pytest.skip(str(error))


def batch_shapes(*leading):
    def array(shape, dtype):
        return jax.ShapeDtypeStruct((*leading, *shape), dtype)

    return {
        'features': array((FRAMES, FEATURES), np.float32),
        'mask': array((FRAMES, FEATURES), np.bool_),
        'label': array((), np.int32),
        'fps': array((), np.float32),
        'weight': array((), np.float32),
        'valid': array((), np.float32),
    }


@functools.cache
def training_step():
    """The step of configs/video_swin.py:tiny and its abstract state."""
    config = video_swin.get_config('tiny')
    model = classifier.build(config, num_classes=2, joint_names=())
    schedule = optim.learning_rate(config.train, 100)
    optimizer = optim.optimizer(config.train, schedule, families.of(config))
    example = {k: np.zeros(v.shape, v.dtype) for k, v in batch_shapes(1).items()}
    scaler = fit_scaler(example['features'], example['mask'])
    state = jax.eval_shape(lambda: states.create(model, optimizer, scaler, example, 0))
    return steps.make_train_step(model, optimizer, schedule, config.train), state


@functools.cache
def compiled(gpu, count):
    step, state = training_step()
    target = devices.topology_devices(devices.GPUS[gpu], count)
    layout = parallel.Parallel('jit' if count == 1 else 'pmap', target)
    rng = jax.eval_shape(lambda: jax.random.key(0))
    if count == 1:
        state, batch, rng = devices.shapes_on(target[0], (state, batch_shapes(BATCH), rng))
    else:
        batch = batch_shapes(count, BATCH // count)
    lowered = layout.compile_train(step).lower(state, batch, rng)
    return lowered.compile(compiler_options=devices.DESCRIBED_OPTIONS)


@pytest.mark.parametrize(
    ('gpu', 'count'),
    [('h200', 1), ('rtx4070super', DEVICES)],
    ids=['jit', 'pmap'],
)
def test_the_step_compiles_for_a_gpu_with_few_sums_no_doubles_and_its_state_donated(gpu, count):
    program = compiled(gpu, count)
    text = program.as_text()
    assert 'f64[' not in text
    found = memory.of_compiled(program)
    assert found.recomputed == 0
    assert found.all_reduces == 0 if count == 1 else 1 <= found.all_reduces <= 8
    _, state = training_step()
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    assert found.alias == state_bytes
    if count > 1:
        assert re.search(r'replica_groups=(\{\{0,1,2,3\}\}|\[1,4\])', text)


# What docs/gpu.md reports, and some slack.
def test_small_clips_in_float32_take_few_kernels():
    program = compiled('h200', 1).as_text()
    work = kernels.total(kernels.kernels(program))
    assert work.kernels <= 460
    assert work.bytes <= 1.15e9


def test_large_windows_in_bfloat16_never_write_their_scores():
    config = video_swin.get_config('tiny')
    config.model.dtype = 'bfloat16'
    config.model.video_swin.patch_size = (2, 4, 4)
    config.bench.clip_shape = (32, 112, 112, 3)
    layout = parallel.Parallel('jit', devices.topology_devices(devices.GPUS['h200'], 1))
    program = bench_described.compile_step(config.lock(), 32, layout)
    found = kernels.kernels(program.as_text())
    work = kernels.total(found)
    assert work.kernels <= 620
    assert work.bytes <= 18.3e9
    assert kernels.by_kind(found)['attention'].kernels == 2 * sum((2, 2, 6, 2))
