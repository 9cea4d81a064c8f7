"""The record of a run as it grows: metrics.jsonl, history.json, and what was best."""

import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from posevid_jax.errors import InputError
from posevid_jax.evaluation.decision import Choice, Origin
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.evaluation.results import Best, Epoch
from posevid_jax.machine import processes
from posevid_jax.runs.directory import write_decision
from posevid_jax.runs.files import JsonLines, read_json, write_json
from posevid_jax.runs.tensorboard import EventFiles

BEST_METRICS = {'roc_auc': 1, 'average_precision': 1, 'loss': -1}
"""What of an evaluation can choose the best checkpoint, and the sign that makes higher better."""

LAST = 'last'
"""The best checkpoint is the last one, as in a cross-validation."""


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.train` about the best epoch is out of its range."""
    if config.best_metric not in (*BEST_METRICS, LAST):
        raise InputError(
            f'train.best_metric: found {config.best_metric!r}, '
            f'expected one of {", ".join((*BEST_METRICS, LAST))}'
        )
    if config.patience and config.best_metric == LAST:
        raise InputError(
            f'train.patience: found {config.patience} with train.best_metric={LAST}, expected 0: '
            'there is always a later one'
        )
    if config.patience < 0:
        raise InputError(f'train.patience: found {config.patience}, expected 0 or more')
    if not 0 <= config.patience_smoothing < 1:
        raise InputError(
            f'train.patience_smoothing: found {config.patience_smoothing}, expected 0 to below 1'
        )


def epochs_without_progress(scores: Sequence[float | None], smoothing: float) -> int:
    """How long ago the smoothed score was best.

    Args:
      scores: one per epoch, higher is better; an epoch without one changes nothing but takes time.
      smoothing: share of the past in `smoothed = smoothing * smoothed + (1 - smoothing) * score`,
        which starts at the first score.
    """
    smoothed, best, since = None, None, 0
    for score in scores:
        since += 1
        if score is not None:
            smoothed = score if smoothed is None else smoothing * smoothed + (1 - smoothing) * score
            if best is None or smoothed > best:
                best, since = smoothed, 0
    return since


class Records:
    """Writes what happened; opened at a step, it first forgets what happened after it."""

    def __init__(
        self,
        workdir: pathlib.Path,
        best_metric: str,
        step: int,
        origin: Origin,
        *,
        tensorboard: bool = False,
    ):
        """Opens the record of a run.

        Args:
          workdir: the run directory.
          best_metric: a key of `BEST_METRICS`, or `LAST`.
          step: the step from which the run goes on; 0 for a new run.
          origin: where thresholds and calibrations come from, `validation.origin`.
          tensorboard: whether to write event files, too.
        """
        self._workdir = workdir
        self._metric, self._origin = best_metric, origin
        path = workdir / 'history.json'
        entries = read_json(path) if path.exists() else []
        # As they were written, perhaps by an older version; and as this one reads them.
        self._entries = [entry for entry in entries if entry['step'] <= step]
        self.history = [from_json(Epoch, entry, str(path)) for entry in self._entries]
        write_json(path, self._entries)
        self._lines = JsonLines(workdir / 'metrics.jsonl', step)
        self._events = EventFiles(workdir, step) if tensorboard and processes.is_first() else None

    def score(self, entry: Epoch) -> float | None:
        """The number, higher is better, by which checkpoints are ranked."""
        if self._metric == LAST:
            return entry.epoch
        value = self._value(entry)
        return None if value is None else BEST_METRICS[self._metric] * value

    def stalled(self, config: ConfigDict) -> bool:
        """Whether `config.train.patience` has run out."""
        scores = [self.score(entry) for entry in self.history]
        patience = config.patience
        return 0 < patience <= epochs_without_progress(scores, config.patience_smoothing)

    def step(self, step: int, metrics: dict[str, Any]) -> None:
        """Adds a line to metrics.jsonl."""
        numbers = {key: float(value) for key, value in metrics.items()}
        # JSON knows neither NaN nor infinity.
        numbers = {key: value if math.isfinite(value) else None for key, value in numbers.items()}
        self._lines.write({'step': step} | numbers)
        if self._events:
            self._events.add('step', step, numbers)

    def epoch(self, entry: Epoch, chosen: Choice) -> None:
        """Adds an epoch; a new best also writes best.json, thresholds.json and calibration.json.

        Args:
          entry: the epoch.
          chosen: what its validation clips suggest.
        """
        self.history.append(entry)
        self._entries.append(to_json(entry))
        write_json(self._workdir / 'history.json', self._entries)
        if self._events:
            for group in ('train', 'val'):
                self._events.add(group, entry.step, self._entries[-1][group])
            self._events.flush()
        # A later epoch wins a tie, as it does where the checkpoints are kept.
        scores = [score for score in map(self.score, self.history) if score is not None]
        if scores and self.score(entry) != max(scores):
            return
        best = Best(
            step=entry.step, epoch=entry.epoch, metric=self._metric, value=self._value(entry)
        )
        write_json(self._workdir / 'best.json', best)
        origin = dataclasses.replace(self._origin, step=entry.step)
        write_decision(self._workdir, chosen.threshold, chosen.rules, chosen.calibrations, origin)

    def _value(self, entry: Epoch) -> float | None:
        """What `best_metric` names, of the validation clips; None of `LAST`."""
        val = entry.val
        values = {
            'roc_auc': val.scores.roc_auc,
            'average_precision': val.scores.average_precision,
            'loss': val.loss,
        }
        return values.get(self._metric)

    def close(self) -> None:
        self._lines.close()
        if self._events:
            self._events.close()
