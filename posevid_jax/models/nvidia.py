"""Whether programs for NVIDIA GPUs may hold kernels of this project's own choice."""

from importlib import util

import jax

LEAST_CAPABILITY = (8, 0)
"""Compute capability of the Ampere generation."""


def available() -> bool:
    """Whether a program with cuDNN's attention or with kernels in Triton can be made here.

    That takes JAX's plugin, and no GPU; one that is here must be of the Ampere generation or later.
    """
    if not (util.find_spec('jax_cuda12_plugin') or util.find_spec('jax_cuda13_plugin')):
        return False
    if jax.default_backend() != 'gpu':
        return True
    capability = getattr(jax.devices()[0], 'compute_capability', '0.0')
    return tuple(map(int, capability.split('.'))) >= LEAST_CAPABILITY
