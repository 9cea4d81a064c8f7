"""What tables list and the bootstrap draws, where videos of one clip each say nothing."""

import dataclasses

import numpy as np

from posevid_jax.data.clips import Clips

WHY = {
    'subject': 'Every clip is a video of its own: tables and intervals are of subjects, the clips '
    'of one group_id.',
    'clip': 'Every clip is a video and a group of its own: intervals are of clips, and there is no '
    'table of videos.',
}
"""For each name of a `Unit`, what it stands for, in one line."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unit:
    """What tables list and the bootstrap draws: its name, such as `subject`, and how many."""

    name: str
    count: int


def of(clips: Clips) -> Unit | None:
    """Subjects where every clip is a video of its own, clips where subjects are too; else None."""
    if len(clips.videos) < len(clips):
        return None
    subjects = len(np.unique(clips.group))
    return Unit(name='subject' if subjects < len(clips) else 'clip', count=subjects)


def drawn(clips: Clips) -> Unit:
    """`of`, and videos where that is None."""
    return of(clips) or Unit(name='video', count=len(clips.videos))


def counted(clips: int, unit: Unit) -> str:
    """How many clips there are, and of how many units, in words."""
    return f'{clips} clips' + ('' if unit.name == 'clip' else f' of {unit.count} {unit.name}s')


def subjects(clips: Clips) -> tuple[list[str], np.ndarray]:
    """Names of the groups, by the first video of each, and [N] i64, the place of each clip's."""
    _, first, group = np.unique(clips.group, return_index=True, return_inverse=True)
    more = np.bincount(group) - 1
    videos = [clips.videos[clips.video[row]] for row in first]
    return [f'{video} and {n} more' for video, n in zip(videos, more, strict=True)], group
