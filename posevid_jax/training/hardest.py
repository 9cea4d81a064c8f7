"""The training clips with the largest losses, epoch by epoch, in topk_loss/epoch_NN.csv.

The losses of training itself are no measure of a clip: each comes from other parameters, with
dropout and augmentation. These come from one pass over all clips with the parameters that
evaluation uses.
"""

import pathlib
from collections import Counter
from typing import Any

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import csv_file
from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import metrics
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.evaluation.table import Table
from posevid_jax.machine import processes
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models.classifier import Classifier
from posevid_jax.runs.files import write_text
from posevid_jax.training import losses, validation
from posevid_jax.training.state import TrainState


def check(config: ConfigDict) -> None:
    """Raises InputError when a key of `config.train` about the largest losses is out of range."""
    for key, least in (('topk_loss', 0), ('topk_every_epochs', 1)):
        if config[key] < least:
            raise InputError(f'train.{key}: found {config[key]}, expected {least} or more')


class Hardest:
    """Writes the clips with the largest losses of an epoch."""

    def __init__(
        self,
        workdir: pathlib.Path,
        clips: Clips,
        model: Classifier,
        config: ConfigDict,
        parallel: Parallel,
        epochs_done: int,
    ):
        """Opens the folder; what is there of epochs that will be repeated is removed.

        Args:
          workdir: the run directory.
          clips: the training clips.
          model, config, parallel: the run's.
          epochs_done: before this start.
        """
        self._folder = workdir / 'topk_loss'
        self._clips, self._config = clips, config.train
        self._predict = validation.make_predictor(model, clips, config, parallel)
        self._times: Counter[int] = Counter()
        for path in sorted(self._folder.glob('epoch_*.csv')):
            if int(path.stem.removeprefix('epoch_')) > epochs_done:
                if processes.is_first():
                    path.unlink()
            else:
                written = csv_file.parse(path.read_bytes(), str(path)).text(['row'])
                self._times.update(map(int, written['row']))

    def epoch(self, state: TrainState, epoch: int) -> None:
        """Writes `topk_loss/epoch_NN.csv`, the largest loss first, if it is this epoch's turn.

        Columns: `row`, the number among the training clips; `file`, `video_id`, `start_frame` and
        `end_frame`, where it comes from; `label`; `prob`, of the gesture (of the clip's own class
        where there are several); `loss`, the configured one in nats, without the clip's weight;
        `times_in_topk`, in so many of these files, this one included.

        Args:
          state: after the epoch.
          epoch: from 1.
        """
        if epoch % self._config.topk_every_epochs:
            return
        clips, logits = self._clips, mean_logits(self._predict(state))
        label = jnp.asarray(clips.label)
        loss = np.asarray(losses.per_example(jnp.asarray(logits), label, self._config))
        probs = metrics.probabilities(logits)
        column = clips.label if clips.num_classes > 2 else np.ones(len(clips), int)
        prob = probs[np.arange(len(clips)), column]
        rows = np.argsort(-loss, kind='stable')[: self._config.topk_loss]
        self._times.update(rows.tolist())
        table = Table.of_columns(self._columns(rows, prob, loss), form='.6f')
        write_text(self._folder / f'epoch_{epoch:02d}.csv', table.csv())

    def _columns(self, rows: np.ndarray, prob: np.ndarray, loss: np.ndarray) -> dict[str, Any]:
        clips = self._clips
        source = [clips.videos[video].partition(':') for video in clips.video[rows]]
        return {
            'row': rows,
            'file': [file for file, _, _ in source],
            'video_id': [video_id for _, _, video_id in source],
            'start_frame': clips.start_frame[rows],
            'end_frame': clips.end_frame[rows],
            'label': clips.label[rows],
            'prob': prob[rows],
            'loss': loss[rows],
            'times_in_topk': [self._times[row] for row in rows.tolist()],
        }
