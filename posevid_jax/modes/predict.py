"""Mode predict: of clips, or of recordings of any length."""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.modes.predict_clips import predict_run
from posevid_jax.modes.predict_recordings import predict_recordings


def predict(config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best') -> None:
    """Predicts the recordings of `prepare.landmarks` or `prepare.videos`, else `data.test`'s clips.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Raises:
      InputError: run, checkpoint, clips or recordings are missing or do not fit each other.
    """
    if config.prepare.landmarks or config.prepare.videos:
        predict_recordings(config, workdir, checkpoint)
    else:
        predict_run(config, workdir, checkpoint)
