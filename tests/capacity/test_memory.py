"""Bytes of a compiled step, read from XLA's own account and text."""

import types

import jax
import jax.numpy as jnp

from posevid_jax.capacity import memory

PROGRAM = """
ENTRY %main {
  %fusion.3 = f32[8]{0} fusion(%p0), kind=kLoop, calls=%c, metadata={op_name="x.remat/y"}
  %fusion.3.remat = f32[8]{0} fusion(%p0), kind=kLoop, calls=%c
  fusion.3.remat2 = f32[8]{0} fusion(p0), kind=kLoop, calls=c
  %use = f32[8]{0} add(%fusion.3.remat, %fusion.3.remat2)
  %all-reduce.1 = (f32[8]{0}, f32[4]{0}) all-reduce(%use, %p1), to_apply=%add
  %all-reduce-start.1 = f32[8]{0} all-reduce-start(%use), to_apply=%add
  %all-reduce-done.1 = f32[8]{0} all-reduce-done(%all-reduce-start.1)
  ROOT %t.remat_compressed = f32[8]{0} copy(%use)
}
"""


def test_only_what_is_defined_twice_counts_as_recomputed():
    sizes = types.SimpleNamespace(
        argument_size_in_bytes=100,
        output_size_in_bytes=70,
        temp_size_in_bytes=1000,
        alias_size_in_bytes=60,
    )
    compiled = types.SimpleNamespace(memory_analysis=lambda: sizes, as_text=lambda: PROGRAM)
    found = memory.of_compiled(compiled)
    assert found.bytes == 100 + 70 + 1000 - 60
    assert found.recomputed == 3
    assert found.all_reduces == 2


def test_a_donated_argument_is_counted_once():
    x = jnp.zeros((1000,), jnp.float32)
    plain = memory.of_compiled(jax.jit(lambda x: x + 1).lower(x).compile())
    donated = memory.of_compiled(jax.jit(lambda x: x + 1, donate_argnums=0).lower(x).compile())
    assert donated.alias == x.nbytes
    assert donated.bytes == plain.bytes - x.nbytes
    assert donated.recomputed == donated.all_reduces == 0
