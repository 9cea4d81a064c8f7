"""The table of model families: all that the rest of the package knows of each.

A family is a file of its own with the network, a row here, and its keys in `config.model.<name>`;
`config.model.name` picks the row, and no other file compares that name with anything.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.features import pooling, subclips
from posevid_jax.features.inputs import InputSpec
from posevid_jax.models import attention, torch_import, video_swin
from posevid_jax.models.stat_pool import StatPool

Place = tuple[int, ...]
"""Sorts the layers of a network from the input on."""

_DECAYS = {'kernel': True, 'bias': False, 'scale': False}


@dataclasses.dataclass(frozen=True)
class Family:
    """One kind of network.

    Attributes:
      inputs: (the whole configuration) to what its network reads.
      build: (the whole configuration, logits a clip, whether a logit a frame is wanted) to the
        Linen module, which is called with `Inputs` and `train`, and returns the logits `[B, K]`, or
        a pair of these and the logits of the frames `[B, T]`. Raises InputError for a key of
        `config.model` that it cannot be built with.
      place: (the name of a module at the top of the parameter tree) to the place of its layer;
        None for what follows the last one. Raises ValueError for a name that it does not know, so
        that a new module is a decision.
      decays: the last parts of its parameters' names, and whether these parameters decay: matrices
        are regularised; offsets, gains and tables are left alone.
      sizes: the values of `model.size`, for `bench.sizes` and `probe.sizes` too; empty for a family
        of one size.
      frame_output: whether it can give a logit a frame.
      remat: (the whole configuration) to whether each stage recomputes its activations, for the
        capacity report; empty for a family that never does.
      import_weights: (tensors by name, fresh parameters, the whole configuration) to the parameters
        with the tensors in them and lines about what was done, for `model.pretrained`; None for a
        family without.
      alone: keys of the configuration, and the values with which the network reads its main input
        and nothing beside it, for mode bench.
      portable: keys of the configuration, and the values with which its programs can be exported.
    """

    inputs: Callable[[ConfigDict], InputSpec]
    build: Callable[[ConfigDict, int, bool], nn.Module]
    place: Callable[[str], Place | None]
    decays: Mapping[str, bool] = dataclasses.field(default_factory=lambda: _DECAYS)
    sizes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    frame_output: bool = False
    remat: Callable[[ConfigDict], Sequence[bool]] = lambda config: ()
    import_weights: Callable[[Any, Any, ConfigDict], tuple[Any, list[str]]] | None = None
    alone: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    portable: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def of(config: ConfigDict) -> Family:
    """The family that a whole configuration names.

    Raises:
      InputError: there is none of this name.
    """
    _one_of('model.name', config.model.name, FAMILIES)
    return FAMILIES[config.model.name]


def input_spec(config: ConfigDict) -> InputSpec:
    """What the network of a whole configuration reads; errors as of `of`."""
    return of(config).inputs(config)


def _stat_pool(config: ConfigDict, num_outputs: int, dropout: float) -> StatPool:
    model = config.model
    sizes = tuple(model.stat_pool.hidden_sizes)
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise InputError(f'model.stat_pool.hidden_sizes: found {sizes}, expected integers above 0')
    return StatPool(
        num_outputs=num_outputs,
        hidden_sizes=sizes,
        **pooling.options(config.features),
        dropout=dropout,
        batch_norm=model.stat_pool.batch_norm,
        dtype=jnp.dtype(model.dtype),
    )


def _stat_pool_place(module: str) -> Place | None:
    """A layer is a hidden layer with the norm behind it."""
    if module == 'head':
        return None
    return _numbered(module, {r'(?:Dense|BatchNorm)_(\d+)': lambda layer: (layer,)})


def _video_swin(config: ConfigDict, num_outputs: int, frame_output: bool) -> video_swin.VideoSwin:
    model, swin = config.model, config.model.video_swin
    _one_of('model.size', model.size, video_swin.SIZES)
    _one_of('model.video_swin.layout', swin.layout, ('official', 'legacy'))
    _one_of('model.video_swin.merge', tuple(swin.merge), ((1, 2, 2), (2, 2, 2), (2, 2, 1)))
    for key, least in (('patch_size', (1, 0, 1)), ('window_size', (1, 1, 1))):
        size = tuple(swin[key])
        whole = len(size) == 3 and all(isinstance(n, int) for n in size)
        if not whole or any(n < of for n, of in zip(size, least, strict=True)):
            but = ' (H may be 0)' if 0 in least else ''
            raise InputError(
                f'model.video_swin.{key}: found {size}, expected 3 integers above 0{but}'
            )
    _one_of('model.video_swin.attention', swin.attention, attention.FORMS)
    stages = len(video_swin.SIZES[model.size]['depths'])
    if len(swin.remat) != stages:
        raise InputError(
            f'model.video_swin.remat: found {tuple(swin.remat)}, expected {stages} booleans'
        )
    if swin.statistics and model.stat_pool.batch_norm:  # whose axis several devices would not know
        raise InputError(
            'model.stat_pool.batch_norm: found True with model.video_swin.statistics, '
            'expected False'
        )
    options = dict(swin)
    statistics, dropout = options.pop('statistics'), options.pop('statistics_dropout')
    # cuDNN's backward pass sums in any order, and knows no members side by side with their biases.
    if config.train.deterministic or config.train.num_seeds > 1:
        options['attention'] = 'plain'
    return video_swin.VideoSwin(
        num_outputs=num_outputs,
        **video_swin.SIZES[model.size],
        **options,
        context=config.features.context,
        subclips=subclips.length_and_stride(config.features),
        statistics=_stat_pool(config, num_outputs, dropout) if statistics else None,
        dropout=model.dropout,
        dtype=jnp.dtype(model.dtype),
        frame_output=frame_output,
    )


def _video_swin_place(module: str) -> Place | None:
    """A layer is a block, with the merging before it."""
    if module in ('patch_embed', 'patch_norm', 'pos_bias'):
        return (-1, 0)
    if module in ('norm', 'head', 'frame_head', 'statistics'):
        return None
    return _numbered(
        module,
        {
            r'stage(\d+)_block(\d+)': lambda stage, block: (stage, block),
            r'merge(\d+)': lambda stage: (stage + 1, 0),
        },
    )


def _video_swin_weights(weights: Any, params: Any, config: ConfigDict) -> tuple[Any, list[str]]:
    model = config.model
    return torch_import.import_weights(
        weights,
        params,
        patch=model.video_swin.patch_size,
        window=model.video_swin.window_size,
        source_window=model.pretrained_window,
        allow=model.pretrained_allow,
    )


def _numbered(module: str, patterns: Mapping[str, Callable[..., Place]]) -> Place:
    for pattern, place in patterns.items():
        found = re.fullmatch(pattern, module)
        if found:
            return place(*map(int, found.groups()))
    raise ValueError(f'no layer for parameters of {module}')


def _one_of(key: str, found: Any, known: Iterable[Any]) -> None:
    if found not in known:
        raise InputError(f'{key}: found {found!r}, expected one of {", ".join(map(str, known))}')


FAMILIES = {
    'stat_pool': Family(
        inputs=lambda config: InputSpec(config.features, channels=True),
        build=lambda config, outputs, frames: _stat_pool(config, outputs, config.model.dropout),
        place=_stat_pool_place,
    ),
    'video_swin': Family(
        inputs=lambda config: InputSpec(
            config.features,
            cells=config.features.layout,
            channels=config.model.video_swin.statistics,
        ),
        build=_video_swin,
        place=_video_swin_place,
        decays=_DECAYS | {'bias_table': False, 'pos_bias': False},
        sizes=video_swin.SIZES,
        frame_output=True,
        remat=lambda config: config.model.video_swin.remat,
        portable={'model.video_swin.attention': 'plain'},  # JAX serialises no such kernels
        import_weights=_video_swin_weights,
        alone={'model.video_swin.statistics': False},
    ),
}
"""By the value of `config.model.name`."""
