"""How far a number could be off: bootstrap over whole videos, or subjects.

Clips of one video overlap and show one person, so they are not independent. What is drawn again
and again is therefore the video, with all its clips: the cluster bootstrap of Field and Welsh
(2007), "Bootstrapping clustered data"; percentile intervals as in Efron and Tibshirani (1993).
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from posevid_jax.evaluation.scores import Interval


def resamples(group: np.ndarray, *, samples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Draws as many groups as there are, with replacement, again and again.

    Args:
      group: `[N]` what each clip belongs to: its video, or the recordings that belong together.
      samples: how often.
      seed: of the draws.

    Yields:
      the clips of the groups drawn, [n] i64 rows; n differs from draw to draw, and a clip comes as
      often as its group.
    """
    order = np.argsort(group, kind='stable')
    _, starts = np.unique(np.asarray(group)[order], return_index=True)
    members = np.split(order, starts[1:])
    for drawn in _draws(len(members), samples, seed):
        yield np.concatenate([members[g] for g in drawn])


def times_drawn(group: np.ndarray, *, samples: int, seed: int = 0) -> np.ndarray:
    """How often each row comes in each of the draws of `resamples`, [samples, N] i64.

    For numbers made of sums over rows: those of all draws are then one product of matrices.

    Args:
      group: as for `resamples`.
      samples: draws.
      seed: of the draws.
    """
    _, place = np.unique(group, return_inverse=True)
    count = int(place.max()) + 1
    times = np.zeros((samples, count), np.int64)
    for row, drawn in zip(times, _draws(count, samples, seed), strict=True):
        np.add.at(row, drawn, 1)
    return times[:, place]


def _draws(count: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """As many of so many groups, with replacement, again and again."""
    rng = np.random.Generator(np.random.Philox(seed))
    for _ in range(samples):
        yield rng.integers(count, size=count)


def bootstrap(
    statistics: Callable[[np.ndarray], Mapping[str, float | None]],
    group: np.ndarray,
    *,
    samples: int,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval | None]:
    """Percentile intervals of some numbers, by bootstrap over groups.

    To compare two classifiers, return the difference of their numbers on the same rows: both then
    see the same videos.

    Args:
      statistics: clips, [n] rows with repetitions, to named numbers; a number is None where it is
        not defined, such as ROC-AUC of clips that are all of one class.
      group: as for `resamples`.
      samples: draws; the ends of the interval need a thousand or more to settle.
      level: confidence, between 0 and 1.
      seed: of the draws.

    Returns:
      an interval for each name; None without draws, with a single group, or where the number is
      defined in less than half of the draws: the others do not stand for all.
    """
    names = statistics(np.arange(len(group)))
    if samples < 1 or len(np.unique(group)) < 2:
        return dict.fromkeys(names)
    values = {name: [] for name in names}
    for rows in resamples(group, samples=samples, seed=seed):
        for name, value in statistics(rows).items():
            if value is not None:
                values[name].append(value)
    return {
        name: percentiles(np.array(found), samples, level=level) for name, found in values.items()
    }


def percentiles(values: np.ndarray, samples: int, *, level: float = 0.95) -> Interval | None:
    """The percentile interval of a number.

    Args:
      values: it in those of the draws in which it is defined.
      samples: draws.
      level: confidence, between 0 and 1.

    Returns:
      None without draws, or where the number is defined in less than half of them.
    """
    if not samples or 2 * len(values) < samples:
        return None
    ends = ((1 - level) / 2, (1 + level) / 2)
    return Interval(*map(float, np.quantile(values, ends)))
