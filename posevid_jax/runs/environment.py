"""Command, versions, commit and devices of this process."""

import contextlib
import os
import pathlib
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any

_PACKAGES = ('posevid-jax', 'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'grain', 'numpy')
# Environment variables that change how fast a step is, or what it computes.
_VARIABLES = ('GLIBC_TUNABLES', 'XLA_FLAGS')


def program() -> str:
    """How this program is started: `python main.py`, or `posevid` where it is installed."""
    return 'python main.py' if pathlib.Path(sys.argv[0]).name == 'main.py' else 'posevid'


def environment() -> dict[str, Any]:
    """Command, variables, versions, commit and devices, for reproduce.json."""
    versions = {'python': platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    import jax  # which modes that only read files do without

    devices = jax.devices()
    return {
        'command': [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        'variables': {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)},
        'versions': versions,
        'commit': _commit(),
        'device': {'kind': devices[0].device_kind, 'count': len(devices)},
        'processes': jax.process_count(),
    }


def _commit() -> dict[str, Any] | None:
    """Commit and whether files differ from it; None outside a git checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ['git', *arguments],
            cwd=pathlib.Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        return {'id': git('rev-parse', 'HEAD'), 'dirty': bool(git('status', '--porcelain'))}
    except (OSError, subprocess.CalledProcessError):
        return None
