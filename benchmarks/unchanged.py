"""Whether training still writes the very numbers that it wrote at another commit.

    python -m benchmarks.unchanged --base=main [--data=$CLIPS/train_clips.npz]

Trains configs/demo.py, and with --data also two epochs of configs/stat_pool.py and
configs/video_swin.py on these clips, once with this tree and once with a checkout of the base, both
on the CPU. `history.json` and `metrics.jsonl` must then be equal bit for bit, but for what stands
under a key `time`. Prints what differs; exit code 1 when anything does.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).parents[1]
FILES = ('history.json', 'metrics.jsonl')
MOST_SHOWN = 5  # differences of one file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', required=True, help='The commit to compare with.')
    parser.add_argument('--data', type=pathlib.Path, help='An archive of clips to train on too.')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with checkout(arguments.base, folder / 'base') as base:
            different = [
                name
                for name, options in trainings(arguments.data).items()
                if not same(name, options, {arguments.base: base, 'this tree': ROOT}, folder)
            ]
    return 1 if different else 0


def trainings(data: pathlib.Path | None) -> dict[str, list[str]]:
    """What is trained: options of main.py by configuration."""
    found = {'demo': []}
    if data:
        options = [f'--config.data.train={data.resolve()}', '--config.train.num_epochs=2']
        found |= {'stat_pool': options, 'video_swin': options}
    return found


@contextlib.contextmanager
def checkout(commit: str, path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A worktree of a commit, which is gone when the block ends."""
    git = ['git', '-C', str(ROOT), 'worktree']
    subprocess.run([*git, 'add', '--quiet', '--detach', str(path), commit], check=True)
    try:
        yield path
    finally:
        subprocess.run([*git, 'remove', '--force', str(path)], check=True)


def same(
    name: str, options: list[str], trees: dict[str, pathlib.Path], folder: pathlib.Path
) -> bool:
    """Trains a configuration in each of two trees, and prints how what they wrote differs."""
    workdirs = [folder / f'{name}_{number}' for number in range(len(trees))]
    for tree, workdir in zip(trees.values(), workdirs, strict=True):
        train(tree, name, options, workdir)
    equal = True
    for file in FILES:
        found = differences(*(workdir / file for workdir in workdirs))
        verdict = f'{len(found)} values differ' if found else 'the same'
        print('\n'.join([f'{name}/{file}: {verdict}', *found[:MOST_SHOWN]]), flush=True)
        equal &= not found
    return equal


def differences(before: pathlib.Path, now: pathlib.Path) -> list[str]:
    """The values in which two files of records differ, a line each."""
    old, new = (dict(leaves(read(path))) for path in (before, now))
    return [
        f'  {key}: {old.get(key, "missing")}, now {new.get(key, "missing")}'
        for key in old | new
        if old.get(key) != new.get(key)
    ]


def train(tree: pathlib.Path, name: str, options: list[str], workdir: pathlib.Path) -> None:
    """One training by the main.py of a tree.

    Raises:
      SystemExit: it failed.
    """
    command = [sys.executable, 'main.py', f'--config=configs/{name}.py', f'--workdir={workdir}']
    environment = os.environ | {'PYTHONPATH': str(tree), 'JAX_PLATFORMS': 'cpu'}
    done = subprocess.run(
        [*command, *options],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f'{done.stdout}\n{tree}: {" ".join(command)} failed')


def read(path: pathlib.Path) -> Any:
    """What a JSON file holds, or a list of what the lines of a .jsonl file hold."""
    if path.suffix == '.jsonl':
        return [json.loads(line) for line in path.read_text().splitlines()]
    return json.loads(path.read_text())


def leaves(value: Any, path: str = '') -> Iterator[tuple[str, str]]:
    """The numbers and words of a record as text, with where each stands; without times.

    Text, because a NaN is not equal to itself, and because 0.0 is equal to -0.0.
    """
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if key != 'time':
                yield from leaves(item, f'{path}.{key}' if path else str(key))
    else:
        yield path, repr(value)


if __name__ == '__main__':
    sys.exit(main())
