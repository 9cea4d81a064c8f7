"""Two fake CPU devices for every test, and the subprocesses that tests start."""

import os
import pathlib

import pytest

os.environ['JAX_PLATFORMS'] = 'cpu'
os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'


@pytest.fixture(scope='session')
def shared() -> pathlib.Path:
    """The folder of real clips beside the repository."""
    folder = pathlib.Path(__file__).parent.parent.parent / 'shared'
    if not (folder / 'data').is_dir():
        pytest.skip(f'{folder / "data"} is not there')
    return folder
