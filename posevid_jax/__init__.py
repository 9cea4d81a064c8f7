"""posevid_jax: find a gesture in clips of pose features, with JAX and Flax."""

import os


def load(run_dir: str | os.PathLike[str], checkpoint: str = 'best'):
    """A trained run, for programs and notebooks: see `posevid_jax.inference.predictor.Predictor`.

    Args:
      run_dir: the run directory.
      checkpoint: `best`, `last` or a step.

    Raises:
      posevid_jax.errors.InputError: not a run directory, or no such checkpoint.
    """
    # Here, so that `import posevid_jax` does not wait for JAX.
    from posevid_jax.inference.predictor import Predictor

    return Predictor(run_dir, checkpoint)
