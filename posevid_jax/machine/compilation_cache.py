"""Compiled programs are kept on disk, so that the second start of a configuration is quick."""

import hashlib
import os
import pathlib
import platform

import jax

_CPU_INFO = pathlib.Path('/proc/cpuinfo')


def enable(folder: str) -> None:
    """Keeps programs in a folder; must come before the first compilation.

    A folder named by `JAX_COMPILATION_CACHE_DIR` in the environment takes precedence.

    Args:
      folder: `compilation_cache`; '' for none.
    """
    if not folder or 'JAX_COMPILATION_CACHE_DIR' in os.environ:
        return
    place = pathlib.Path(folder).expanduser() / _machine()
    jax.config.update('jax_compilation_cache_dir', str(place))
    jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.2)
    # A folder that cannot be written costs time, not the run: JAX warns and compiles.


def _machine() -> str:
    """A name for machines whose CPUs run the same programs.

    JAX's key of a program does not tell CPUs apart, and home directories are shared.
    """
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.exists() else []
    flags = next((line for line in lines if line.startswith(('flags', 'Features'))), '')
    digest = hashlib.sha256(flags.encode()).hexdigest()[:8]
    return f'{platform.machine()}-{digest}'
