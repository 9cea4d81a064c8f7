"""The training clips with the largest losses, epoch by epoch, in topk_loss/epoch_NN.csv.

The losses of training itself are no measure of a clip: each comes from other parameters, with
dropout and augmentation. These come from one pass over all clips with the parameters that
evaluation uses.
"""

import csv
import io
import pathlib
from collections import Counter

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.errors import InputError
from posevid_jax.evaluation import metrics
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.machine import processes
from posevid_jax.machine.parallel import Parallel
from posevid_jax.models.classifier import Classifier
from posevid_jax.runs.files import write_text
from posevid_jax.training import losses, validation
from posevid_jax.training.state import TrainState

COLUMNS = (
    'row',
    'file',
    'video_id',
    'start_frame',
    'end_frame',
    'label',
    'prob',
    'loss',
    'times_in_topk',
)


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
                with path.open(newline='') as file:
                    self._times.update(int(line['row']) for line in csv.DictReader(file))

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
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(COLUMNS)
        for row in rows.tolist():
            file, _, video_id = clips.videos[clips.video[row]].partition(':')
            writer.writerow(
                [
                    row,
                    file,
                    video_id,
                    clips.start_frame[row],
                    clips.end_frame[row],
                    clips.label[row],
                    f'{prob[row]:.6f}',
                    f'{loss[row]:.6f}',
                    self._times[row],
                ]
            )
        write_text(self._folder / f'epoch_{epoch:02d}.csv', text.getvalue())
