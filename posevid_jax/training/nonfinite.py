"""What happens when a loss or a gradient is NaN or infinite.

The decision is made on the device, so that the loop need not read each loss: a bad step changes
nothing but the two counters of the state. The host learns of it when it reads the records.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.training.state import TrainState

POLICIES = ('stop', 'skip', 'raise')
_NAMED = 5  # clips in a message


class NotFinite(Exception):
    """Training met a step that is not finite, and the policy is to end there."""


def check(config: ConfigDict) -> None:
    """Raises InputError when `config.train` names an unknown policy."""
    if config.on_nonfinite not in POLICIES:
        raise InputError(
            f'train.on_nonfinite: found {config.on_nonfinite!r}, '
            f'expected one of {", ".join(POLICIES)}'
        )


def taken(before: TrainState, finite: Array, policy: str) -> Array:
    """Whether a step changes the state, bool.

    With `stop` and `raise`, none does after a bad one, so that the state of the last good step is
    still there when the host comes to read.

    Args:
      before: the state before the step.
      finite: bool, of its loss and gradient.
      policy: `train.on_nonfinite`.
    """
    return finite if policy == 'skip' else finite & (before.skipped == 0)


def settle(before: TrainState, after: TrainState, finite: Array, policy: str) -> TrainState:
    """The state after a step: `after` when it was `taken`, else `before` and the step noted.

    The optimiser's state is that of `after` in any case: it was told whether the step is taken.

    Args:
      before, after: the states around the step.
      finite: bool, of its loss and gradient.
      policy: `train.on_nonfinite`.
    """
    going_on = policy == 'skip'
    bad = ~finite if going_on else ~finite & (before.skipped == 0)
    instead = before.replace(
        # A step that is left out has been taken: the data has moved on.
        step=after.step if going_on else before.step,
        opt_state=after.opt_state,
        skipped=before.skipped + bad,
        bad_step=jnp.where(bad, before.step + 1, before.bad_step),
    )
    keep = taken(before, finite, policy)
    return jax.tree.map(lambda new, old: jnp.where(keep, new, old), after, instead)


def cleared(state: TrainState) -> TrainState:
    """A state of the last good step as if nothing had happened since."""
    zero = jnp.zeros((), jnp.int32)
    return state.replace(skipped=zero, bad_step=zero)


def describe(step: int, rows: np.ndarray, clips: Clips, loss: np.ndarray) -> str:
    """Names a bad step and the clips to blame.

    Args:
      step: the step.
      rows: [B] its clips.
      clips: the training clips.
      loss: [B] of each of them alone, without dropout or augmentation.
    """
    guilty = rows[~np.isfinite(loss)]
    named = np.unique(guilty if len(guilty) else rows)
    what = 'clips' if len(guilty) else 'no clip alone gives such a loss; the batch holds'
    shown = ', '.join(
        f'{row} ({clips.videos[clips.video[row]]}, frames {clips.start_frame[row]} to '
        f'{clips.end_frame[row]})'
        for row in named[:_NAMED]
    )
    more = f' and {len(named) - _NAMED} more' if len(named) > _NAMED else ''
    return f'step {step}: the loss or its gradient is not finite; {what} {shown}{more}'


class Watch:
    """Compares the counters of the state with what they were, and acts when they have moved."""

    def __init__(self, policy: str, skipped: int):
        """`skipped` steps are known from before."""
        self._policy = policy
        self._skipped = skipped

    def moved(self, numbers: dict[str, Any]) -> int | None:
        """The latest bad step when there is a new one.

        Args:
          numbers: `skipped` and `bad_step`, on the host.
        """
        skipped = int(numbers['skipped'])
        if skipped == self._skipped:
            return None
        self._skipped = skipped
        return int(numbers['bad_step'])

    def act(self, message: str, say: Callable[[str], None]) -> None:
        """Does what the policy says about a bad step.

        Raises:
          NotFinite: to stop.
          FloatingPointError: to raise.
        """
        if self._policy == 'skip':
            say(f'warning: {message}; left out, {self._skipped} so far')
        elif self._policy == 'raise':
            raise FloatingPointError(message)
        else:
            raise NotFinite(message)
