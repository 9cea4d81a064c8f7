"""Joins several sets of clips into one."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import COLUMNS
from posevid_jax.errors import InputError


def concatenate(parts: Sequence[Clips]) -> Clips:
    """Joins the clips of all parts in order; no video may be in two of them.

    Raises:
      InputError: the parts do not have the same columns, sizes and names, or share a video.
    """
    first = parts[0]
    videos = tuple(identity for part in parts for identity in part.videos)
    if len(set(videos)) < len(videos):
        twice = next(identity for identity in videos if videos.count(identity) > 1)
        raise InputError(f'{twice}: found in two sets of clips, expected it in one')
    expected = _form(first)
    for part in parts:
        for name, found in _form(part).items():
            if found != expected[name]:
                raise InputError(
                    f'{part.videos[0]}: {name}: found {found}, expected {expected[name]} as in '
                    f'{first.videos[0]}'
                )
    columns: dict[str, Any] = {
        name: None if getattr(first, name) is None
        else np.concatenate([getattr(part, name) for part in parts])
        for name in COLUMNS
    }  # fmt: skip
    for name, sizes in (
        ('video', [len(part.videos) for part in parts]),
        ('group', [part.group.max() + 1 for part in parts]),
    ):
        before = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
        columns[name] += np.repeat(before, [len(part) for part in parts])
    return dataclasses.replace(first, **columns, videos=videos)


def _form(clips: Clips) -> dict[str, Any]:
    """What sets of clips must have in common to be one: the shape of a clip, and the names."""
    shapes = {name: getattr(clips, name) for name in COLUMNS}
    return {name: None if value is None else value.shape[1:] for name, value in shapes.items()} | {
        name: getattr(clips, name) for name in ('feature_names', 'joint_names', 'class_names')
    }
