"""StatPool: statistics over time, then a small MLP."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from posevid_jax.features.inputs import Inputs
from posevid_jax.features.pooling import STATISTICS, numbers_of_clips
from posevid_jax.features.scaling import standardize

# Deviations at which a statistic is as unusual as can be.
_CLIP_AT = 4.0


class StatPool(nn.Module):
    """Masked statistics of every channel, then hidden layers and a linear head.

    Attributes:
      num_outputs: logits per clip: 1, or one a class.
      hidden_sizes: units of the hidden layers.
      statistics, quantiles, thresholds, parts: what to take of every channel, see `pooling.pool`.
      dropout: rate after each hidden layer, rng stream `dropout`.
      batch_norm: normalise each hidden layer over the batch.
      axis_name: the pmapped axis over which batch statistics are averaged.
      dtype: of the hidden layers; statistics, norms and logits are float32.
    """

    num_outputs: int
    hidden_sizes: tuple[int, ...]
    statistics: tuple[str, ...] = tuple(STATISTICS)
    quantiles: tuple[float, ...] = ()
    thresholds: tuple[float, ...] = ()
    parts: int = 1
    dropout: float = 0.0
    batch_norm: bool = False
    axis_name: str | None = None
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Inputs, *, train: bool) -> Array:
        """Logits of a batch.

        Args:
          inputs: of it the channels, the numbers of the clip, which are joined to the statistics,
            and the scaler of all these.
          train: dropout on, batch statistics updated.

        Returns:
          `[B, num_outputs]` float32.
        """
        x, known = numbers_of_clips(
            inputs,
            statistics=self.statistics,
            quantiles=self.quantiles,
            thresholds=self.thresholds,
            parts=self.parts,
        )
        if inputs.scaler is not None:
            x = jnp.where(known, standardize(x, inputs.scaler, _CLIP_AT), 0.0)
        for size in self.hidden_sizes:
            # Batch norm brings a bias of its own.
            x = nn.Dense(size, use_bias=not self.batch_norm, dtype=self.dtype)(x)
            if self.batch_norm:
                x = nn.BatchNorm(use_running_average=not train, axis_name=self.axis_name)(x)
            x = nn.Dropout(self.dropout, deterministic=not train)(nn.gelu(x))
        # A head on thousands of statistics would keep much of a random start to the end.
        init = nn.initializers.lecun_normal() if self.hidden_sizes else nn.initializers.zeros
        return nn.Dense(self.num_outputs, kernel_init=init, name='head')(x)
