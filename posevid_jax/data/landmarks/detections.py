"""Detections: what a landmark file says, in the file's own units; the one output of the readers.

`gate.accept` turns them into a `Recording`; no reader converts, guesses or drops anything itself.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Detections:
    """D persons seen in the frames of one video, J joints each.

    Attributes:
      where: file and format, the beginning of every message about them.
      joints: [D, J, 4] f64: x, y, z, visibility as the file has them; NaN where it has nothing.
      joint_names: J unique names.
      names_from: where the names come from: `file`, `prepare.joint_map`, ... or the name of a map.
      frame: [D] i64, as the file numbers them; None when the rows of the file are the frames.
      has_depth, has_visibility: whether the file has these numbers at all.
      ordered: whether the file is a table with a row a frame, so that each has a higher number.
      person: [D] track ids as text; None where the file has none.
      num_frames: of the video where the file lists frames without anybody, counted like `frame`.
      first_frame: the number of a video's first frame where the format fixes it, else None.
      time: [D] f64 as the file has them, NaN where empty; None without.
      time_unit: of `time` where its name says so: `s`, `ms` or `us`; '' unknown.
      fps: frames per second that the file states, or None.
      size: width and height in pixels that the file states, or None.
    """

    where: str
    joints: np.ndarray
    joint_names: tuple[str, ...]
    names_from: str
    frame: np.ndarray | None = None
    ordered: bool = False
    has_depth: bool = False
    has_visibility: bool = False
    person: np.ndarray | None = None
    num_frames: int | None = None
    first_frame: int | None = None
    time: np.ndarray | None = None
    time_unit: str = ''
    fps: float | None = None
    size: tuple[float, float] | None = None
