"""The same numbers on every run of one configuration, on a GPU too.

On a CPU they always are. On a GPU, XLA by default sums with atomic operations, in any order, and
times several algorithms to pick one; its flag excludes the former and stops the latter. What
remains is the same program on the same kind and number of devices, with the same versions.
"""

import os

_FLAG = '--xla_gpu_deterministic_ops'


def apply(deterministic: bool) -> None:
    """Sets XLA's flag; must come before the first use of a device, which reads it.

    Args:
      deterministic: `train.deterministic`; False leaves the flags as the caller has them.
    """
    flags = os.environ.get('XLA_FLAGS', '')
    if deterministic and _FLAG not in flags:
        os.environ['XLA_FLAGS'] = f'{flags} {_FLAG}=true'.strip()
