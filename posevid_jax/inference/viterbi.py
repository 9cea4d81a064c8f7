"""The most probable classes of the frames under a duration model, by Viterbi's algorithm.

A class with a minimum of D frames is a chain of D states: a stretch enters at its beginning, moves
on by one state a frame, and may stay in the last one or leave from there (Yu 2010, "Hidden
semi-Markov models"; Viterbi 1967). A step moves along all chains at once, and K x K ways lead from
one class to another, so the time grows with the number of frames and not with that of durations.

The first stretch of a recording may have begun before it, so it starts in the last state of its
chain; the last one may go on after it, so it may end in any. They alone can be shorter than the
minimum.

Chains lie in a table [K, D], D of the longest, aligned at their last states. To move on along them
without moving numbers, the scores of frame t have the column c of the table at (c - t) mod D. The
same step runs in JAX on whole recordings and in NumPy on frames as they come; it only adds and
compares, so both find the same.
"""

import collections
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.padding import padded, power_of_2


class _Chains(NamedTuple):
    """A duration model at some frame rate, as a table of K x D states.

    Attributes:
      first: [K] column of the first state of each chain; its last one is in the last column.
      stay: [K] f32 log probability of staying in the last state.
      switch: [K, K] f32 log probability of leaving a class (row) for another (column).
      start: [K, D] f32 log probability of each state before the first frame is seen.
    """

    first: Any
    stay: Any
    switch: Any
    start: Any


class _Ways(NamedTuple):
    """How the best paths to the states of a frame came there.

    Attributes:
      entered_from: [..., K] the class before, of a stretch that begins with the frame.
      stayed: [..., K] whether the path to a last state was there before.
    """

    entered_from: Any
    stayed: Any


def decode(log_probs: np.ndarray, model: DurationModel, fps: float) -> np.ndarray:
    """The most probable segmentation of a recording.

    Args:
      log_probs: [T, K] log of class probabilities per frame.
      model: of K classes.
      fps: frames per second.

    Returns:
      [T] class numbers; only the first and the last stretch can be shorter than `model.min_frames`.
    """
    if not len(log_probs):
        return np.zeros(0, np.int64)
    chains, emissions = _chains(model, fps), model.emissions(log_probs)
    states = np.asarray(_best_path(chains, padded(emissions), len(emissions) - 1))[: len(emissions)]
    return states.astype(np.int64) // chains.start.shape[1]


def decode_with_look_ahead(
    log_probs: np.ndarray, model: DurationModel, fps: float, look_ahead_frames: int
) -> np.ndarray:
    """What `OnlineDecoder` says of a recording, all frames at once.

    Args:
      log_probs, model, fps: as for `decode`, whose answer this is with T frames or more.
      look_ahead_frames: frames after a frame that are seen before its class is told.

    Returns:
      [T] class numbers.
    """
    frames = len(log_probs)
    if look_ahead_frames >= frames:
        return decode(log_probs, model, fps)
    chains = _chains(model, fps)
    best, ways = _best_states(chains, padded(model.emissions(log_probs)))
    columns = chains.start.shape[1]
    entered_from, stayed = np.asarray(ways.entered_from, np.int64), np.asarray(ways.stayed)
    from_frame = np.arange(look_ahead_frames, frames)
    states, last_frames = np.asarray(best, np.int64)[from_frame], []
    for back in range(look_ahead_frames):
        last_frames.append(states[-1])  # on the path from the last frame
        at = from_frame - back, states // columns
        states = _before(columns, states, chains.first[at[1]], entered_from[at], stayed[at])
    return np.append(states, last_frames[::-1]).astype(np.int64) // columns


class OnlineDecoder:
    """Tells the class of each frame some frames later, in memory that does not grow.

    After each frame, the most probable path until then is followed back by the look-ahead, and the
    class where it arrives is told (fixed-lag Viterbi). That of the next frame may lie on another
    path: what is told one after the other can break the minimum durations, the less the longer the
    look-ahead. Once it spans the recording, the answer is that of `decode`.
    """

    def __init__(self, model: DurationModel, fps: float, look_ahead_frames: int):
        """Starts before the first frame.

        Args:
          model: of K classes.
          fps: frames per second.
          look_ahead_frames: at least 0.
        """
        self._model, self._chains = model, _chains(model, fps)
        self._first = self._chains.first.tolist()
        self._look_ahead, self._frames = look_ahead_frames, 0
        self._scores = self._chains.start
        self._ways: collections.deque[tuple[list[int], list[bool]]] = collections.deque(
            maxlen=look_ahead_frames
        )

    def push(self, log_probs: np.ndarray) -> int | None:
        """Takes the next frame.

        Args:
          log_probs: [K] log of class probabilities.

        Returns:
          the class of the frame that came `look_ahead_frames` ago; None before there is one.
        """
        emission = self._model.emissions(log_probs)
        if self._frames:
            turn = self._frames % self._chains.start.shape[1]
            self._scores, ways = _step(np, self._chains, self._scores, emission, turn)
        else:
            self._scores, ways = _start(np, self._chains, emission)
        self._ways.append((ways.entered_from.tolist(), ways.stayed.tolist()))
        self._frames += 1
        return self._path()[0] if self._frames > self._look_ahead else None

    def finish(self) -> list[int]:
        """The classes of the last frames, those that have not been told; then it begins anew."""
        left = self._path()[1:]
        self._ways.clear()
        self._frames = 0
        return left

    def _path(self) -> list[int]:
        """Classes on the best path: of the frame that is told, or before the first, and since."""
        columns = self._chains.start.shape[1]
        state = int(_best(np, self._scores, (self._frames - 1) % columns))
        path = [state // columns]
        for entered_from, stayed in reversed(self._ways):
            k = path[-1]
            state = _before(columns, state, self._first[k], entered_from[k], stayed[k])
            path.append(state // columns)
        return path[::-1]


def _chains(model: DurationModel, fps: float) -> _Chains:
    frames = model.min_frames(fps)
    columns = power_of_2(int(frames.max()))  # so that few sizes are compiled
    rate = np.array(model.leave_per_second) / fps
    start = np.full((len(frames), columns), -np.inf)
    start[:, -1] = np.log(model.prior)
    with np.errstate(divide='ignore'):  # what never follows has no way
        switch = np.log(-np.expm1(-rate))[:, None] + np.log(model.transition)
    return _Chains(
        first=(columns - frames).astype(np.int32),
        stay=(-rate).astype(np.float32),
        switch=switch.astype(np.float32),
        start=start.astype(np.float32),
    )


def _start(xp: ModuleType, chains: _Chains, emission: Any) -> tuple[Any, _Ways]:
    """As `_step`, of the first frame."""
    classes = len(chains.first)
    ways = _Ways(xp.zeros(classes, xp.int16), xp.ones(classes, bool))
    return chains.start + emission[:, None], ways


def _step(
    xp: ModuleType, chains: _Chains, scores: Any, emission: Any, turn: Any
) -> tuple[Any, _Ways]:
    """Moves the best paths on by a frame.

    Args:
      xp: numpy or jax.numpy.
      chains: the states.
      scores: [K, D] of the best path to each state until the frame before, turned.
      emission: [K] of this frame.
      turn: the number of this frame mod D.

    Returns:
      (scores until this frame, less the largest of a last state; how the paths came there).
    """
    columns = scores.shape[1]
    before = -turn % columns  # where the last states were; now the first column of the table
    last = (before - 1) % columns
    leaving = scores[:, before, None] + chains.switch  # [from, to]
    entering = leaving.max(0)
    staying = scores[:, before] + chains.stay
    arriving = xp.where(chains.first == columns - 1, entering, scores[:, last])
    reached = xp.maximum(staying, arriving)

    place = xp.arange(columns)
    begins = place == ((chains.first - turn) % columns)[:, None]
    scores = xp.where(place == before, -xp.inf, scores)
    scores = xp.where(begins, entering[:, None], scores)
    scores = xp.where(place == last, reached[:, None], scores)
    ways = _Ways(leaving.argmax(0).astype(xp.int16), staying >= arriving)
    return scores + (emission - reached.max())[:, None], ways


def _best(xp: ModuleType, scores: Any, turn: Any) -> Any:
    """The number of the most probable state in the table, of scores of a frame."""
    columns = scores.shape[1]
    place = scores.argmax().astype(xp.int32)
    return place - place % columns + (place % columns + turn) % columns


def _before(columns: int, state: Any, first: Any, entered_from: Any, stayed: Any) -> Any:
    """The state of the frame before on the best path to a state; for numbers and for arrays.

    Args:
      columns: D.
      state: numbered row by row of the table.
      first: column of the first state of its class.
      entered_from, stayed: the ways to that class.
    """
    column = state % columns
    begins, stays = column == first, (column == columns - 1) & stayed
    before = state - 1 + begins * ((entered_from + 1) * columns - state)
    return before + stays * (state - before)


@jax.jit
def _best_path(chains: _Chains, emissions: jax.Array, last: int) -> jax.Array:
    """States [T] of the best path to a last frame; those after it mean nothing."""
    columns = chains.start.shape[1]

    def forward(scores: jax.Array, of: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, _Ways]:
        number, emission = of
        moved, ways = _step(jnp, chains, scores, emission, number % columns)
        return jnp.where(number <= last, moved, scores), ways

    def backward(state: jax.Array, of: tuple[jax.Array, _Ways]) -> tuple[jax.Array, jax.Array]:
        number, (entered_from, stayed) = of
        k = state // columns
        ways = entered_from[k].astype(state.dtype), stayed[k]
        before = _before(columns, state, chains.first[k], *ways)
        return jnp.where(number <= last, before, state), state

    numbers = jnp.arange(1, len(emissions))
    scores, _ = _start(jnp, chains, emissions[0])
    scores, ways = jax.lax.scan(forward, scores, (numbers, emissions[1:]))
    final = _best(jnp, scores, last % columns)
    first, others = jax.lax.scan(backward, final, (numbers, ways), reverse=True)
    return jnp.append(first, others)


@jax.jit
def _best_states(chains: _Chains, emissions: jax.Array) -> tuple[jax.Array, _Ways]:
    """The best state of each frame, [T], and how the paths came to all states of it, [T, K]."""
    columns = chains.start.shape[1]

    def frame(
        scores: jax.Array, of: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, tuple[jax.Array, _Ways]]:
        number, emission = of
        scores, ways = _step(jnp, chains, scores, emission, number % columns)
        return scores, (_best(jnp, scores, number % columns), ways)

    scores, ways = _start(jnp, chains, emissions[0])
    first = _best(jnp, scores, 0), ways
    numbers = jnp.arange(1, len(emissions))
    _, others = jax.lax.scan(frame, scores, (numbers, emissions[1:]))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, others)
