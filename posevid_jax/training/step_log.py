"""What is logged of steps: read when the next one has been dispatched, so that no device waits."""

from typing import Any

import jax

from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.progress import Progress
from posevid_jax.runs.records import Records
from posevid_jax.training import nonfinite, validation
from posevid_jax.training.experiment import Experiment
from posevid_jax.training.state import TrainState


class StepLog:
    """The metrics of every `train.log_every_steps`-th step, and the watch over what is not finite.

    Its methods take the latest state, in which steps that are not finite left a note.
    """

    def __init__(
        self,
        experiment: Experiment,
        parallel: Parallel,
        records: Records,
        progress: Progress,
        state: TrainState,
    ):
        """Arguments as the loop has them; `state` is the one it starts from."""
        self._experiment, self._parallel = experiment, parallel
        self._records, self._progress = records, progress
        self._pending: dict[int, Any] = {}  # step: metrics, still on the device
        self._watch = nonfinite.Watch(experiment.config.train.on_nonfinite, int(state.skipped))

    def note(self, step: int, metrics: dict[str, Any]) -> None:
        """Keeps the metrics of a step that is to be logged."""
        if step % self._experiment.config.train.log_every_steps == 0:
            self._pending[step] = metrics

    def read(self, state: TrainState) -> None:
        """Records what was kept.

        Raises:
          nonfinite.NotFinite, FloatingPointError: see `nonfinite.Watch`.
        """
        for step, metrics in self._pending.items():
            numbers = jax.device_get(metrics)
            self._records.step(step, numbers)
            self._progress.read(numbers)
            self._check(numbers, state)
        self._pending.clear()

    def settle(self, state: TrainState) -> None:
        """`read`, and a look at the state itself: what is saved next is known to be finite.

        Raises:
          nonfinite.NotFinite, FloatingPointError: see `nonfinite.Watch`.
        """
        self.read(state)
        counters = {'skipped': state.skipped, 'bad_step': state.bad_step}
        self._check(jax.device_get(counters), state)

    def _check(self, numbers: dict[str, Any], state: TrainState) -> None:
        bad_step = self._watch.moved(numbers)
        if bad_step is None:
            return
        experiment = self._experiment
        rows = experiment.order.rows(bad_step - 1, experiment.config.train.batch_size)
        loss = validation.losses_of(
            rows, experiment.train, experiment.model, experiment.config, self._parallel, state
        )
        self._watch.act(
            nonfinite.describe(bad_step, rows, experiment.train, loss), self._progress.say
        )
