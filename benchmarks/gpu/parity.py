"""Logits, features and gradients beside numbers of the PyTorch implementations."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp

from benchmarks.gpu.parts import Context, Row
from tests.models import test_parity

# Of logits, relative to the largest one.
_ALLOWED = {'float32': 1e-4, 'bfloat16': 1e-2}


def rows(context: Context) -> Iterator[Row]:
    """The worst tensor of each file, in each dtype."""
    for name in test_parity.NAMES[: 1 if context.dry else None]:
        for dtype, allowed in _ALLOWED.items():
            errors = test_parity.errors(name, jnp.dtype(dtype))
            worst = max(errors, key=errors.__getitem__)
            yield {
                'file': name,
                'dtype': dtype,
                'device': jax.devices()[0].device_kind,
                'logits': errors['logits'],
                'allowed': allowed,
                'holds': errors['logits'] <= allowed,
                'worst_tensor': worst,
                'worst': errors[worst],
            }
