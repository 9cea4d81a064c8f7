"""Two fake CPU devices for every test, and the subprocesses that tests start; shared data."""

import gc
import importlib.util
import mmap
import os
import pathlib
import tempfile

import pytest


def known(flag: str) -> bool:
    """Whether the installed XLA has a flag; one that it does not know would end the process."""
    jaxlib = importlib.util.find_spec('jaxlib')
    assert jaxlib is not None and jaxlib.origin is not None
    library = pathlib.Path(jaxlib.origin).with_name('libjax_common.so')
    if not library.exists():
        return False
    with (
        library.open('rb') as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        # As a string of its own: the name alone outlives the flag, in a description of protocols.
        return content.find(b'\0%b\0' % flag.encode()) >= 0


os.environ['JAX_PLATFORMS'] = 'cpu'
# Programs that tests compile are kept for the processes that they start, not in anyone's home.
_CACHE = tempfile.TemporaryDirectory()
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', _CACHE.name)
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0')
# Compiling takes most of the time of tests, whose programs run for milliseconds. Without LLVM's
# optimisation it is shorter by a third, and with XLA's older way to emit fusions by half of the
# rest; what XLA does to a program before that, fusion and all, stays as it is.
os.environ['XLA_FLAGS'] = ' '.join(
    [
        '--xla_force_host_platform_device_count=2',
        '--xla_backend_optimization_level=0',
        '--xla_cpu_use_fusion_emitters=false' * known('xla_cpu_use_fusion_emitters'),
    ]
)


# Files that take half a minute and more. They come first, so that no core works alone at the end.
LONG = ('test_command_line', 'test_export', 'test_soak', 'test_processes', 'test_micro_batches')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)


# What JAX traces is many small objects, which the collector would look through again and again.
gc.set_threshold(200_000, 100, 1000)


@pytest.fixture
def shared() -> pathlib.Path:
    """Real clips, landmarks and labels beside the repository; a test is skipped without them."""
    folder = pathlib.Path(__file__).parent.parent.parent / 'shared' / 'data'
    if not folder.is_dir():
        pytest.skip('needs ../shared/data')
    return folder
