"""The training step that mode bench times or counts: the very one, on inputs of any shape."""

from collections.abc import Callable

import jax
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.features.inputs import Inputs, Masked
from posevid_jax.features.scaling import Scaler
from posevid_jax.models import classifier, families
from posevid_jax.training import optim, steps
from posevid_jax.training import state as states


def names(config: ConfigDict) -> tuple[str, ...]:
    """The sizes in `config.bench`; of a family of one size its name."""
    return tuple(config.bench.sizes) if families.of(config).sizes else (config.model.name,)


def variants(config: ConfigDict) -> list[tuple[str, str, ConfigDict]]:
    """Each size and dtype in `config.bench`, and the configuration with them.

    Raises:
      InputError: the clip shape has the wrong number of axes for the model.
    """
    settings, family = config.bench, families.of(config)
    axes = 'T, H, W, C' if family.inputs(config).cells else 'T, F, C'
    if len(settings.clip_shape) != len(axes.split()):
        raise InputError(
            f'bench.clip_shape: found {tuple(settings.clip_shape)}, expected sizes {axes} '
            f'for {config.model.name}'
        )
    found = []
    for size in names(config):
        for dtype in settings.dtypes:
            changed = config.copy_and_resolve_references()
            changed.model.dtype = dtype
            if family.sizes:
                changed.model.size = size
            found.append((size, dtype, changed))
    return found


def network_step(
    config: ConfigDict, batch_size: int
) -> tuple[steps.TrainStep, Callable[[], states.TrainState], dict[str, np.ndarray]]:
    """The training step on random network inputs, what makes a fresh state, and a batch.

    The very step of training, except that the classifier reads its input from the batch instead of
    computing it, so that any clip shape can be timed: clips judged as one, by a network that reads
    nothing beside its main input. Nothing is augmented.

    Args:
      config: the whole configuration; `bench.clip_shape` is the shape of one input.
      batch_size: clips.
    """
    family, config = families.of(config), config.copy_and_resolve_references()
    config.update_from_flattened_dict(family.alone)
    config.features.subclip = config.features.context = 0
    main = 'cells' if family.inputs(config).cells else 'channels'
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch_size, *config.bench.clip_shape)).astype(np.float32)
    batch = {
        'x': x,
        'x_mask': np.ones(x.shape[:-1] if main == 'cells' else x.shape, bool),
        'label': rng.integers(0, 2, batch_size).astype(np.int32),
        'weight': np.ones(batch_size, np.float32),
        'valid': np.ones(batch_size, np.float32),
        'frame_label': rng.integers(0, 2, x.shape[:2]).astype(np.int8),
    }

    def read(batch: dict[str, jax.Array], scaler: Scaler) -> Inputs:
        given = Masked(batch['x'], batch['x_mask'])
        return Inputs(cells=given) if main == 'cells' else Inputs(channels=given)

    model = classifier.Classifier(
        classifier.build_network(config, num_classes=2),
        read=read,
    )
    schedule = optim.learning_rate(config.train, 100)
    optimizer = optim.optimizer(config.train, schedule, family)
    scaler = Scaler(center=np.zeros(1, np.float32), scale=np.ones(1, np.float32))
    train_step = steps.make_train_step(model, optimizer, schedule, config.train)
    return train_step, lambda: states.create(model, optimizer, scaler, batch, config.seed), batch
