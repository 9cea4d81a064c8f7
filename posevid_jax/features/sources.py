"""The table of what computes features of frames from the skeleton, by `config.features.source`."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jax import Array
from ml_collections import ConfigDict

from posevid_jax.features import body, pose

ARCHIVE = 'archive'
"""The source that computes nothing: the features that are stored with the clips."""

READS = ('skeleton', 'skeleton_mask', 'aspect', 'fps')
"""What is read of a batch by those that do."""


class Source(NamedTuple):
    """A kind of features.

    Attributes:
      names: (joint names, `config.features`) to F names; raises InputError where the joints do not
        suffice.
      compute: (batch, joint names, `config.features`) to values and mask `[B, T, F]`.
      groups: the first words of the names that belong together, where a convolution kernel sums
        features; all that stand in none are one group.
    """

    names: Callable[[tuple[str, ...], ConfigDict], tuple[str, ...]]
    compute: Callable[[dict[str, Array], Sequence[str], ConfigDict], tuple[Array, Array]]
    groups: tuple[tuple[str, ...], ...] = ()


def kernel_groups(source: str, names: Sequence[str]) -> list[list[int]]:
    """The numbers of the features that may be summed by one kernel, group by group."""
    groups = COMPUTED[source].groups if source in COMPUTED else ()
    found = [[k for k, name in enumerate(names) if name.split('_')[0] in g] for g in groups]
    grouped = {k for group in found for k in group}
    found.append([k for k in range(len(names)) if k not in grouped])
    return [group for group in found if group]


COMPUTED = {
    'body': Source(
        names=lambda joints, f: body.names(joints, f.leave_out),
        compute=lambda batch, joints, f: body.features(batch, joints, f.scale_frames, f.leave_out),
    ),
    'pose': Source(
        names=lambda joints, f: pose.names(joints, f.depth == 'on', f.leave_out),
        compute=lambda batch, joints, f: pose.features(batch, joints, f.depth == 'on', f.leave_out),
        groups=(('bone', 'angle'),),
    ),
}
SOURCES = (ARCHIVE, *COMPUTED)
