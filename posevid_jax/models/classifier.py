"""A classifier of clips: feature preparation and a network, as one pure function of a batch."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.features import check, mirroring, pipeline, subclips
from posevid_jax.features.scaling import Scaler
from posevid_jax.models import families

_DTYPES = ('float32', 'bfloat16')

Variables = dict[str, Any]
"""`params`, and `batch_stats` (empty without batch norm)."""


class Outputs(NamedTuple):
    """What a network says of a batch.

    Attributes:
      logits: `[B, K]` float32.
      frame_logits: `[B, T]` float32, or None from a network without a logit per frame.
      subclip_logits: `[B, W, K]` float32, of which `logits` are the medians, or None where the clip
        is taken as one.
    """

    logits: Array
    frame_logits: Array | None = None
    subclip_logits: Array | None = None

    @property
    def stretch_logits(self) -> Array:
        """Of all that is judged of a clip: its sub-clips `[B, W, K]`, or itself, W = 1."""
        return self.logits[:, None] if self.subclip_logits is None else self.subclip_logits


@dataclasses.dataclass(frozen=True)
class Classifier:
    """What a training step, an evaluation and a prediction have in common.

    Attributes:
      network: the Linen module.
      read: (batch, scaler) to what the network is called with, `pipeline.read`.
      subclip: frames of the sub-clips of a clip, and from one to the next, where the network judges
        these instead of clips.
      subclip_label: what a sub-clip of several labels is taught to be, `subclips.LABELS`.
      mirror: a batch to what it is in a mirror, where clips are judged by the mean of the logits of
        both.
    """

    network: nn.Module
    read: pipeline.Reader
    subclip: tuple[int, int] | None = None
    subclip_label: str = 'most'
    mirror: Callable[[dict[str, Array]], dict[str, Array]] | None = None

    def init(self, rng: Array, scaler: Scaler, batch: Mapping[str, Any]) -> Variables:
        """Fresh variables; only the shapes of `batch` matter."""
        variables = self.network.init(rng, self.read(dict(batch), scaler), train=False)
        return {'params': variables['params'], 'batch_stats': variables.get('batch_stats', {})}

    def __call__(
        self,
        variables: Variables,
        scaler: Scaler,
        batch: dict[str, Array],
        *,
        rng: Array | None = None,
        axis_name: str | None = None,
    ) -> tuple[Outputs, Any]:
        """Logits of a batch; outside training, with `mirror`, the mean of it and its mirror image.

        Args:
          variables: as from `init`.
          scaler: the run's.
          batch: as `data.loader` gathers it.
          rng: given in training only: dropout and stochastic depth are on, and batch norm uses
            and updates the statistics of the batch.
          axis_name: the pmapped axis, when there is one.

        Returns:
          the outputs and the batch statistics after this batch.
        """
        if rng is None and self.mirror:
            alone = dataclasses.replace(self, mirror=None)
            each = (alone(variables, scaler, seen) for seen in (batch, self.mirror(batch)))
            (outputs, stats), (mirrored, _) = each
            return jax.tree.map(lambda a, b: (a + b) / 2, outputs, mirrored), stats
        train = rng is not None
        network = self.network
        if hasattr(network, 'axis_name'):
            network = network.clone(axis_name=axis_name)
        outputs, updated = network.apply(
            variables,
            self.read(batch, scaler),
            train=train,
            rngs={'dropout': rng} if train else None,
            mutable=['batch_stats'] if train else [],
        )
        outputs = Outputs(*outputs) if isinstance(outputs, tuple) else Outputs(outputs)
        if self.subclip:
            each = outputs.logits
            each = each.reshape(batch['fps'].shape[0], -1, each.shape[-1])
            outputs = outputs._replace(logits=jnp.median(each, axis=1), subclip_logits=each)
        return outputs, updated.get('batch_stats', variables['batch_stats'])

    def subclip_targets(self, batch: dict[str, Array], subclip_logits: Array) -> Array:
        """What the sub-clips are that have these logits: their classes `[B, W]`, or the shares of
        classes `[B, W, K]`. A sub-clip of mixed clips has the shares of its clip."""
        assert self.subclip is not None  # else there are no such logits
        clips, count, outputs = subclip_logits.shape
        classes = max(2, outputs)
        if 'target' in batch:
            return jnp.broadcast_to(batch['target'][:, None], (clips, count, classes))
        of_subclips = subclips.LABELS[self.subclip_label]
        return of_subclips(batch['frame_label'], batch['label'], classes, *self.subclip)


def build(config: ConfigDict, *, num_classes: int, joint_names: Sequence[str]) -> Classifier:
    """The classifier that a configuration describes.

    Args:
      config: the whole configuration.
      num_classes: classes of the training clips.
      joint_names: joints of the training clips, () without a skeleton.

    Raises:
      InputError: an unknown name or size, or a loss or layout that does not fit the clips.
    """
    spec = families.input_spec(config)
    check.check(spec)
    subclips.check_label(config.train.subclip_label)
    network = build_network(config, num_classes)
    check.check_joints(spec, joint_names)
    mirror = functools.partial(mirroring.image, joint_names=tuple(joint_names))
    return Classifier(
        network,
        functools.partial(pipeline.read, spec=spec, joint_names=tuple(joint_names)),
        subclips.length_and_stride(config.features),
        config.train.subclip_label,
        mirror if spec.features.mirror == 'on' else None,
    )


def build_network(config: ConfigDict, num_classes: int) -> nn.Module:
    """The network alone; arguments and errors as for `build`."""
    family, model = families.of(config), config.model
    if model.dtype not in _DTYPES:
        raise InputError(
            f'model.dtype: found {model.dtype!r}, expected one of {", ".join(_DTYPES)}'
        )
    if num_classes < 2:
        raise InputError(f'class_names: found {num_classes} class, expected two or more')
    num_outputs = num_classes if config.train.loss == 'ce' else 1
    if num_outputs == 1 and num_classes > 2:
        raise InputError(
            f'train.loss: found {config.train.loss!r} with {num_classes} classes, expected ce'
        )
    frames = config.train.frame_loss > 0
    if frames and not (family.frame_output and num_classes == 2):
        able = [name for name, other in families.FAMILIES.items() if other.frame_output]
        raise InputError(
            f'train.frame_loss: found {config.train.frame_loss} with {model.name} and '
            f'{num_classes} classes, expected 0, or {" or ".join(able)} and two classes'
        )
    if frames and config.features.frames:
        raise InputError(
            f'train.frame_loss: found {config.train.frame_loss} with features.frames='
            f'{config.features.frames}, which leaves no frame its label; expected 0'
        )
    return family.build(config, num_outputs, frames)


def count_parameters(params: Any) -> int:
    """Numbers in a parameter tree."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
