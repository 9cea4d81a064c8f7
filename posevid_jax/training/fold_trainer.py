"""Trains one fold of a cross-validation after another with the same compiled programs."""

import dataclasses
from collections.abc import Callable

import jax
import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.features import columns
from posevid_jax.machine.interrupt import Interrupt
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.prefetch import Prefetch
from posevid_jax.machine.progress import Progress
from posevid_jax.models import families
from posevid_jax.training import validation
from posevid_jax.training.experiment import Experiment
from posevid_jax.training.validation import Predictor


@dataclasses.dataclass(frozen=True)
class TrainedFold:
    """What a fold learned, as functions of clips.

    Attributes:
      clips: their logits, `[n, K]`, or `[n, M, K]` of several members.
      stretches: those of the W stretches that are judged of each, `[n, W, K]`; of members the mean.
    """

    clips: Callable[[Clips], np.ndarray]
    stretches: Callable[[Clips], np.ndarray]


class FoldTrainer:
    """The programs and the fresh parameters that all folds start from."""

    def __init__(self, example: Experiment, parallel: Parallel):
        """Prepares them.

        Args:
          example: any fold; the others differ from it in clips, order and scaler only.
          parallel: the devices to use.
        """
        self._parallel = parallel
        self._step = parallel.compile_train(example.train_step())
        of = (example.model, example.config, parallel)
        self._predict = validation.compile_predictor(*of)
        self._predict_stretches = validation.compile_stretch_predictor(*of)
        # On the host, because a step gives up the state that it gets.
        self._fresh = jax.device_get(example.initial_state())

    def train(
        self, experiment: Experiment, progress: Progress, before: int, interrupt: Interrupt
    ) -> TrainedFold | None:
        """Trains a fold from the start.

        Args:
          experiment: the fold.
          progress: shown after every step, and set aside while clips are judged.
          before: steps of earlier folds, for `progress`.
          interrupt: asked after every step.

        Returns:
          what it learned; None when a signal stopped it.

        Raises:
          InputError: a step is not finite, and `train.on_nonfinite` is not to skip it.
        """
        config, rng = experiment.config.train, jax.random.key(experiment.config.seed)
        state = self._parallel.put_state(self._fresh.replace(scaler=experiment.scaler))
        pending = None  # numbers of a step, read when the next one has been dispatched
        metrics: dict[str, jax.Array] = {}
        with Prefetch(experiment.data(), self._parallel.put) as data:
            for number in range(1, experiment.total_steps + 1):
                state, metrics = self._step(state, next(data), rng)
                if pending is not None:
                    progress.loss = float(pending['loss'])
                    _check_finite(pending, config.on_nonfinite)
                pending = metrics if number % config.log_every_steps == 0 else None
                progress.update(before + number)
                if interrupt.requested:
                    return None
        _check_finite(metrics, config.on_nonfinite)
        spec = families.input_spec(experiment.config)

        def judge(predict: Predictor) -> Callable[[Clips], np.ndarray]:
            def logits(clips: Clips) -> np.ndarray:
                with progress.aside():
                    return predict(state, columns.host_arrays(clips, spec))

            return logits

        return TrainedFold(judge(self._predict), judge(self._predict_stretches))


def _check_finite(metrics: dict[str, jax.Array], policy: str) -> None:
    """Ends a fold whose state has stopped changing, `nonfinite.settle`, as soon as it is seen."""
    if int(metrics['skipped']) and policy != 'skip':
        raise InputError(
            f'step {int(metrics["bad_step"])} of the fold: the loss or its gradient is not finite; '
            'a smaller train.learning_rate may help, train.on_nonfinite=skip leaves such steps out'
        )
