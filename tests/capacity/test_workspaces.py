"""Scratch space that only the card takes, estimated without it."""

from posevid_jax.capacity import memory, workspaces
from posevid_jax.capacity.devices import GPUS

MIB = 1024**2
PROGRAM = """
  %fmha.1 = (bf16[16,3,392,40]{3,1,2,0}, f32[16,3,392]{2,1,0}) custom-call(%q), custom_call_target="__cudnn$fmhaScaleBiasSoftmax"
  %fmha.2 = (bf16[16,3,392,40]{3,1,2,0}, u8[0]{0}) custom-call(%q), custom_call_target="__cudnn$fmhaScaleBiasSoftmaxBackward"
  %fmha.3 = (bf16[8,3,392,40]{3,1,2,0}, u8[0]{0}) custom-call(%q), custom_call_target="__cudnn$fmhaSoftmaxBackward"
"""  # noqa: E501


def test_the_largest_of_what_libraries_may_take():
    assert workspaces.estimate(GPUS['h200'], 1000, 0) == 32 * MIB
    assert workspaces.estimate(GPUS['rtx4070super'], 1000, 0) == 4 * MIB
    assert workspaces.estimate(GPUS['h200'], 768 * 3072, 0) == 16 * 4 * 768 * 3072
    assert workspaces.estimate(GPUS['h200'], 1000, 10**9) == 4 * 10**9


def test_the_largest_backward_pass_of_fused_attention_counts():
    sizes = dict(argument=0, output=0, temp=0, alias=0)
    assert memory.of_text(PROGRAM, **sizes).attention_elements == 16 * 3 * 392 * 40
    assert memory.of_text('', **sizes).attention_elements == 0
