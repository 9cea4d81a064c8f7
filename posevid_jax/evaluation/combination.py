"""Several classifiers as one: the weighted mean of their calibrated logits.

Calibrated, because only then does a logit mean the same in all of them. The weights are those of a
logistic regression of the labels on the calibrated logits, none below 0 (stacking: Wolpert 1992,
Breiman 1996), over their sum. All is fitted to out-of-fold predictions, where no classifier has an
advantage from having learnt the clips by heart.

A common factor and offset of the mean are left out: its own calibration finds them. Fitted without
one fold after another, they would lean against each fold's share of the gesture, and so blur the
order of clips of different folds.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import optimize, special

from posevid_jax.evaluation import decision
from posevid_jax.evaluation.calibration import Calibration

# The penalty on a weight of 1, in nats over all clips: Akaike's price of a parameter. A member that
# knows something is worth far more; one that knows nothing gets a weight of 0.
_PRICE = 1.0
# The penalty on weights that lie 1 apart: it decides between members that say the same.
_PRICE_APART = 0.1


@dataclasses.dataclass(frozen=True)
class Combination:
    """What becomes of the members' logits.

    Attributes:
      calibrations: of each member.
      weights: of each member's calibrated logit, none below 0; their sum is 1.
    """

    calibrations: tuple[Calibration, ...]
    weights: tuple[float, ...]

    def __call__(self, logits: Sequence[Any]) -> Any:
        """The weighted mean of the calibrated logits, up to a common factor and offset.

        Args:
          logits: of each member, before calibration; arrays `[N, K]` of numpy or JAX.
        """
        return sum(share * member for share, member in zip(self.shares, logits, strict=True))

    @property
    def shares(self) -> tuple[float, ...]:
        """Weights of the logits before calibration; their sum is 1."""
        pairs = zip(self.weights, self.calibrations, strict=True)
        each = np.array([weight * of.factor for weight, of in pairs])
        return tuple(map(float, each / each.sum()))


def equal(count: int) -> Combination:
    """The plain mean of the logits of so many members, as they are."""
    return Combination((Calibration(),) * count, (1 / count,) * count)


def fit(label: np.ndarray, logits: np.ndarray) -> Combination:
    """Calibrations and weights that make the labels most likely.

    Args:
      label: `[N]` class numbers.
      logits: `[N, M, K]` of M members, which were not trained on these clips.
    """
    members = np.moveaxis(np.asarray(logits, np.float64), 1, 0)
    fitted = [decision.fit_calibrations(label, member) for member in members]
    calibrations = tuple(kinds.get('platt', kinds['temperature']) for kinds in fitted)
    calibrated = np.stack([f(z) for f, z in zip(calibrations, members, strict=True)])
    return Combination(calibrations, fit_weights(label, calibrated))


def fit_weights(label: np.ndarray, logits: np.ndarray) -> tuple[float, ...]:
    """Weights of members, none below 0, with sum 1. A convex problem with one answer.

    Args:
      label: `[N]` class numbers.
      logits: `[M, N, K]`, calibrated.
    """
    if logits.shape[2] == 1:  # against a logit of 0 for class 0, it is a softmax too
        logits = np.concatenate([np.zeros_like(logits), logits], axis=2)
    happened = np.eye(logits.shape[2])[label]

    def cost_and_gradient(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mean = np.einsum('m,mnk->nk', weights, logits)
        total = np.asarray(special.logsumexp(mean, axis=1, keepdims=True))
        apart = weights - weights.mean()
        loss = (total[:, 0] - (happened * mean).sum(axis=1)).sum()
        slope = np.einsum('mnk,nk->m', logits, np.exp(mean - total) - happened)
        price = _PRICE * weights.sum() + _PRICE_APART * apart @ apart
        return loss + price, slope + _PRICE + 2 * _PRICE_APART * apart

    start = np.full(len(logits), 1 / len(logits))
    found = optimize.minimize(
        cost_and_gradient,
        start,
        jac=True,
        bounds=[(0, None)] * len(logits),
        method='L-BFGS-B',
        options={'ftol': 1e-12, 'gtol': 1e-6},
    ).x
    # If no member knows anything, all are worth the same.
    weights = found / found.sum() if found.sum() > 0 else start
    return tuple(map(float, weights))


def fit_without(fold: int, label: np.ndarray, logits: np.ndarray, folds: np.ndarray) -> Combination:
    """What is to judge a fold: fitted to the others alone.

    Args:
      fold: from 0.
      label, logits, folds: as for `fit_without_each_fold`.
    """
    others = folds != fold
    return fit(label[others], logits[others])


def fit_without_each_fold(label: np.ndarray, logits: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The weighted mean as it is to judge each fold: fitted to the other folds alone.

    Args:
      label: `[N]` class numbers.
      logits: `[N, M, K]`, out of fold.
      fold: `[N]` from 0.

    Returns:
      `[folds, N, K]`: entry k is of all clips, by what was fitted without fold k.
    """
    combined = []
    for k in range(fold.max() + 1):
        combined.append(fit_without(k, label, logits, fold)(list(np.moveaxis(logits, 1, 0))))
    return np.stack(combined)
