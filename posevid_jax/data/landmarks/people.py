"""One person out of the people that an estimator found in each frame."""

import numpy as np

from posevid_jax.errors import InputError

CHOICES = ('largest', 'confident', 'first')

# Of the diagonal of a body, the farthest that its joints move on average from one sighting to the
# next; and for how long a person may go unseen and still be the same.
_FARTHEST = 0.5
_UNSEEN_SECONDS = 1.0


def check(choice: str) -> None:
    if choice not in CHOICES:
        raise InputError(f'prepare.person: found {choice!r}, expected one of {", ".join(CHOICES)}')


def one_person(frame: np.ndarray, joints: np.ndarray, fps: float, choice: str) -> np.ndarray:
    """Which detections show the person to keep, at most one in a frame.

    Detections of neighbouring frames are linked by the distance of their joints. The person to keep
    is the chain of detections that, over the whole video, covers the most of the picture
    (`largest`), is seen the most clearly (`confident`), or begins first and is listed first
    (`first`). Where it is not seen, the next chain in the same order takes its place: a person who
    was lost and found again is two chains.

    Args:
      frame: [D] frame of each detection, ascending.
      joints: [D, J, 4] in pixels or shares, NaN = missing.
      fps: frames per second.
      choice: one of `CHOICES`.

    Returns:
      numbers of detections, ascending.
    """
    if len(np.unique(frame)) == len(frame):
        return np.arange(len(frame))
    low, high = _box(joints)
    size = high - low  # [D, 2]
    chain = _chains(frame, joints, np.maximum(np.hypot(*size.T), 1e-9), fps)  # [D]
    weight = {
        'largest': size.prod(1),
        'confident': np.nan_to_num(joints[..., 3]).mean(1),
        'first': np.zeros(len(frame)),  # chains are numbered by their beginning
    }[choice]
    order = np.argsort(-np.bincount(chain, weights=weight), kind='stable')
    rank = np.argsort(order)[chain]  # [D] 0 = of the best chain
    by_frame = np.lexsort((rank, frame))
    return by_frame[np.unique(frame[by_frame], return_index=True)[1]]


def _box(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest x, y of each detection, [D, 2] both; 0 where nothing is seen."""
    place = joints[..., :2]
    seen = np.isfinite(place)
    low = np.where(seen, place, np.inf).min(1)
    high = np.where(seen, place, -np.inf).max(1)
    return np.where(np.isfinite(low), low, 0), np.where(np.isfinite(high), high, 0)


def _chains(frame: np.ndarray, joints: np.ndarray, size: np.ndarray, fps: float) -> np.ndarray:
    """Number of the chain of each detection [D], counted by their beginnings."""
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
