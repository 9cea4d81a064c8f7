"""From the names in the configuration to clips: a path, or `synthetic`."""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.data import left_out, manifest
from posevid_jax.data.clips import Clips
from posevid_jax.data.npz import read_clips
from posevid_jax.data.splits import split_by_video
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError, printable

SYNTHETIC = 'synthetic'
_MOST_WARNINGS = 10  # lines; the clips have them all


def load(path: str, config: ConfigDict) -> Clips:
    """The clips behind one of `data.train`, `data.val`, `data.test`.

    What was left out or looks odd is printed, and is in `warnings` of the clips.

    Args:
      path: an archive, a folder of clips or of shards, or `synthetic`.
      config: `config.data`.

    Raises:
      InputError: the path holds no clips that can be read, or a key of `config` is wrong.
    """
    if path == SYNTHETIC:
        return make_clips(**config.synthetic)
    for key, allowed in (('on_error', left_out.ON_ERROR), ('manifest', manifest.MODES)):
        if config[key] not in allowed:
            raise InputError(
                f'data.{key}: found {config[key]!r}, expected one of {", ".join(allowed)}'
            )
    if config.max_bytes < 0:
        raise InputError(f'data.max_bytes: found {config.max_bytes}, expected 0 or more')
    clips = read_clips(
        path,
        prefix=config.prefix,
        on_error=config.on_error,
        max_bytes=config.max_bytes,
        check=config.manifest,
    )
    for line in clips.warnings[:_MOST_WARNINGS]:
        print(printable(f'warning: {line}'))
    if len(clips.warnings) > _MOST_WARNINGS:
        print(f'warning: ... and {len(clips.warnings) - _MOST_WARNINGS} more')
    return clips


def train_and_val(config: ConfigDict, seed: int) -> tuple[Clips, Clips]:
    """The training clips and the validation clips: read, or whole videos split off from training.

    Args:
      config: `config.data`.
      seed: of the split.

    Raises:
      InputError: a set cannot be read or split, or the two do not fit together.
    """
    train = load(config.train, config)
    if not config.val:
        train_rows, val_rows = split_by_video(train, config.val_fraction, seed)
        return train.select(train_rows), train.select(val_rows)
    if config.train == config.val:
        raise InputError(
            f"data.val: found {config.val!r}, the training clips; expected other clips, or '' "
            'to split whole videos off'
        )
    val = load(config.val, config)
    for key in ('feature_names', 'joint_names', 'class_names'):
        found, expected = getattr(val, key), getattr(train, key)
        if found != expected:
            raise InputError(
                f'{config.val}: {key}: found {len(found)} names, expected the {len(expected)} '
                f'of {config.train}'
            )
    return train, val


def set_name(path: str) -> str:
    """A short name for files about a set of clips: `clips` for `some/clips.npz`."""
    return pathlib.Path(path).name.removesuffix('.npz')
