"""Checkpoints: the state and the position in the data, in one atomic step.

Orbax writes them; this file says which to keep and how to name them.
"""

import pathlib
from typing import Any

import jax
import orbax.checkpoint as ocp
from grain.checkpoint import CheckpointRestore, CheckpointSave
from orbax.checkpoint import checkpoint_managers

from posevid_jax.errors import InputError
from posevid_jax.training.state import TrainState


class Checkpoints:
    """The folder `checkpoints` of a run: the last step and the best one."""

    def __init__(self, workdir: pathlib.Path):
        """Opens the folder, creating it.

        Args:
          workdir: the run directory.
        """
        self.directory = pathlib.Path(workdir).absolute() / 'checkpoints'
        self._manager = ocp.CheckpointManager(
            self.directory,
            options=ocp.CheckpointManagerOptions(
                best_fn=_score,
                preservation_policy=checkpoint_managers.AnyPreservationPolicy(
                    [
                        checkpoint_managers.LatestN(1),
                        checkpoint_managers.BestN(
                            get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False
                        ),
                    ]
                ),
            ),
        )

    def save(self, state: TrainState, data: Any, score: float | None) -> None:
        """Starts writing in the background.

        Args:
          state: copied to the host before this returns.
          data: the grain iterator.
          score: of the evaluation at this step, higher is better; None when there was none.
        """
        self._manager.save(
            int(state.step),
            args=ocp.args.Composite(state=ocp.args.StandardSave(state), data=CheckpointSave(data)),
            metrics=None if score is None else {'score': score},
        )

    def resolve(self, which: str) -> int:
        """The step of `best`, `last` or a number.

        Raises:
          InputError: there is no such checkpoint.
        """
        steps = sorted(self._manager.all_steps())
        if not steps:
            raise InputError(f'{self.directory}: no checkpoint found; train the run first')
        if which == 'last':
            return steps[-1]
        if which == 'best':
            best = self._manager.best_step()
            return steps[-1] if best is None else best
        if which.isdigit() and int(which) in steps:
            return int(which)
        raise InputError(
            f'{self.directory}: no checkpoint {which!r}, expected best, last or one of '
            f'{", ".join(map(str, steps))}'
        )

    def last_step(self) -> int | None:
        """The step to resume from."""
        return self._manager.latest_step()

    def restore(self, step: int, abstract_state: TrainState, data: Any = None) -> TrainState:
        """Reads a checkpoint onto the first local device, wherever it was written.

        Args:
          step: from `resolve` or `last_step`.
          abstract_state: shapes and dtypes of the state.
          data: a grain iterator to set to the position of the checkpoint; None to leave data alone.

        Raises:
          InputError: the checkpoint does not fit the state.
        """
        device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        target = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device),
            abstract_state,
        )
        items = {'state': ocp.args.StandardRestore(target)}
        if data is not None:
            items['data'] = CheckpointRestore(data)
        try:
            return self._manager.restore(step, args=ocp.args.Composite(**items))['state']
        except (ValueError, KeyError, FileNotFoundError) as error:
            first_line = str(error).strip().splitlines()[0]
            raise InputError(
                f'{self.directory / str(step)}: does not restore ({first_line}); '
                'expected the state that config.json of the run describes'
            ) from error

    def wait(self) -> None:
        """Returns when everything is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits and gives up the folder."""
        self._manager.close()


def _score(metrics: dict[str, float]) -> float:
    return metrics['score']
