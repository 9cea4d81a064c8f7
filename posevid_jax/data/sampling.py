"""Which clips are drawn, and how often: a pure function of (seed, step).

Draws come in turn from streams: one of all clips, or one per class. A stream is passes over its
clips laid end to end, each pass in an order of its own. In a plain pass every clip appears once.

Otherwise a clip has an expected number of draws a pass, any number from 0 on, and a pass is a
systematic sample: the expectations are laid end to end, a video's clips side by side, and the
clips under points one apart are drawn. So a clip appears as often as expected, rounded down or up,
and so does a video. From pass to pass the points move by the golden section, the most even way to
move, so that over several passes, too, every clip keeps to its expectation.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.hard_negatives import read_boost
from posevid_jax.errors import InputError

_GOLDEN_SECTION = (5**0.5 - 1) / 2
# Sums of expectations are rounded to this, so that whole numbers are whole.
_DECIMALS = 6


@dataclasses.dataclass(frozen=True, eq=False)
class Stream:
    """Clips that are drawn in passes.

    Attributes:
      rows: [n] i32, the clips.
      edges: [n] f64, where the expected draws of each clip end when laid end to end; the last one
        is a whole number. None: every clip once a pass.
    """

    rows: np.ndarray
    edges: np.ndarray | None = None

    def __len__(self) -> int:
        """The number of draws in a pass."""
        return len(self.rows) if self.edges is None else int(self.edges[-1])

    def draw(self, offset: float) -> np.ndarray:
        """The clips of a pass in no particular order, [len] i32; `offset` is from 0 to 1."""
        if self.edges is None:
            return self.rows
        points = offset + np.arange(len(self))
        return self.rows[np.searchsorted(self.edges, points, side='right')]


class Order:
    """The endless order of draws, with the current passes kept."""

    def __init__(self, streams: Sequence[Stream], seed: int):
        """Draw p belongs to stream p mod K of the K streams."""
        self._streams = streams
        self._seed = seed
        # A batch near the end of a pass reads two passes of a stream.
        self._pass = functools.lru_cache(maxsize=2 * len(streams))(self._make_pass)

    @property
    def draws_per_epoch(self) -> int:
        """As many as one pass of every stream makes; without a cap, as there are clips."""
        return sum(map(len, self._streams))

    def rows(self, step: int, batch_size: int) -> np.ndarray:
        """Which clips make the batch of a step, [batch_size] i32."""
        position = step * batch_size + np.arange(batch_size, dtype=np.int64)
        turn, stream = np.divmod(position, len(self._streams))
        rows = np.empty(batch_size, np.int32)
        for k, members in enumerate(self._streams):
            mine = np.flatnonzero(stream == k)
            number, offset = np.divmod(turn[mine], len(members))
            for p in np.unique(number):
                now = number == p
                rows[mine[now]] = self._pass(k, int(p))[offset[now]]
        return rows

    def _make_pass(self, stream: int, number: int) -> np.ndarray:
        start = self._random(stream, 0, 1).random()
        drawn = self._streams[stream].draw((start + number * _GOLDEN_SECTION) % 1)
        return self._random(stream, number).permutation(drawn)

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence((self._seed, *key))))


def make_order(clips: Clips, config: ConfigDict, seed: int) -> Order:
    """The order in which training draws clips.

    Args:
      clips: the training clips.
      config: `config.data`.
      seed: of the order.

    Raises:
      InputError: a key is out of range, the file of hard negatives does not fit the clips, or a
        class would never be drawn.
    """
    if config.max_clips_per_video < 0:
        raise InputError(
            f'data.max_clips_per_video: found {config.max_clips_per_video}, expected 0 or more'
        )
    weight = clips.weight.astype(np.float64) if config.sample_by_weight else None
    if config.hard_negatives:
        boost = read_boost(config.hard_negatives, clips, config.hard_negative_boost)
        weight = boost if weight is None else weight * boost
    return Order(
        make_streams(
            clips.label,
            clips.video,
            balance=config.balance,
            weight=weight,
            max_per_video=config.max_clips_per_video,
        ),
        seed,
    )


def make_streams(
    label: np.ndarray,
    video: np.ndarray,
    *,
    balance: bool,
    weight: np.ndarray | None = None,
    max_per_video: int = 0,
) -> list[Stream]:
    """The streams of draws: with `balance` one for each class present, so that every batch holds
    the classes as evenly as its size allows; else a single one.

    Args:
      label: [N] class of each clip.
      video: [N] video of each clip.
      weight: [N] a clip is drawn in proportion to it, within its stream; None: equally often.
      max_per_video: most draws of the clips of a video in a pass of a stream; what is cut off
        makes the pass shorter. 0: no limit.

    Raises:
      InputError: no clip of a stream has a weight above 0.
    """
    every_row = np.arange(len(label), dtype=np.int32)
    groups = [every_row[label == c] for c in np.unique(label)] if balance else [every_row]
    if weight is None and not max_per_video:
        return [Stream(rows) for rows in groups]
    weight = np.ones(len(label)) if weight is None else weight
    streams = []
    for rows in groups:
        if not weight[rows].any():
            raise InputError(
                f'data.sample_by_weight: found weight 0 for all {len(rows)} clips'
                f'{f" of class {label[rows[0]]}" if balance else ""}, expected one above 0'
            )
        streams.append(_weighted(rows, weight[rows], video[rows], max_per_video))
    return streams


def _weighted(rows: np.ndarray, weight: np.ndarray, video: np.ndarray, most: int) -> Stream:
    """The stream of `rows` [n] with draws in proportion to `weight` [n], capped by `video` [n]."""
    by_video = np.argsort(video, kind='stable')
    expected = (weight * (len(rows) / weight.sum()))[by_video]
    if most:
        _, video = np.unique(video[by_video], return_inverse=True)
        total = np.bincount(video, expected)
        expected *= (most / np.maximum(total, most))[video]
    # A pass has a whole number of draws, so a fraction of one is left out.
    draws = np.floor(np.round(expected.sum(), _DECIMALS))
    edges = np.round(np.cumsum(expected * (draws / expected.sum())), _DECIMALS)
    edges[-1] = draws
    return Stream(rows[by_video], edges)
