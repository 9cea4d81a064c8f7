"""Calibration: logits corrected so that a probability of 0.7 is right seven times in ten.

Fitted on clips that the classifier was not trained on, two numbers at most, and monotone: the
order of the clips, and so ROC-AUC, stays as it is.
"""

import dataclasses

import numpy as np
from scipy import optimize, special

from posevid_jax.evaluation.results import Bin, Reliability

# A handful of clips that are separated perfectly would call for an infinite factor.
_LARGEST_FACTOR = 20.0


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A factor and an offset of logits.

    Attributes:
      factor: above 0; below 1 makes predictions less sure.
      offset: added to a single logit; 0 where there are several.
    """

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Logits to calibrated logits, of any shape."""
        return self.factor * np.asarray(logits, np.float64) + self.offset


def fit_temperature(logits: np.ndarray, label: np.ndarray) -> Calibration:
    """One factor, 1 / temperature, that makes the labels most likely.

    Guo et al. 2017, "On Calibration of Modern Neural Networks".

    Args:
      logits: `[N, 1]`, or `[N, K]` with one per class.
      label: `[N]` class numbers.
    """
    logits = np.asarray(logits, np.float64)
    limit = np.log(_LARGEST_FACTOR)
    found = optimize.minimize_scalar(
        lambda log_factor: log_loss(np.exp(log_factor) * logits, label),
        bounds=(-limit, limit),
        method='bounded',
    )
    return Calibration(factor=float(np.exp(found.x)))


def fit_platt(logits: np.ndarray, label: np.ndarray) -> Calibration:
    """A factor and an offset of a single logit that make the labels most likely.

    Platt 1999, "Probabilistic Outputs for Support Vector Machines", with his targets a little
    inside 0 and 1, which keep the answer finite where the classes are separable. The factor is
    never negative: predictions that rank the wrong way round should be noticed, not inverted.

    Args:
      logits: `[N, 1]`.
      label: `[N]` 0 or 1.

    Raises:
      ValueError: several logits.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2 or logits.shape[1] != 1:
        raise ValueError(f'logits: found shape {logits.shape}, expected [N, 1]')
    positives = int(np.sum(label))
    target = np.where(label, (positives + 1) / (positives + 2), 1 / (len(label) - positives + 2))

    def loss_and_gradient(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        z = numbers[0] * logits[:, 0] + numbers[1]
        gap = special.expit(z) - target
        loss = (np.logaddexp(0, z) - target * z).mean()
        return loss, np.array([(gap * logits[:, 0]).mean(), gap.mean()])

    found = optimize.minimize(
        loss_and_gradient,
        x0=[1.0, 0.0],
        jac=True,
        bounds=[(1 / _LARGEST_FACTOR, _LARGEST_FACTOR), (None, None)],
        method='L-BFGS-B',
    )
    return Calibration(*map(float, found.x))


def log_loss(logits: np.ndarray, label: np.ndarray) -> float:
    """Mean negative log-likelihood, in nats; logits `[N, 1]` or `[N, K]`."""
    logits = np.asarray(logits, np.float64)
    if logits.shape[1] == 1:
        return float((np.logaddexp(0, logits[:, 0]) - label * logits[:, 0]).mean())
    own = np.take_along_axis(logits, np.asarray(label)[:, None], axis=1)[:, 0]
    return float((special.logsumexp(logits, axis=1) - own).mean())


def brier_score(probs: np.ndarray, label: np.ndarray) -> float:
    """Mean squared distance of the probabilities from what happened (Brier 1950).

    Args:
      probs: `[N, K]`. With two classes, the distance is that of one of them, as is usual: 0.25 is
        what 0.5 for every clip scores.
      label: `[N]` class numbers.
    """
    happened = np.eye(probs.shape[1])[label]
    distance = np.square(probs - happened).sum(axis=1).mean()
    return float(distance / 2 if probs.shape[1] == 2 else distance)


def reliability(happened: np.ndarray, prob: np.ndarray, *, bins: int = 10) -> Reliability:
    """How often something happened, by the probability with which it was predicted.

    For one class, pass `label == k` and its probability; for a whole classifier of several
    classes, whether the most probable class was right, and its probability.

    Args:
      happened: `[N]` bool.
      prob: `[N]` the probability given to it.
      bins: of equal width, from 0 to 1.

    Returns:
      the bins that are not empty, and the error of Naeini et al. 2015.
    """
    prob, happened = np.asarray(prob, np.float64), np.asarray(happened, np.float64)
    place = np.minimum((prob * bins).astype(np.int64), bins - 1)
    clips = np.bincount(place, minlength=bins)
    predicted, observed = (np.bincount(place, of, bins) for of in (prob, happened))
    return Reliability(
        bins=[
            Bin(
                low=b / bins,
                high=(b + 1) / bins,
                clips=int(clips[b]),
                predicted=float(predicted[b] / clips[b]),
                observed=float(observed[b] / clips[b]),
            )
            for b in map(int, np.flatnonzero(clips))
        ],
        expected_calibration_error=float(np.abs(predicted - observed).sum() / len(prob)),
    )
