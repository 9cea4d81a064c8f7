"""A classifier of clips: feature preparation and a network, as one pure function of a batch."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
from jax import Array
from ml_collections import ConfigDict, FrozenConfigDict

from posevid_jax.errors import InputError
from posevid_jax.features import inputs, motion
from posevid_jax.features.scaling import Scaler
from posevid_jax.models import video_swin
from posevid_jax.models.stat_pool import StatPool

Variables = dict[str, Any]
"""`params`, and `batch_stats` (empty without batch norm)."""


@dataclasses.dataclass(frozen=True)
class Classifier:
    """What a training step, an evaluation and a prediction have in common.

    Attributes:
      network: the Linen module.
      features: `config.features`, checked.
      as_grid: the network reads `[B, T, H, W, C]` rather than `[B, T, F, C]`.
    """

    network: nn.Module
    features: FrozenConfigDict
    as_grid: bool

    def init(self, rng: Array, scaler: Scaler, batch: dict[str, Array]) -> Variables:
        """Fresh variables; only the shapes of `batch` matter."""
        x, mask = self._inputs(scaler, batch)
        variables = self.network.init(rng, x, mask, train=False)
        return {'params': variables['params'], 'batch_stats': variables.get('batch_stats', {})}

    def __call__(
        self,
        variables: Variables,
        scaler: Scaler,
        batch: dict[str, Array],
        *,
        rng: Array | None = None,
        axis_name: str | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Logits of a batch.

        Args:
          variables: as from `init`.
          scaler: the run's.
          batch: see `data.loader`.
          rng: given in training only: dropout and stochastic depth are on, and batch norm uses
            and updates the statistics of the batch.
          axis_name: the pmapped axis, when there is one.

        Returns:
          logits `[B, K]` float32 and the batch statistics after this batch.
        """
        train = rng is not None
        network = self.network
        if hasattr(network, 'axis_name'):
            network = network.clone(axis_name=axis_name)
        logits, updated = network.apply(
            variables,
            *self._inputs(scaler, batch),
            train=train,
            rngs={'dropout': rng} if train else None,
            mutable=['batch_stats'] if train else [],
        )
        return logits, updated.get('batch_stats', variables['batch_stats'])

    def _inputs(self, scaler: Scaler, batch: dict[str, Array]) -> tuple[Array, Array]:
        x, mask = inputs.packed(batch, scaler, self.features)
        return motion.to_grid(x, mask) if self.as_grid else (x, mask)


def build(config: ConfigDict, num_classes: int) -> Classifier:
    """The classifier that a configuration describes.

    Args:
      config: the whole configuration.
      num_classes: classes of the training clips.

    Raises:
      InputError: an unknown name or size, or a loss that does not fit the number of classes.
    """
    inputs.check(config.features)
    model = config.model
    num_outputs = num_classes if config.train.loss == 'ce' else 1
    if num_outputs == 1 and num_classes > 2:
        raise InputError(
            f'train.loss: found {config.train.loss!r} with {num_classes} classes, expected ce'
        )
    if model.name == 'stat_pool':
        sizes = tuple(model.stat_pool.hidden_sizes)
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            raise InputError(
                f'model.stat_pool.hidden_sizes: found {sizes}, expected integers above 0'
            )
        network = StatPool(
            num_outputs=num_outputs,
            hidden_sizes=sizes,
            dropout=model.dropout,
            batch_norm=model.stat_pool.batch_norm,
        )
    elif model.name == 'video_swin':
        if model.size not in video_swin.SIZES:
            raise InputError(
                f'model.size: found {model.size!r}, expected one of {", ".join(video_swin.SIZES)}'
            )
        network = video_swin.VideoSwin(
            num_outputs=num_outputs,
            **video_swin.SIZES[model.size],
            dropout=model.dropout,
            **model.video_swin,
        )
    else:
        raise InputError(f'model.name: found {model.name!r}, expected one of stat_pool, video_swin')
    return Classifier(
        network=network,
        features=FrozenConfigDict(config.features),
        as_grid=model.name == 'video_swin',
    )


def count_parameters(params: Any) -> int:
    """Numbers in a parameter tree."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
