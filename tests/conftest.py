"""Two fake CPU devices for every test, and the subprocesses that tests start; shared data."""

import os
import pathlib
import tempfile

import pytest

os.environ['JAX_PLATFORMS'] = 'cpu'
# Programs that tests compile are kept for the processes that they start, not in anyone's home.
_CACHE = tempfile.TemporaryDirectory()
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', _CACHE.name)
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0.2')
# LLVM's optimisation takes a third of the time of tests, whose programs run for milliseconds; what
# XLA itself does to a program, fusion and all, stays as it is.
os.environ['XLA_FLAGS'] = (
    '--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0'
)


@pytest.fixture
def shared() -> pathlib.Path:
    """Real clips, landmarks and labels beside the repository; a test is skipped without them."""
    folder = pathlib.Path(__file__).parent.parent.parent / 'shared' / 'data'
    if not folder.is_dir():
        pytest.skip('needs ../shared/data')
    return folder
