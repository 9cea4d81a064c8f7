"""One person out of the people that an estimator found in each frame."""

from typing import NamedTuple

import numpy as np

from posevid_jax.errors import InputError

CHOICES = ('largest', 'confident', 'first')

# Of the diagonal of a body, the farthest that its joints move on average from one sighting to the
# next; and for how long a person may go unseen and still be the same.
_FARTHEST = 0.5
_UNSEEN_SECONDS = 1.0


class Kept(NamedTuple):
    """The detections of the person to keep, at most one in a frame.

    Attributes:
      rows: numbers of detections, by frame.
      who: [len(rows)] whose each is: a track id of the file, or the number of a chain, as text.
    """

    rows: np.ndarray
    who: np.ndarray


def one_person(
    where: str,
    frame: np.ndarray,
    joints: np.ndarray,
    person: np.ndarray | None,
    fps: float,
    choice: str,
) -> Kept:
    """Which detections show the person to keep, at most one in a frame.

    With a track id as the choice, those with this id. Otherwise detections of neighbouring frames
    are linked by the distance of their joints, and the person to keep is the chain of detections
    that, over the whole video, covers the most of the picture (`largest`), is seen the most clearly
    (`confident`), or begins first and is listed first (`first`). Where it is not seen, the next
    chain in the same order takes its place: a person who was lost and found again is two chains.

    Args:
      where: file and format, for messages.
      frame: [D] frame of each detection, in any order.
      joints: [D, J, 4] in pixels or shares, NaN = missing.
      person: [D] track ids as text, or None.
      fps: frames per second.
      choice: one of `CHOICES`, or a track id.

    Raises:
      InputError: the file has no such track id.
    """
    order = np.argsort(frame, kind='stable')
    order = order[np.isfinite(joints[order]).any((1, 2))]  # without frames that show nobody
    frame, joints = frame[order], joints[order]
    ids = None if person is None else person[order]
    if choice not in CHOICES:
        return _of_track(where, frame, ids, choice, order)
    if len(np.unique(frame)) == len(frame):
        return Kept(order, np.full(len(order), '') if ids is None else ids)
    low, high = _box(joints)
    size = high - low  # [D, 2]
    chain = chains(frame, joints, fps)  # [D]
    weight = {
        'largest': size.prod(1),
        'confident': np.nan_to_num(joints[..., 3]).mean(1),
        'first': np.zeros(len(frame)),  # chains are numbered by their beginning
    }[choice]
    best_first = np.argsort(-np.bincount(chain, weights=weight), kind='stable')
    rank = np.argsort(best_first)[chain]  # [D] 0 = of the best chain
    by_frame = np.lexsort((rank, frame))
    rows = by_frame[np.unique(frame[by_frame], return_index=True)[1]]
    return Kept(order[rows], chain[rows].astype(str) if ids is None else ids[rows])


def _of_track(
    where: str, frame: np.ndarray, ids: np.ndarray | None, choice: str, order: np.ndarray
) -> Kept:
    if ids is None:
        raise InputError(
            f'{where}: prepare.person: found {choice!r}, and the file has no track ids; expected '
            f'one of {", ".join(CHOICES)}'
        )
    rows = np.flatnonzero(ids == choice)
    if not len(rows):
        known = list(dict.fromkeys(ids.tolist()))
        shown = ', '.join(known[:8]) + (', ...' if len(known) > 8 else '')
        raise InputError(
            f'{where}: prepare.person: found {choice!r}, expected one of {", ".join(CHOICES)} or a '
            f'track id of the file ({shown})'
        )
    rows = rows[np.unique(frame[rows], return_index=True)[1]]
    return Kept(order[rows], ids[rows])


def stretches(frame: np.ndarray, kept: Kept) -> tuple[tuple[str, int, int], ...]:
    """Who is followed, in turn: (person, first frame, number of detections)."""
    if not len(kept.rows):
        return ()
    begins = np.concatenate([[True], kept.who[1:] != kept.who[:-1]])
    starts = np.flatnonzero(begins)
    counts = np.diff(np.append(starts, len(kept.rows)))
    return tuple(
        (str(kept.who[at]), int(frame[kept.rows[at]]), int(count))
        for at, count in zip(starts, counts, strict=True)
    )


def _box(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest x, y of each detection, [D, 2] both; 0 where nothing is seen."""
    place = joints[..., :2]
    seen = np.isfinite(place)
    low = np.where(seen, place, np.inf).min(1)
    high = np.where(seen, place, -np.inf).max(1)
    return np.where(np.isfinite(low), low, 0), np.where(np.isfinite(high), high, 0)


def chains(frame: np.ndarray, joints: np.ndarray, fps: float) -> np.ndarray:
    """Number of the chain of each detection [D], counted by their beginnings.

    Args:
      frame: [D] frame of each detection, in order.
      joints: [D, J, 4] in square units, NaN = missing.
      fps: frames per second.
    """
    low, high = _box(joints)
    size = np.maximum(np.hypot(*(high - low).T), 1e-9)  # [D]
    chain = np.full(len(frame), -1)
    ends: list[int] = []  # of the chains that may go on: their last detections
    started = 0
    for rows in np.split(np.arange(len(frame)), np.flatnonzero(np.diff(frame)) + 1):
        ends = [end for end in ends if frame[rows[0]] - frame[end] <= _UNSEEN_SECONDS * fps]
        distance = _distances(joints[rows], joints[ends]) / size[rows][:, None]  # [rows, ends]
        while distance.size and distance.min() <= _FARTHEST:
            row, end = np.unravel_index(distance.argmin(), distance.shape)
            chain[rows[row]] = chain[ends[end]]
            distance[row], distance[:, end] = np.inf, np.inf
        for row in rows[chain[rows] < 0]:
            chain[row] = started
            started += 1
        ends = [end for end in ends if chain[end] not in chain[rows]] + rows.tolist()
    return chain


def _distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean distance of the joints that both have, [A, B]; infinite without any."""
    step = some[:, None, :, :2] - others[None, :, :, :2]  # [A, B, J, 2]
    distance = np.hypot(step[..., 0], step[..., 1])
    both = np.isfinite(distance)
    count = both.sum(-1)
    total = np.where(both, distance, 0).sum(-1)
    return np.divide(total, count, out=np.full(count.shape, np.inf), where=count > 0)
