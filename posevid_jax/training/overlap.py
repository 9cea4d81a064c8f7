"""Validation clips that show what is trained on: a warning before the first step."""

import numpy as np

from posevid_jax.data import leakage
from posevid_jax.data.clips import Clips

# Frames of both sets that take some ten seconds to compare; of more, only whole clips are.
_MOST_FRAMES = 1_000_000
_SHOWN = 3


def warn(train: Clips, val: Clips, source: str) -> None:
    """Prints a line about footage that both sets show, where there is some.

    Args:
      train, val: the training and the validation clips, from different files.
      source: where the latter come from, `data.val`.
    """
    frames = sum(clips.features.shape[0] * clips.features.shape[1] for clips in (train, val))
    if frames <= _MOST_FRAMES:
        _, found = leakage.find_same_footage([train.in_memory(), val.in_memory()])
        videos = sorted({same.videos[1].partition(':')[2] for same in found})
    else:
        known = np.isin(val.row_fingerprints(), train.row_fingerprints())
        videos = sorted({val.videos[v].partition(':')[2] for v in val.video[known]})
    if not videos:
        return
    shown = ', '.join(videos[:_SHOWN]) + (', ...' if len(videos) > _SHOWN else '')
    print(
        f'warning: data.val: {source}: {len(videos)} of {len(val.videos)} videos ({shown}) show '
        'footage that is trained on: their scores say little about new people; leave them out, or '
        'compare both files with --mode=inspect'
    )
