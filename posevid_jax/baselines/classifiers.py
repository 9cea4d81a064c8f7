"""The table of baselines: classifiers that take a minute's work and know nothing of gestures."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from posevid_jax.baselines.channels import Channels
from posevid_jax.data.clips import Clips

_TREES = 500
_LEAST = 1e-6  # the probability of a class that nothing speaks for
_NEVER = float(np.log(_LEAST))  # its logit
_AEON = 'aeon.transformations.collection.convolution_based'
# aeon asks for pandas before 3.1, which rounds numbers of CSV files, and needs none of it here.
_INSTALL_AEON = "pip install -e '.[baselines]' && pip install --no-deps 'aeon>=1.6'"

Scores = Callable[[np.ndarray], np.ndarray]
"""What a baseline reads of n clips to logits `[n, K]` of the classes that it was fitted to."""


class Baseline(NamedTuple):
    """A way to tell classes apart.

    Attributes:
      name: in tables.
      read: (channels, N clips) to what it reads of each clip, `[N, ...]`.
      fit: (what it reads of training clips, their labels, seed) to its scores.
      needs: a module that need not be installed; '' for none.
      install: the command that installs it.
    """

    name: str
    read: Callable[[Channels, Clips], np.ndarray]
    fit: Callable[[np.ndarray, np.ndarray, int], Scores]
    needs: str = ''
    install: str = ''

    def missing(self) -> str:
        """One line where it cannot run here, saying what to install; '' where it can."""
        if not self.needs:
            return ''
        try:
            importlib.import_module(self.needs)
        except ImportError as error:
            return f'{self.name} is left out ({error}); to have it: {self.install}'
        return ''

    def logits(
        self, known: np.ndarray, label: np.ndarray, x: np.ndarray, classes: int, seed: int
    ) -> np.ndarray:
        """Fits it to some clips and applies it to others.

        Args:
          known, label: what it reads of the training clips, and their class numbers `[n]`.
          x: what it reads of N others.
          classes: K; those that no training clip shows are never decided for.
          seed: of what is drawn at random.

        Returns:
          `[N, K]` f64.
        """
        shown = np.unique(label)
        logits = np.full((len(x), classes), _NEVER)
        # With a single class there is nothing to fit.
        logits[:, shown] = 0 if len(shown) < 2 else self.fit(known, label, seed)(x)
        return logits


def _fit_most_frequent(known: np.ndarray, label: np.ndarray, seed: int) -> Scores:
    _, counts = np.unique(label, return_counts=True)
    row = np.where(np.arange(len(counts)) == counts.argmax(), 0.0, _NEVER)
    return lambda x: np.tile(row, (len(x), 1))


def _fit_forest(known: np.ndarray, label: np.ndarray, seed: int) -> Scores:
    """Trees take NaN, what is missing, as it is."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(_TREES, random_state=seed, n_jobs=-1).fit(known, label)
    return lambda x: np.log(np.maximum(forest.predict_proba(x), _LEAST))


def _fit_minirocket(known: np.ndarray, label: np.ndarray, seed: int) -> Scores:
    """MiniRocket (Dempster, Schmidt and Webb 2021, https://arxiv.org/abs/2012.08791) with the
    ridge regression, its strength chosen by leaving one out, that its authors use."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kernels: Any = importlib.import_module(_AEON).MiniRocket(random_state=seed)

    def transformed(of: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            # A joint that the body is centred on stands still.
            warnings.filterwarnings('ignore', '.*very little variation', UserWarning)
            return of(np.swapaxes(x, 1, 2))

    ridge = make_pipeline(
        StandardScaler(with_mean=False), RidgeClassifierCV(np.logspace(-3, 3, 10))
    ).fit(transformed(kernels.fit_transform, known), label)

    def scores(x: np.ndarray) -> np.ndarray:
        decided = ridge.decision_function(transformed(kernels.transform, x))
        return np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided

    return scores


BASELINES = (
    Baseline(
        'most frequent class',
        read=lambda channels, clips: np.zeros((len(clips), 1)),
        fit=_fit_most_frequent,
    ),
    Baseline('forest', read=Channels.statistics, fit=_fit_forest),
    Baseline(
        'minirocket',
        read=Channels.resampled,
        fit=_fit_minirocket,
        needs=_AEON,
        install=_INSTALL_AEON,
    ),
)
