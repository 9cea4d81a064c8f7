"""Whether a configuration of features can work, with the network that reads them."""

from collections.abc import Sequence

from ml_collections import ConfigDict

from posevid_jax.config import get_config
from posevid_jax.errors import InputError
from posevid_jax.features import (
    joint_rows,
    mirroring,
    motion,
    names,
    pooling,
    scaling,
    skeleton,
    sources,
    summary,
)
from posevid_jax.features.inputs import JOINTS, LAYOUTS, SKELETON, InputSpec

DEPTHS = ('auto', 'on', 'off')

# Keys that say how the features of a frame are made.
_OF_NUMBERS = ('frames', 'pack', 'zscore', 'scaler', 'clip_at', 'smooth')
# Those of them that a picture of joints is made by too.
_OF_JOINTS = ('frames', 'smooth')


def check(spec: InputSpec) -> None:
    """Checks `spec.features`, whatever the clips.

    Raises:
      InputError: a key holds what no function here accepts, or two keys do not go together.
    """
    features = spec.features
    _check_names(features)
    _check_ranges(features)
    if features.leave_out and features.source == 'archive':
        raise InputError(
            f'features.leave_out: found {tuple(features.leave_out)} with features.source='
            f'{features.source}, expected (), or source body or pose'
        )
    if features.context and features.source != 'body':
        raise InputError(
            f'features.context: found {features.context} with features.source={features.source}, '
            'expected 0, or body'
        )
    if features.mirror == 'on' and (spec.reads_archive or features.zscore == 'per_video'):
        raise InputError(
            f'features.mirror: found on with features.source={features.source} and features.zscore='
            f'{features.zscore}, expected off, or a computed source and another zscore'
        )
    for key in ('frames', 'kernels'):
        _check_alone(features, key)
    if features.kernels and not spec.channels:
        raise InputError(
            f'features.kernels: found {features.kernels} with a model that reads no numbers '
            'of whole clips, expected 0'
        )
    if features.summary.on and not spec.channels:
        raise InputError(
            'features.summary.on: found True with a model that reads no numbers of whole clips, '
            'expected False'
        )
    if features.summary.on and features.subclip:
        raise InputError(
            f'features.subclip: found {features.subclip} with features.summary.on=True, which is '
            'about whole clips; expected 0, or False'
        )


def _check_alone(features: ConfigDict, key: str) -> None:
    """Raises InputError where resampled clips, or kernels, meet what they cannot go with."""
    for other, wanted in (('subclip', 0), ('context', 0), ('pack', 'off')):
        if features[key] and features[other] != wanted:
            raise InputError(
                f'features.{key}: found {features[key]} with features.{other}={features[other]}, '
                f'expected 0, or features.{other}={wanted}'
            )


def _check_names(features: ConfigDict) -> None:
    for key, found, known in (
        ('source', (features.source,), sources.SOURCES),
        ('zscore', (features.zscore,), scaling.ZSCORES),
        ('scaler', (features.scaler,), scaling.SCALERS),
        ('pooled_scaler', (features.pooled_scaler,), ('none', *scaling.SCALERS)),
        ('pack', (features.pack,), motion.PACKS),
        ('layout', (features.layout,), LAYOUTS),
        ('depth', (features.depth,), DEPTHS),
        ('mirror', (features.mirror,), mirroring.CHOICES),
        ('statistics', features.statistics, pooling.STATISTICS),
    ):
        for value in found:
            if value not in known:
                raise InputError(
                    f'features.{key}: found {value!r}, expected one of {", ".join(known)}'
                )


def _check_ranges(features: ConfigDict) -> None:
    for key in ('smooth', 'scale_frames'):
        if features[key] < 1 or features[key] % 2 == 0:
            raise InputError(
                f'features.{key}: found {features[key]}, expected an odd number of frames'
            )
    for key, least in (
        ('parts', 1),
        ('context', 0),
        ('subclip', 0),
        ('subclip_stride', 1),
        ('frames', 0),
        ('kernels', 0),
    ):
        if features[key] < least:
            raise InputError(f'features.{key}: found {features[key]}, expected {least} or more')
    if features.clip_at <= 0:
        raise InputError(f'features.clip_at: found {features.clip_at}, expected a number above 0')
    if not all(0 <= q <= 1 for q in features.quantiles):
        raise InputError(
            f'features.quantiles: found {tuple(features.quantiles)}, expected numbers from 0 to 1'
        )
    statistics = (*features.statistics, *features.quantiles, *features.thresholds)
    if not statistics and not features.kernels:
        raise InputError(
            'features.statistics: found none, nor quantiles, thresholds, kernels; expected some'
        )


def check_joints(spec: InputSpec, joint_names: Sequence[str]) -> None:
    """Raises InputError when clips with these joints lack what is read of a skeleton."""
    features = spec.features
    if spec.computes:
        sources.COMPUTED[features.source].names(tuple(joint_names), features)
    if spec.cells == SKELETON:
        skeleton.walk(joint_names)
    if spec.cells == JOINTS:
        joint_rows.order(joint_names)
    if features.mirror == 'on':
        names.opposites(joint_names, 'features.mirror')
    if features.summary.on:
        summary.check(features.summary, joint_names)


def check_nothing_is_ignored(spec: InputSpec) -> None:
    """Raises InputError when a key says how features of frames are made and none are read."""
    features, defaults = spec.features, get_config().features
    for key in ignored(spec):
        raise InputError(
            f'features.{key}: found {features[key]!r} with features.layout={features.layout}, '
            f'beside which no features of frames are read; expected {defaults[key]!r}'
        )


def ignored(spec: InputSpec) -> list[str]:
    """Keys of `spec.features` that have another value than the default and that nothing reads."""
    if spec.reads_numbers:
        return []
    defaults = get_config().features
    read = _OF_JOINTS if spec.cells == JOINTS else ()
    keys = (key for key in _OF_NUMBERS if key not in read)
    return [key for key in keys if spec.features[key] != defaults[key]]
