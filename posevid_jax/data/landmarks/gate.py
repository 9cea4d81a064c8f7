"""The one gate: from what a file says, in its own units, to a `Recording`, or one line.

Every reader ends here, so that a number means the same whatever the format. What is not in the file
and had to be assumed is in the notes of the recording's origin.
"""

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import people, picture_shape, places, timing, visibility
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.data.landmarks.known import Known
from posevid_jax.data.landmarks.recording import Origin, Recording, single
from posevid_jax.errors import InputError

_BYTES_A_JOINT = 16


def accept(found: Detections, name: str, known: Known, config: ConfigDict) -> Recording:
    """The recording of the person to keep.

    Args:
      found: what a reader found.
      name: of the video.
      known: rate and size of the picture as the user gave them for this video.
      config: `config.prepare`.

    Raises:
      InputError: a contradiction, or something that neither the file nor the configuration says.
    """
    joints, size, notes = _in_shares(found, known)
    most = config.max_file_mb * 2**20 // (joints.shape[1] * _BYTES_A_JOINT)
    line = timing.timeline(found, known, config.max_gap, most)
    by_bodies = picture_shape.estimate(joints, found.joint_names)
    size, size_from = _size(found, known, size, by_bodies, notes)
    # Pixels are square, shares are not: the person is chosen in units of the picture's height.
    square = joints * np.array([size[0] / size[1], 1, 1, 1])
    kept = people.one_person(found.where, line.frame, square, found.person, line.fps, known.person)
    filled = np.full((len(line.time), joints.shape[1], 4), np.nan, np.float32)
    filled[line.frame[kept.rows]] = single(joints[kept.rows])
    try:
        return Recording(
            name=name,
            joints=filled,
            joint_names=found.joint_names,
            fps=line.fps,
            width=size[0],
            height=size[1],
            time=line.time,
            origin=Origin(
                fps=line.fps_from,
                size=size_from,
                joint_names=found.names_from,
                people=people.stretches(line.frame, kept),
                notes=(*notes, *line.notes, *known.notes),
            ),
        )
    except InputError as error:
        raise InputError(f'{found.where}: {error}') from None


def _in_shares(
    found: Detections, known: Known
) -> tuple[np.ndarray, tuple[float, float] | None, list[str]]:
    """Joints [D, J, 4] in shares of the picture, its size where it is known, and notes."""
    joints = np.array(found.joints, np.float64)
    notes = []
    if found.has_visibility:
        joints[..., 3], scale = visibility.to_shares(found.where, joints[..., 3])
        if scale:
            notes.append(f'visibility in {scale}')
    else:
        joints[..., 3] = 1
    if not found.has_depth:
        joints[..., 2] = 0
    joints[_missing(joints)] = np.nan
    size, size_from = (
        (found.size, 'file') if found.size is not None else (known.size, known.size_from)
    )
    placed = places.to_shares(found.where, joints, found.joint_names, size, size_from=size_from)
    return placed.joints, placed.size, [*notes, *placed.notes]


def _missing(joints: np.ndarray) -> np.ndarray:
    """[D, J] what files write for a joint that was not found, whatever the unit of places."""
    place, seen = joints[..., :2], joints[..., 3]
    nothing = ~np.isfinite(joints).all(-1) | (place == -1).all(-1) | ~(seen > 0)
    return nothing | (place == 0).all((1, 2))[:, None]


def _size(
    found: Detections,
    known: Known,
    size: tuple[float, float] | None,
    by_bodies: picture_shape.Estimate | None,
    notes: list[str],
) -> tuple[tuple[float, float], str]:
    """Width and height of the picture, and where they come from."""
    if size is None:
        if by_bodies is None:
            raise InputError(
                f'{found.where}: video_size: not in the file, and too few bodies face the camera '
                'to tell; expected it in prepare.video_size (width, height)'
            )
        notes.append(f'the shape of the picture is estimated: {by_bodies}')
        return (by_bodies.aspect, 1.0), 'bodies'
    if size == (1.0, 1.0):
        return size, 'none'
    source = 'file' if found.size is not None else known.size_from
    if by_bodies is not None and by_bodies.contradicts(size[0] / size[1]):
        notes.append(
            f'the picture is {size[0]:g} x {size[1]:g} ({source}), but bodies look like {by_bodies}'
        )
    return (float(size[0]), float(size[1])), source
