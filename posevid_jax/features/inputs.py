"""What features hand to networks: what a network reads of clips, and the arrays that it gets."""

import dataclasses
from typing import NamedTuple

import jax
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.features.scaling import Scaler

GRID, SKELETON, JOINTS = 'grid', 'skeleton', 'joints'
LAYOUTS = (GRID, SKELETON, JOINTS)


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """What a network reads of clips, as its family says.

    Attributes:
      features: `config.features`.
      cells: how a frame is laid out as a picture, one of `LAYOUTS`; None for a network without.
      channels: whether the packed features of a frame are read as a list, and with them the numbers
        of whole clips and the scaler of statistics.
    """

    features: ConfigDict
    cells: str | None = None
    channels: bool = False

    @property
    def reads_numbers(self) -> bool:
        """Whether features of frames are read at all, of the archive or of the body."""
        return self.channels or self.cells == GRID

    @property
    def reads_archive(self) -> bool:
        """Whether the features of the clips are read."""
        return self.reads_numbers and self.features.source == 'archive'

    @property
    def computes(self) -> bool:
        """Whether features are read that are computed from the skeleton."""
        return self.reads_numbers and self.features.source != 'archive'

    @property
    def reads_joints(self) -> bool:
        """Whether the skeleton is read, alone or beside features."""
        return self.cells in (SKELETON, JOINTS) or self.computes or self.features.summary.on


class Masked(NamedTuple):
    """Values, 0 where missing, and where they were observed."""

    values: Array
    mask: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a network is called with; None for what its `InputSpec` does not ask for.

    With `features.subclip` the W sub-clips of a clip take the place of clips in `channels` and
    `clip`, one after the other, and B counts them.

    Attributes:
      cells: `[B, T, H, W, C]` and `[B, T, H, W]`, T with the frames around the clip.
      channels: packed features, `[B, T, F, C]` both.
      clip: numbers of whole clips, `[B, N]` both, or None: the means of the frames before and after
        each with `features.context` or `features.subclip`, then the summary with
        `features.summary.on`.
      scaler: what statistics of the channels and the numbers of the clip are measured against; None
        for nothing.
    """

    cells: Masked | None = None
    channels: Masked | None = None
    clip: Masked | None = None
    scaler: Scaler | None = None
