"""A configuration made to fit the clips: what cannot apply to them is switched off, in a line each.

So every shipped configuration trains on any valid set of clips. Each rule is a row of the table.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import depth
from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME, UNKNOWN_LABEL
from posevid_jax.data.joints import HANDS_AND_MOUTH
from posevid_jax.features import mirroring, sources
from posevid_jax.features.inputs import JOINTS
from posevid_jax.models import families

Changes = dict[str, Any]
"""New values by dotted key."""

# Clips are of unequal length where more than half of them hold nothing in this share of their last
# frames; in fewer, the person was lost.
_PADDED = 0.1


class Rule(NamedTuple):
    """One thing that clips may not have.

    Attributes:
      why: what the clips are like, for the line.
      applies: (the whole configuration, training clips) to whether it concerns them.
      changes: (configuration, clips) to what is set then.
      said: whether a line says so.
    """

    why: str
    applies: Callable[[ConfigDict, Clips], bool]
    changes: Callable[[ConfigDict, Clips], Changes]
    said: bool = True


def adapted(config: ConfigDict, clips: Clips) -> tuple[ConfigDict, list[str]]:
    """The configuration with which these clips can be trained on.

    Args:
      config: the whole configuration, checked.
      clips: those of training.

    Returns:
      a configuration, and a line for each change that a user should know of.
    """
    config, lines = config.copy_and_resolve_references(), []
    for rule in _RULES:
        if not rule.applies(config, clips):
            continue
        changes = rule.changes(config, clips)
        config.update_from_flattened_dict(changes)
        if rule.said:
            now = ', '.join(f'{key}={value!r}' for key, value in changes.items())
            lines.append(f'{rule.why}: {now}')
    return config, lines


def _lacks_joints(config: ConfigDict, clips: Clips) -> bool:
    if config.features.source == sources.ARCHIVE:
        return False
    needed = set(HANDS_AND_MOUTH) if config.features.source == 'body' else set()
    return not clips.joint_names or not needed <= set(clips.joint_names)


def _without_joints(config: ConfigDict, clips: Clips) -> Changes:
    changes: Changes = {
        'features.leave_out': (),
        'features.context': 0,
        'features.summary.on': False,
    }
    if clips.joint_names:
        return {'features.source': 'pose'} | changes
    if config.features.layout == JOINTS:
        changes['features.layout'] = 'grid'
    if config.augment.warp:  # which has to know what a feature measures
        changes['augment.warp'] = 0.0
    # Features of an archive have units of their own.
    zscore = 'global' if config.features.zscore == 'none' else config.features.zscore
    return {'features.source': sources.ARCHIVE, 'features.zscore': zscore} | changes


def _lacks_shoulders(config: ConfigDict, clips: Clips) -> bool:
    moved = any(config.augment[key] for key in _ABOUT_SHOULDERS)
    return moved and not {'left_shoulder', 'right_shoulder'} <= set(clips.joint_names)


def _reads_depth(config: ConfigDict) -> bool:
    return config.features.source == 'pose' or families.input_spec(config).cells == JOINTS


def _may_mirror(config: ConfigDict) -> bool:
    """Whether it is left to the clips, and a mirrored clip can be read at all."""
    features = config.features
    alone = not features.context and features.zscore != 'per_video'
    return features.mirror == 'auto' and features.source != sources.ARCHIVE and alone


def _has_frame_labels(clips: Clips) -> bool:
    return bool((np.asarray(clips.frame_label) != UNKNOWN_LABEL).any())


def _stored_context(clips: Clips, wanted: int) -> int:
    """Frames on either side of the clips, as many as wanted where they come from other clips."""
    stored = clips.context_skeleton
    return wanted if stored is None else min(wanted, stored.shape[1] // 2)


def _unequal(clips: Clips) -> bool:
    """Whether the clips are of unequal length: most are padded at their end."""
    mask = clips.mask if clips.skeleton_mask is None else clips.skeleton_mask
    tail = max(int(_PADDED * mask.shape[1]), 1)
    return bool((~np.asarray(mask)[:, -tail:].any(axis=(1, 2))).mean() > 0.5)


# Augmentations that find the body by its shoulders.
_ABOUT_SHOULDERS = ('joint_drop', 'scale', 'rotate', 'jitter', 'turn', 'stretch', 'shear')

_RULES = (
    Rule(
        'the clips lack the joints that are read',
        _lacks_joints,
        _without_joints,
    ),
    Rule(
        'the clips have a skeleton and no features',
        lambda c, clips: families.input_spec(c).reads_archive and not clips.feature_names,
        lambda c, clips: {'features.source': 'pose'},
    ),
    Rule(
        '',
        lambda c, clips: _reads_depth(c) and c.features.depth == 'auto',
        lambda c, clips: {'features.depth': 'on' if depth.carries_information(clips) else 'off'},
        said=False,
    ),
    Rule(
        'the clips lack the shoulders by which augmentation finds a body',
        _lacks_shoulders,
        lambda c, clips: {f'augment.{key}': 0.0 for key in _ABOUT_SHOULDERS},
    ),
    Rule(
        '',
        lambda c, clips: c.features.depth == 'off' and c.augment.turn > 0,
        lambda c, clips: {'augment.turn': 0.0},
        said=False,
    ),
    Rule(
        'the clips have no start frames, and so no frames around them',
        lambda c, clips: (
            c.features.context > 0
            and clips.context_skeleton is None
            and bool((clips.start_frame == UNKNOWN_FRAME).any())
        ),
        lambda c, clips: {'features.context': 0},
    ),
    Rule(
        'the clips have fewer frames around them',
        lambda c, clips: c.features.context > _stored_context(clips, c.features.context),
        lambda c, clips: {'features.context': _stored_context(clips, c.features.context)},
    ),
    Rule(
        'the clips are of unequal length, and each is judged as one',
        lambda c, clips: c.features.subclip > 0 and _unequal(clips),
        lambda c, clips: {'features.subclip': 0},
    ),
    Rule(
        'the clips are shorter than a sub-clip',
        lambda c, clips: c.features.subclip > clips.features.shape[1],
        lambda c, clips: {'features.subclip': 0},
    ),
    Rule(
        'every clip is a video of its own, and z-scores per video would leave nothing of its place',
        lambda c, clips: c.features.zscore == 'per_video' and len(clips.videos) == len(clips),
        lambda c, clips: {'features.zscore': 'global'},
    ),
    Rule(
        'the clips have more than two classes',
        lambda c, clips: c.train.loss != 'ce' and clips.num_classes > 2,
        lambda c, clips: {'train.loss': 'ce'},
    ),
    Rule(
        'the clips have no labels of frames',
        lambda c, clips: c.train.frame_loss > 0 and not _has_frame_labels(clips),
        lambda c, clips: {'train.frame_loss': 0.0},
    ),
    Rule(
        'the clips have more than two classes, and frames are told apart by two only',
        lambda c, clips: c.train.frame_loss > 0 and clips.num_classes > 2,
        lambda c, clips: {'train.frame_loss': 0.0},
    ),
    Rule(
        'neither sub-clips nor frames are judged, and so nothing can be smooth',
        lambda c, clips: c.train.smooth_loss > 0 and not (c.features.subclip or c.train.frame_loss),
        lambda c, clips: {'train.smooth_loss': 0.0},
    ),
    Rule(
        'the clips are recognised by what their mirror images teach',
        lambda c, clips: _may_mirror(c) and mirroring.is_same_gesture(clips, c.features),
        lambda c, clips: {'features.mirror': 'on'},
    ),
    Rule(
        '',
        lambda c, clips: c.features.mirror == 'auto',
        lambda c, clips: {'features.mirror': 'off'},
        said=False,
    ),
    Rule(
        '',
        lambda c, clips: c.features.mirror == 'on' and not c.augment.mirror,
        lambda c, clips: {'augment.mirror': 0.5},
        said=False,
    ),
)
