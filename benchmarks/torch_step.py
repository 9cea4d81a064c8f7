"""How much faster a training step is than plain PyTorch's on the same machine, in one run.

    pip install -e '.[test,torch]'
    python -m benchmarks.torch_step --config=configs/video_swin.py:legacy \
        "--config.bench.batch_sizes=(16,64)"

Both sides train the same network (checked first against the published numbers in tests/data/parity)
on inputs of `bench.clip_shape`, in float32, forward, backward, gradient clip and AdamW; our side is
the step that `--mode=bench` times. Each side is a process of its own, so that neither has the
other's threads and memory, and a round of one is followed by a round of the other, so that a
machine whose speed drifts slows both down. Our side runs in huge pages where `main.py` does; a
`GLIBC_TUNABLES` in the environment holds for both.
"""

import json
import subprocess
import sys
import time

from posevid_jax.machine import huge_pages

if __name__ == '__main__' and '--side=ours' in sys.argv:
    huge_pages.restart()  # as main.py does, before the imports

import jax
import numpy as np
import torch
from absl import app, flags
from ml_collections import config_flags
from torch import nn

from posevid_jax.machine.parallel import Parallel
from posevid_jax.models.video_swin import SIZES
from posevid_jax.modes import bench, bench_network
from tests.models.test_parity import FOLDER, NAMES, group
from tests.models.torch_swin import Swin

_CONFIG = config_flags.DEFINE_config_file('config', 'configs/video_swin.py:tiny')
_SIDE = flags.DEFINE_enum('side', None, ('ours', 'theirs'), 'Set by this program itself.')
_ROUNDS = 3


def main(_):
    config = _CONFIG.value
    if _SIDE.value:
        serve(config, _SIDE.value)
        return
    check_parity()
    print(f'{torch.get_num_threads()} threads, PyTorch {torch.__version__}, JAX {jax.__version__}')
    sides = {side: start(side) for side in ('ours', 'theirs')}
    for batch_size in config.bench.batch_sizes:
        times, rates = {side: [] for side in sides}, []
        for _ in range(_ROUNDS):
            for side, process in sides.items():
                count = config.bench.steps if side == 'ours' else max(config.bench.steps // 3, 1)
                taken, rate = ask(process, batch_size, count)
                times[side] += taken
                rates += rate
        ours_ms, theirs_ms = (1e3 * np.median(times[side]) for side in ('ours', 'theirs'))
        print(
            f'batch {batch_size}: PyTorch {theirs_ms:.0f} ms, ours {ours_ms:.0f} ms, '
            f'ratio {theirs_ms / ours_ms:.2f}; matmul {np.median(rates):.0f} GFLOP/s',
            flush=True,
        )


def start(side):
    """A process of this program that answers `ask`."""
    command = [sys.executable, '-m', 'benchmarks.torch_step', *sys.argv[1:], f'--side={side}']
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(process, batch_size, count):
    """Seconds of `count` steps and, of our side, the rate of a matrix product before them."""
    print(batch_size, count, file=process.stdin, flush=True)
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit('a side ended, see above')
    return json.loads(answer)


def serve(config, side):
    """Answers `ask` until standard input ends."""
    steps = {}
    for line in sys.stdin:
        batch_size, count = map(int, line.split())
        if batch_size not in steps:
            steps = {batch_size: (our_step if side == 'ours' else torch_step)(config, batch_size)}
        rate = [bench.matmul_rate('float32')] if side == 'ours' else []
        print(json.dumps([seconds(steps[batch_size], count), rate]), flush=True)


def seconds(step, count):
    """Of `count` steps, after one to warm up."""
    step()
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        step()
        taken.append(time.perf_counter() - started)
    return taken


def our_step(config, batch_size):
    step, create, batch = bench_network.network_step(config, batch_size)
    state, rng = jax.jit(create)(), jax.random.key(0)
    compiled = Parallel('jit').compile_train(step)

    def run():
        nonlocal state
        state, _ = jax.block_until_ready(compiled(state, batch, rng))

    return run


def torch_step(config, batch_size, device='cpu', dtype=torch.float32, wrap=lambda model: model):
    """A step of the tests' Swin; `wrap` may compile the model."""
    frames, rows, columns, channels = config.bench.clip_shape
    swin = config.model.video_swin
    model = Swin(
        channels=channels, patch=swin.patch_size, window=swin.window_size, outputs=1,
        legacy=swin.layout == 'legacy', **SIZES[config.model.size],
    )  # fmt: skip
    x = torch.randn(batch_size, channels, frames, rows, columns)
    return training_step(wrap(model.to(device)), x.to(device), config.train, dtype)


def training_step(model, x, train, dtype=torch.float32):
    """Forward, backward, gradient clip and AdamW of a model with one logit a clip."""
    optimizer = torch.optim.AdamW(
        model.parameters(), train.learning_rate, weight_decay=train.weight_decay
    )
    label = torch.randint(0, 2, (len(x), 1)).float().to(x.device)

    def run():
        optimizer.zero_grad()
        with torch.autocast(x.device.type, dtype, enabled=dtype != torch.float32):
            logits = model(x)
        nn.functional.binary_cross_entropy_with_logits(logits.float(), label).backward()
        if train.grad_clip:
            nn.utils.clip_grad_norm_(model.parameters(), train.grad_clip)
        optimizer.step()
        if x.is_cuda:
            torch.cuda.synchronize()

    return run


def check_parity():
    """Raises AssertionError when the PyTorch side is not the published network."""
    for name in NAMES:
        file = np.load(FOLDER / f'{name}.npz')
        sizes = json.loads(str(file['config']))
        legacy = name.startswith('legacy')
        model = Swin(
            channels=sizes['in_chans'], embed_dim=sizes['embed_dim'], depths=sizes['depths'],
            num_heads=sizes['num_heads'], patch=(2, 4, 4) if legacy else sizes['patch_size'],
            window=tuple(sizes['window_size']), outputs=sizes['num_classes'], legacy=legacy,
        ).double()  # fmt: skip
        model.load_published(group(file, 'state/'))
        x = torch.from_numpy(np.asarray(file['input'], np.float64))
        logits = model(x.transpose(1, 2) if legacy else x).detach().numpy()
        np.testing.assert_allclose(logits, file['logits'], rtol=1e-6, atol=1e-9)


if __name__ == '__main__':
    app.run(main)
