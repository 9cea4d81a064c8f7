"""Mode train: a configuration to a run directory, with the batch size that a report allows."""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.capacity import batch_size
from posevid_jax.evaluation.results import Evaluation
from posevid_jax.training import loop


def train(config: ConfigDict, workdir: pathlib.Path | None) -> Evaluation | None:
    """`loop.train_and_evaluate`, with `train.batch_size` as `train.capacity_report` says.

    Args:
      config: the whole configuration.
      workdir: the run directory; None makes a new numbered one.

    Returns:
      the evaluation of the best checkpoint, or None when a signal stopped the run.

    Raises:
      InputError: configuration, report, data or directory cannot work, or memory ran out.
    """
    config = batch_size.resolve(config)
    with batch_size.out_of_memory_explained(config):
        return loop.train_and_evaluate(config, workdir)
