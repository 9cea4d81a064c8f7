"""A trained run for programs and notebooks: from clips to probabilities in one call."""

import os

import numpy as np

from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.npz import read_clips
from posevid_jax.errors import InputError
from posevid_jax.inference.restore import restore_directory
from posevid_jax.machine.parallel import Parallel


class Predictor:
    """A trained classifier; make one with `posevid_jax.load(run_dir)`.

    Attributes:
      class_names: K names, in the order of the probabilities.
      feature_names: F names of the features that it reads, () where it reads none.
      joint_names: J names of the joints that it reads, () where it reads none.
      num_frames: T of the clips that it was trained on.
      threshold: from which probability of class 1 on a clip counts as positive; None with more
        than two classes.
    """

    def __init__(self, run_dir: str | os.PathLike[str], checkpoint: str = 'best'):
        """Restores a checkpoint; arguments and errors as for `posevid_jax.load`."""
        self.run = restore_directory(run_dir, checkpoint)
        inputs = self.run.inputs
        self.class_names = tuple(inputs['class_names'])
        self.feature_names = tuple(inputs['feature_names'] if self.run.reads_features else ())
        self.joint_names = tuple(inputs['joint_names'])
        self.num_frames = inputs['num_frames']
        self.threshold = self.run.threshold
        self._predict = self.run.predictor(Parallel('jit'))

    def predict_proba(self, clips: str | os.PathLike[str] | Clips | np.ndarray) -> np.ndarray:
        """Class probabilities `[N, K]` f64; each row sums to 1.

        Args:
          clips: an archive or folder, labelled or not; Clips; or an array with NaN for missing,
            features `[N, T, F]` in the order of `feature_names`, or joints `[N, T, J, 4]` (x, y, z,
            visibility, shares of the picture) in the order of `joint_names`, at 30 frames per
            second in a square picture. For others, make Clips with `posevid_jax.data.clips.
            from_arrays`.

        Raises:
          InputError: the clips cannot be read, or are not what the run was trained on.
        """
        source = 'clips'
        if isinstance(clips, np.ndarray):
            clips = self._from_array(clips)
        elif not isinstance(clips, Clips):
            source = str(clips)
            prefix = self.run.config.data.prefix
            clips = read_clips(clips, prefix=prefix, labelled=False)
        return self._predict(self.run.conform(clips, source))

    def predict(self, clips: str | os.PathLike[str] | Clips | np.ndarray) -> np.ndarray:
        """Class numbers `[N]`: at `threshold`, or the most probable; arguments as above."""
        probs = self.predict_proba(clips)
        if self.threshold is None:
            return probs.argmax(1)
        return (probs[:, 1] >= self.threshold).astype(np.int64)

    def _from_array(self, values: np.ndarray) -> Clips:
        names = (self.joint_names, 4) if self.joint_names else (self.feature_names,)
        tail = tuple(len(size) if isinstance(size, tuple) else size for size in names)
        if values.ndim != 2 + len(tail) or values.shape[2:] != tail or not len(values):
            raise InputError(
                f'clips: found an array {values.shape}, expected '
                f'[N, T, {", ".join(map(str, tail))}] as {self.run.workdir} reads it'
            )
        if not self.joint_names:
            return from_arrays(
                source='array', features=values, label=None, feature_names=self.feature_names
            )
        return from_arrays(
            source='array',
            features=np.zeros((*values.shape[:2], 0), np.float32),
            label=None,
            skeleton=values,
            joint_names=self.joint_names,
        )
