"""What a step takes on the card and not in its description: estimates, kept out of the budget.

Libraries and autotuning choose where the card is, and XLA assigns their scratch space then. It is
estimated from what is known of a step that was compiled without the card:

    cuBLAS     what NVIDIA recommends ("cublasSetWorkspace" in its cuBLAS documentation), and XLA
               gives to a product at most (`GemmConfig` in xla/service/gpu/matmul_utils.h): 32 MiB
               from Hopper on, 4 MiB elsewhere.
    Triton     products split along the summed axis, as gradients of weights are, write partial sums
               in float32. XLA tries tiles of a useful size in at most 16 parts
               (xla/service/gpu/autotuning/triton_configs.h).
    cuDNN      the backward pass of fused attention sums the gradient of the queries in float32
               (Dao et al. 2022, FlashAttention); XLA leaves the workspace empty without the card.

One kernel runs at a time, so the largest of the three is what a step takes. Trying kernels out
takes less than a step: it happens while the step is compiled, on the operands of one kernel.
"""

from posevid_jax.capacity.devices import Gpu

_MIB = 1024**2
_FLOAT32 = 4
_HOPPER = (9, 0)
_PARTS = 16


def estimate(gpu: Gpu, largest_parameter: int, attention_elements: int) -> int:
    """Bytes of scratch space that a step may take on top of what was compiled.

    Args:
      gpu: that the step was compiled for, without being there.
      largest_parameter: number of elements of the largest parameter.
      attention_elements: number of queries' elements of the largest fused attention.
    """
    cublas = (32 if gpu.capability >= _HOPPER else 4) * _MIB
    triton = _PARTS * _FLOAT32 * largest_parameter
    cudnn = _FLOAT32 * attention_elements
    return max(cublas, triton, cudnn)
