"""Kernels, bytes and products of a compiled step, read from XLA's text for a GPU."""

import pytest

from posevid_jax.capacity import kernels
from posevid_jax.capacity.kernels import Kernel, Work

# Lines of a program compiled for an H200, shortened.
PROGRAM = """
HloModule jit_f, entry_computation_layout={(bf16[512,256]{1,0})->f32[1024]{0}}

%fused_dot (param_0.1: bf16[8,4], param_1.1: bf16[4,2]) -> f32[8,2] {
  %param_0.1 = bf16[8,4]{1,0} parameter(0)
  %param_1.1 = bf16[4,2]{1,0} parameter(1)
  ROOT %dot.1 = f32[8,2]{1,0} dot(%param_0.1, %param_1.1), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}

%round (arg: (s32[], bf16[512,256])) -> (s32[], bf16[512,256]) {
  %arg = (s32[], /*index=1*/bf16[512,256]{1,0}) parameter(0)
  %x.2 = bf16[512,256]{1,0} get-tuple-element(%arg), index=1
  %custom-call.1 = (bf16[512,256]{1,0}, s8[4194304]{0}) custom-call(%x.2, %x.2), custom_call_target="__cublas$lt$matmul", backend_config={"gemm_backend_config":{"dot_dimension_numbers":{"lhs_contracting_dimensions":["1"],"rhs_contracting_dimensions":["0"]}}}
  ROOT %tuple.1 = (s32[], bf16[512,256]{1,0}) tuple(%x.2, %x.2)
}

%more (arg.1: (s32[], bf16[512,256])) -> pred[] {
  %arg.1 = (s32[], bf16[512,256]{1,0}) parameter(0)
  ROOT %loop_compare_fusion = pred[] fusion(%arg.1), kind=kLoop, calls=%fused_compare
}

ENTRY %main.10 (x.1: bf16[512,256], a.1: bf16[8,4], b.1: bf16[4,2]) -> f32[1024] {
  %x.1 = bf16[512,256]{1,0} parameter(0)
  %a.1 = bf16[8,4]{1,0} parameter(1)
  %b.1 = bf16[4,2]{1,0} parameter(2)
  %constant_1 = s32[] constant(0)
  %tuple.2 = (s32[], bf16[512,256]{1,0}) tuple(%constant_1, %x.1)
  %while.6 = (s32[], bf16[512,256]{1,0}) while(%tuple.2), condition=%more, body=%round, backend_config={"known_trip_count":{"n":"5"}}
  %q.1 = bf16[16,392,3,40]{3,2,1,0} bitcast(%x.1)
  %fmha.1 = (bf16[16,3,392,40]{3,1,2,0}, f32[16,3,392]{2,1,0}, u8[0]{0}) custom-call(%q.1, %q.1, %q.1), custom_call_target="__cudnn$fmhaScaleBiasSoftmax", backend_config={"cudnn_fmha_backend_config": {"algorithm": {"algo_id": "0"}, "intermediate_tensor_shape": {"element_type": "BF16", "dimensions": ["16", "3", "392", "392"], "tuple_shapes": []}, "bmm1_dot_dimension_numbers": {"lhs_contracting_dimensions": ["3"]}}}
  %fmha.2 = (bf16[16,3,392,40]{3,1,2,0}, s8[64]{0}) custom-call(%q.1, %q.1), custom_call_target="__cudnn$fmhaScaleBiasSoftmaxBackward", backend_config={"cudnn_fmha_backend_config":{"intermediate_tensor_shape":{"element_type":"BF16","dimensions":["16","3","392","392"]}}}
  %pallas_call.1 = (f32[16,288]{1,0}, f32[4,288]{1,0}) custom-call(%q.1), custom_call_target="__gpu$xla.gpu.triton", metadata={op_name="jit(f)/window_attention_backward/pallas_call"}, backend_config={debug = false, grid_x = 4 : i32, ir = "ML\\EFR", name = "window_attention_backward", num_warps = 8 : i32, serialized_metadata = "{\\22flop\\22: \\22637009920\\22}"}
  %pallas_call.2 = f32[16,96]{1,0} custom-call(%q.1), custom_call_target="__gpu$xla.gpu.triton", backend_config={debug = false, ir = "ML\\EFR", name = "add_norm_forward", num_warps = 4 : i32}
  %gemm_fusion = f32[8,2]{1,0} fusion(%a.1, %b.1), kind=kCustom, calls=%fused_dot
  %wrapped_transpose = (f32[2,8]{1,0}, pred[10]{0}) fusion(%gemm_fusion), kind=kInput, calls=%t
  %bitcast.9 = f32[16]{0} bitcast(%gemm_fusion)
  %input_reduce_fusion = f32[] fusion(%bitcast.9), kind=kInput, calls=%r
  %fusion.3 = f32[16]{0} fusion(%bitcast.9), kind=kCustom, calls=%softmax
  %all-reduce-start.1 = f32[16]{0} all-reduce-start(%fusion.3), to_apply=%add
  %all-reduce-done.1 = f32[16]{0} all-reduce-done(%all-reduce-start.1)
  ROOT %copy.1 = f32[16]{0} copy(%all-reduce-done.1)
}
"""  # noqa: E501


@pytest.fixture(scope='module')
def found():
    return {kernel.name: kernel for kernel in kernels.kernels(PROGRAM)}


def test_what_runs_is_counted_and_names_of_memory_are_not(found):
    assert list(found) == [
        'loop_compare_fusion', 'custom-call.1', 'fmha.1', 'fmha.2', 'pallas_call.1',
        'pallas_call.2', 'gemm_fusion', 'wrapped_transpose', 'input_reduce_fusion', 'fusion.3',
        'all-reduce-start.1', 'copy.1',
    ]  # fmt: skip


def test_a_loop_counts_its_rounds(found):
    assert found['custom-call.1'].times == found['loop_compare_fusion'].times == 5
    assert found['fusion.3'].times == 1


def test_bytes_are_those_of_all_results_but_no_workspace(found):
    assert found['custom-call.1'].bytes == 512 * 256 * 2
    assert found['wrapped_transpose'].bytes == 16 * 4 + 10
    assert found['input_reduce_fusion'].bytes == 4
    assert found['fmha.1'].bytes == 16 * 3 * 392 * (40 * 2 + 4)


def test_products_are_counted_in_calls_fusions_and_attention(found):
    assert found['custom-call.1'].flop == 2 * 512 * 256 * 256
    assert found['gemm_fusion'].flop == 2 * 8 * 2 * 4
    scores = 16 * 3 * 392 * 392
    assert found['fmha.1'].flop == 2 * (2 * scores * 40)
    assert found['fmha.2'].flop == 5 * (2 * scores * 40)
    assert found['pallas_call.1'].flop == 637009920  # as it says
    assert found['pallas_call.2'].flop == 0


def test_kinds(found):
    assert {name: kernel.kind for name, kernel in found.items()} == {
        'loop_compare_fusion': 'elementwise',
        'custom-call.1': 'products',
        'fmha.1': 'attention',
        'fmha.2': 'attention',
        'pallas_call.1': 'attention',
        'pallas_call.2': 'norms',
        'gemm_fusion': 'products',
        'wrapped_transpose': 'transposes',
        'input_reduce_fusion': 'reductions',
        'fusion.3': 'rows',
        'all-reduce-start.1': 'collectives',
        'copy.1': 'copies',
    }


def test_sums_count_every_round():
    found = [Kernel('a', 'rows', 1, 10, 0), Kernel('b', 'products', 3, 7, 5)]
    assert kernels.total(found) == Work(4, 31, 15)
    assert list(kernels.by_kind(found).items()) == [
        ('products', Work(3, 21, 15)),
        ('rows', Work(1, 10, 0)),
    ]
