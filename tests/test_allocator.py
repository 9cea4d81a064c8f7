"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from posevid_jax import allocator
if {kept}:
    allocator.keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8_000_000)
before = faults()
for _ in range(4):
    np.ones(8_000_000)
print(faults() - before)
"""


def faults(kept):
    command = [sys.executable, '-c', PROGRAM.format(kept=kept)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='malloc is not that of glibc')
def test_a_freed_array_of_64_megabytes_is_not_paged_in_again():
    # The four arrays have 62,500 pages of 4 KB, or 124 of 2 MB.
    assert faults(kept=True) < 60 < faults(kept=False)
