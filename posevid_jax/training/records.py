"""The record of a run as it grows: metrics.jsonl, history.json, best.json, thresholds.json."""

import pathlib
from typing import Any

from posevid_jax.evaluation.metrics import Record
from posevid_jax.training.artifacts import JsonLines, read_json, write_json

BEST_METRICS = {'roc_auc': 1, 'average_precision': 1, 'loss': -1}
"""What can choose the best checkpoint, and the sign that makes higher better."""


class Records:
    """Writes what happened; opened at a step, it first forgets what happened after it."""

    def __init__(self, workdir: pathlib.Path, best_metric: str, step: int):
        """Opens the record of a run.

        Args:
          workdir: the run directory.
          best_metric: a key of `BEST_METRICS`.
          step: the step from which the run goes on; 0 for a new run.
        """
        self._workdir = workdir
        self._metric = best_metric
        path = workdir / 'history.json'
        history = read_json(path) if path.exists() else []
        self.history = [record for record in history if record['step'] <= step]
        write_json(path, self.history)
        self._lines = JsonLines(workdir / 'metrics.jsonl', step)

    def score(self, record: Record) -> float | None:
        """The number, higher is better, by which checkpoints are ranked."""
        value = record['val'][self._metric]
        return None if value is None else BEST_METRICS[self._metric] * value

    def step(self, step: int, metrics: dict[str, Any]) -> None:
        """Adds a line to metrics.jsonl."""
        numbers = {key: float(value) for key, value in metrics.items()}
        self._lines.write({'step': step} | numbers)

    def epoch(self, record: Record, threshold: float | None) -> None:
        """Adds an epoch; a new best also writes best.json and thresholds.json.

        Args:
          record: `epoch`, `step`, `train`, `val`, `time`.
          threshold: the decision threshold that this epoch's validation clips suggest; None
            where the most probable of several classes is predicted.
        """
        self.history.append(record)
        write_json(self._workdir / 'history.json', self.history)
        # A later epoch wins a tie, as it does where the checkpoints are kept.
        scores = [score for score in map(self.score, self.history) if score is not None]
        if scores and self.score(record) != max(scores):
            return
        write_json(
            self._workdir / 'best.json',
            {
                'step': record['step'],
                'epoch': record['epoch'],
                'metric': self._metric,
                'value': record['val'][self._metric],
            },
        )
        write_json(
            self._workdir / 'thresholds.json',
            {
                'threshold': threshold,
                'rule': 'most probable class' if threshold is None else 'highest F1',
                'chosen_on': 'validation clips',
                'step': record['step'],
            },
        )

    def close(self) -> None:
        self._lines.close()
