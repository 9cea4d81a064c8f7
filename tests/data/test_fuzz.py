"""Damaged archives and folders: an InputError of one line, or the right clips, and nothing else.

POSEVID_FUZZ_CASES=20000 runs more than the 2,000 cases of every day.
"""

import collections
import contextlib
import os
import pathlib
import resource
import shutil

import numpy as np
import pytest

from posevid_jax.data import manifest
from posevid_jax.data.npz import read_clips
from posevid_jax.data.shards import write_shards
from posevid_jax.errors import InputError
from tests.data.mutations import mutate_file, mutate_folder
from tests.data.test_npz import F, J, T, archive

CASES = int(os.environ.get('POSEVID_FUZZ_CASES', 2000))
KINDS = {'archive': 0.6, 'folder': 0.25, 'shards': 0.15}
MEMORY = 256 * 2**20  # that reading a few kilobytes may take, whatever they claim to hold


def originals(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """A healthy set of each kind, with its manifest."""
    paths = {kind: folder / kind / f'set{".npz" * (kind == "archive")}' for kind in KINDS}
    for path in paths.values():
        path.parent.mkdir(parents=True)
    np.savez_compressed(paths['archive'], **archive())
    rng = np.random.default_rng(1)
    for number in range(3):
        path = paths['folder'] / f'person{number % 2}' / f'{number}.npz'
        path.parent.mkdir(parents=True, exist_ok=True)
        clip = {'features': rng.normal(size=(T + number, F)), 'mask': rng.random(T + number) < 0.9}
        joints = {'joints': rng.random((T + number, J, 3)), 'joint_names': np.array(list('abcd'))}
        np.savez(path, **clip, **joints, label=number % 2, fps=25, video_size=[640, 480])
    write_shards(paths['shards'], [read_clips(paths['archive'], prefix='long')], shard_bytes=2000)
    for path in paths.values():
        manifest.write(path)
    return paths


@contextlib.contextmanager
def limited_memory(more: int):
    """Allocations fail beyond what the process has plus `more` bytes."""
    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * os.sysconf('SC_PAGE_SIZE') + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def read(path: pathlib.Path, **options) -> str | None:
    """The fingerprint of the clips, None when they are refused."""
    try:
        return read_clips(path, prefix='long', **options).fingerprint()
    except InputError as error:
        message = str(error)
        assert len(message.splitlines()) == 1, message
        assert path.name in message and 'fit in memory' not in message, message
        return None


@pytest.mark.filterwarnings('error')
def test_damage_is_refused_or_harmless(tmp_path, monkeypatch):
    paths = originals(tmp_path / 'originals')
    healthy = {kind: read(path, check='require') for kind, path in paths.items()}
    assert None not in healthy.values()
    work = tmp_path / 'work'
    monkeypatch.chdir(tmp_path)
    outcomes = collections.Counter()
    for case in range(CASES):
        rng = np.random.default_rng((0, case))
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        shutil.copytree(paths[kind].parent, work, symlinks=True)
        path = work / paths[kind].name
        mutate = mutate_file if kind == 'archive' else mutate_folder
        done = [mutate(path, rng) for _ in range(rng.integers(1, 3)) if path.exists()]
        if rng.random() < 0.1 and manifest.location(path).is_file():
            done.append(mutate_file(manifest.location(path), rng))
        on_error = rng.choice(['raise', 'skip'])
        try:
            with limited_memory(MEMORY):
                unchecked = read(path, on_error=on_error, check='off')
                checked = read(path, on_error=on_error, check='require')
        except BaseException:
            print(f'case {case}: {kind}, {done}')
            raise
        assert checked in (None, healthy[kind]), f'case {case}: {kind}, {done}'
        outcomes[f'{kind} ' + ('read' if unchecked else 'refused')] += 1
        outcomes['with manifest ' + ('read' if checked else 'refused')] += 1
        shutil.rmtree(work)
    assert not (tmp_path / 'exploded').exists()
    print(f'{CASES} cases: {dict(sorted(outcomes.items()))}')
    # Of every kind some was noticed and some was harmless.
    assert len(outcomes) == 2 * (len(KINDS) + 1)
