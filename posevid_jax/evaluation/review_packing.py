"""Arrays as text in a page: small, and exact to a stated step. `review.js` unpacks them.

Everything is deflated and written in base64. Positions are stored as differences from frame to
frame, which are small, with the sign in the lowest bit, and all low bytes before all high ones: an
hour of 33 joints is then half as large as by deflating alone.
"""

import base64
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posevid_jax.evaluation import drawn_body

POSITION_STEP = 1 / 4096  # of the width or height: a quarter of a pixel is lost of 1920 at most
TICKS = 10_000  # a second
_REACH = 2**15 - 1


class Body(NamedTuple):
    """What is drawn of J joints.

    Attributes:
      joint_names: of the J joints.
      bones: pairs of their numbers.
      positions: packed [T, J, 2], in `POSITION_STEP`; where a joint is missing, its last place.
      sight: packed [T, J] u8: 0 = missing, 1 to 3 = a third, two, all of full visibility.
      box: left, top and side of the square that nearly all joints that are seen well lie in, in
        shares of the picture.
    """

    joint_names: list[str]
    bones: list[tuple[int, int]]
    positions: str
    sight: str
    box: tuple[float, float, float]


def pack(values: np.ndarray) -> str:
    """The bytes of an array, deflated, in base64."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode()


def pack_times(seconds: np.ndarray) -> str:
    """[T + 1] increasing seconds as differences of whole ticks, u4.

    They are rounded down, so that an event that begins with a frame does not leave it out, and
    one that ends before a frame does not take it in.
    """
    ticks = np.floor(seconds * TICKS)
    ticks += (ticks + 1) / TICKS <= seconds  # 6.52 * 10,000 is a little less than 65,200
    return pack(np.diff(ticks, prepend=0).astype('<u4'))


def pack_positions(positions: np.ndarray, there: np.ndarray) -> str:
    """Positions [T, J, 2], of which only those `there` [T, J] are kept."""
    frames = np.arange(len(there))[:, None]
    last = np.maximum.accumulate(np.where(there, frames, 0), 0)  # [T, J]
    kept = np.take_along_axis(np.nan_to_num(positions), last[..., None], 0)
    steps = np.clip(np.round(kept / POSITION_STEP), -_REACH, _REACH).astype('<i2')
    change = np.diff(steps, axis=0, prepend=np.zeros_like(steps[:1]))  # may wrap around
    folded = (change << 1) ^ (change >> 15)
    return pack(folded.view('u1').reshape(-1, 2).T)


def pack_body(joints: np.ndarray, joint_names: Sequence[str]) -> Body:
    """The joints that are drawn, of all in a recording [T, J, 4]."""
    drawn = drawn_body.drawn(joint_names)
    names = [joint_names[j] for j in drawn]
    joints = joints[:, drawn]
    there = np.asarray(np.isfinite(joints).all(-1))
    sight = np.ceil(3 * np.clip(np.where(there, joints[..., 3], 0), 0.01, 1))
    return Body(
        joint_names=names,
        bones=drawn_body.bones(names),
        positions=pack_positions(joints[..., :2], there),
        sight=pack(np.where(there, sight, 0).astype('u1')),
        box=drawn_body.close_up(joints[..., :2][there & (sight > 1)]),
    )
