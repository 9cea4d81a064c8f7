"""From the names in the configuration to clips: a path, or `synthetic`."""

import pathlib
from collections.abc import Mapping, Sequence

from ml_collections import ConfigDict

from posevid_jax.data import left_out, manifest
from posevid_jax.data.clips import Clips
from posevid_jax.data.npz import read_clips
from posevid_jax.data.splits import Sides, split_by_video
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError, printable

SYNTHETIC = 'synthetic'
_MOST_WARNINGS = 10  # lines; the clips have them all


def load(path: str, config: ConfigDict, *, labelled: bool = True) -> Clips:
    """The clips behind one of `data.train`, `data.val`, `data.test`.

    What was left out or looks odd is printed, and is in `warnings` of the clips.

    Args:
      path: an archive, a folder of clips or of shards, or `synthetic`.
      config: `config.data`.
      labelled: False accepts an archive without labels too.

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
        labelled=labelled,
        on_error=config.on_error,
        max_bytes=config.max_bytes,
        check=config.manifest,
    )
    for line in clips.warnings[:_MOST_WARNINGS]:
        print(printable(f'warning: {line}'))
    if len(clips.warnings) > _MOST_WARNINGS:
        print(f'warning: ... and {len(clips.warnings) - _MOST_WARNINGS} more')
    return clips


def train_and_val(config: ConfigDict, seed: int, known: Sides | None = None) -> tuple[Clips, Clips]:
    """The training clips and the validation clips: read, or whole videos split off from training.

    Args:
      config: `config.data`.
      seed: of the split.
      known: videos of an earlier split, which stay on their side of this one; None for none.

    Raises:
      InputError: a set cannot be read or split, or the two do not fit together.
    """
    train = load(config.train, config)
    if not config.val:
        train_rows, val_rows = split_by_video(train, config.val_fraction, seed, known)
        return train.select(train_rows), train.select(val_rows)
    if config.train == config.val:
        raise InputError(
            f"data.val: found {config.val!r}, the training clips; expected other clips, or '' "
            'to split whole videos off'
        )
    names = {key: getattr(train, key) for key in ('feature_names', 'joint_names', 'class_names')}
    return train, conform(load(config.val, config), names, config.val, like=config.train)


def conform(clips: Clips, names: Mapping[str, Sequence[str]], source: str, *, like: str) -> Clips:
    """Clips with the classes of others, after a check that features and joints are the same.

    Args:
      clips: read from `source`.
      names: `feature_names`, `joint_names` and `class_names` to conform to; features without
        names do not matter, nor do such joints.
      source, like: where the clips and where the names come from, for the message.

    Returns:
      the clips, their labels numbered like `names['class_names']` (`Clips.with_classes`); a line
      says so where only numbers could be matched.

    Raises:
      InputError: other features or joints, or a class that the names lack.
    """
    for key in ('feature_names', 'joint_names'):
        found, expected = getattr(clips, key), tuple(names[key])
        if expected and found != expected:
            raise InputError(
                f'{source}: {key}: found {_brief(found)}, expected {_brief(expected)} as in {like}'
            )
    wanted = tuple(names['class_names'])
    try:
        conformed = clips.with_classes(wanted)
    except InputError as error:
        raise InputError(f'{source}: {error}, as in {like}') from None
    if clips.labelled and not set(clips.class_names) <= set(wanted):
        pairs = zip(clips.class_names, wanted, strict=False)
        numbered = ', '.join(f'{k} ({a}) is {b}' for k, (a, b) in enumerate(pairs))
        print(
            printable(f'{source}: classes are matched with those of {like} by number: {numbered}')
        )
    return conformed


def _brief(names: Sequence[str]) -> str:
    shown = ', '.join(names[:4])
    return f'{len(names)} ({shown}, ...)' if len(names) > 4 else f'{len(names)} ({shown})'


def set_name(path: str) -> str:
    """A short name for files about a set of clips: `clips` for `some/clips.npz`."""
    return pathlib.Path(path).name.removesuffix('.npz')
