"""What is drawn of a body: its joints, the bones between them, and where it is."""

from collections.abc import Sequence

import numpy as np

from posevid_jax.data.joints import BONES, parents

MOST_JOINTS = 33  # that are drawn; hands and faces of more would make pages too large


def drawn(joint_names: Sequence[str]) -> list[int]:
    """Numbers of the joints that are drawn, those of known bones first to stay."""
    known = {name for bone in BONES for name in bone}
    order = sorted(range(len(joint_names)), key=lambda j: joint_names[j] not in known)
    return sorted(order[:MOST_JOINTS])


def bones(joint_names: Sequence[str]) -> list[tuple[int, int]]:
    """The bones between joints; one that is in none of `BONES` hangs on its parent."""
    number = {name: j for j, name in enumerate(joint_names)}
    bones = [(a, b) for a, b in BONES if a in number and b in number]
    joined = {name for bone in bones for name in bone}
    bones += [pair for pair in parents(joint_names).items() if pair[0] not in joined]
    return [(number[a], number[b]) for a, b in bones]


def close_up(points: np.ndarray) -> tuple[float, float, float]:
    """Left, top and side of the square that nearly all points [P, 2] lie in."""
    if not len(points):
        return 0.0, 0.0, 1.0
    low, high = np.quantile(points[:: max(len(points) // 100_000, 1)], [0.01, 0.99], axis=0)
    side = max(float((high - low).max()) * 1.15, 0.05)
    left, top = ((low + high - side) / 2).tolist()
    return left, top, side
