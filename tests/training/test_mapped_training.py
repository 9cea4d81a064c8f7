"""Training on a folder of shards holds a small part of it in memory."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.npz import read_clips, write_clips
from posevid_jax.data.shards import write_shards
from posevid_jax.training import loop
from tests import toy

# Wide clips: many bytes for few steps.
FRAMES, FEATURES, CLIPS = 64, 512, 1800
SMAPS = pathlib.Path('/proc/self/smaps_rollup')

# Trains on a small folder, then on a large one, and prints the most memory that was not a mapped
# file (which the system takes back as it likes) in each run: the difference is what the data costs.
PROGRAM = """
import json, pathlib, sys, threading, time
from posevid_jax.training import loop
from tests import toy

def anonymous():
    lines = pathlib.Path('/proc/self/smaps_rollup').read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith('Anonymous'))

peaks = []
def watch():
    while True:
        peaks[-1] = max(peaks[-1], anonymous())
        time.sleep(0.05)

for run, clips in enumerate(sys.argv[2:]):
    peaks.append(anonymous())
    if not run:
        threading.Thread(target=watch, daemon=True).start()
    config = toy.config(
        data__train=clips, train__num_epochs=1, train__batch_size=32, parallel='jit'
    )
    loop.train_and_evaluate(config, pathlib.Path(sys.argv[1]) / str(run))
print(json.dumps(peaks))
"""


def some_clips(num_clips: int, seed: int):
    rng = np.random.default_rng(seed)
    return from_arrays(
        source=f'part{seed}',
        features=rng.standard_normal((num_clips, FRAMES, FEATURES), np.float32),
        label=rng.integers(0, 2, num_clips),
        video_id=[str(v) for v in rng.integers(0, 12, num_clips)],
        in_place=True,
    )


@pytest.mark.skipif(not SMAPS.exists(), reason=f'needs {SMAPS}')
def test_memory_stays_far_below_the_data(tmp_path):
    write_shards(tmp_path / 'small', [some_clips(64, seed=0)])
    parts = (some_clips(CLIPS // 12, seed) for seed in range(12))
    write_shards(tmp_path / 'large', parts, shard_bytes=2**26)
    data_bytes = sum(file.stat().st_size for file in (tmp_path / 'large').iterdir())
    folders = [str(tmp_path / name) for name in ('small', 'large')]
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(tmp_path / 'runs'), *folders],
        capture_output=True, text=True, timeout=600,
        cwd=pathlib.Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    small, large = json.loads(done.stdout.splitlines()[-1])
    print(f'data {data_bytes / 1e6:.0f} MB, memory {large / 1e6:.0f} MB, {small / 1e6:.0f} without')
    # Read into memory, the data would cost all of it at least.
    assert large - small < data_bytes / 2


def test_a_run_is_the_same_from_memory_and_from_shards(tmp_path):
    features = np.random.default_rng(0).normal(size=(48, 16, 5))
    label = (features[:, :, 0].mean(1) > 0).astype(int)
    clips = from_arrays(
        source='toy', features=features, label=label, video_id=[str(i // 4) for i in range(48)]
    )
    write_clips(tmp_path / 'toy.npz', clips, 'long')
    from_memory = read_clips(tmp_path / 'toy.npz', prefix='long')
    write_shards(tmp_path / 'toy', [from_memory.select(range(i, i + 16)) for i in (0, 16, 32)])
    results = [
        loop.train_and_evaluate(
            toy.config(data__train=str(tmp_path / name), features__zscore='per_video'),
            tmp_path / 'runs' / name,
        )
        for name in ('toy.npz', 'toy')
    ]
    assert results[0].source != results[1].source
    assert results[0] == dataclasses.replace(results[1], source=results[0].source)
    data = [
        json.loads((tmp_path / 'runs' / name / 'reproduce.json').read_text())['data']
        for name in ('toy.npz', 'toy')
    ]
    assert data[0] == data[1]
