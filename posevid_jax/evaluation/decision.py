"""From logits to probabilities and decisions: what a run has chosen on clips set aside for it."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import numpy as np
from ml_collections import ConfigDict
from scipy import special

from posevid_jax.errors import InputError
from posevid_jax.evaluation import calibration, metrics, thresholds
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.json_form import LEFT_OUT

CALIBRATIONS = ('auto', 'none', 'temperature', 'platt')
_NOTHING = Calibration()
RULES = ('f1', 'recall', 'precision', 'cost')


class Judged(NamedTuple):
    """What is said of N clips, and how surely.

    Attributes:
      scores: [N, K] f64, probabilities before calibration: by them clips are ranked, also where
        each fold of a cross-validation has a calibration of its own.
      probs: [N, K] f64, calibrated probabilities.
      decided: [N] i64, the class that each clip is taken for.
      certainty: [N] f64, 0 or more, how far the calibrated log-odds of the gesture are from those
        at which it would have been decided otherwise; with several classes, the log-odds of the
        most probable one against the next.
    """

    scores: np.ndarray
    probs: np.ndarray
    decided: np.ndarray
    certainty: np.ndarray

    @property
    def two_classes(self) -> bool:
        """Whether a threshold decided."""
        return self.probs.shape[1] == 2


@dataclasses.dataclass(frozen=True)
class Decision:
    """A calibration and a threshold, and where they come from.

    Attributes:
      raw_threshold: of the probability before calibration; None with several classes.
      rule: by which it was chosen, in words.
      chosen_on: which clips, in words.
      fingerprints: of clips that threshold and calibration know, `Clips.fingerprint`.
      kind: of the calibration: none, temperature or platt.
      calibration: of the logits.
    """

    raw_threshold: float | None
    rule: str
    chosen_on: str
    fingerprints: tuple[str, ...] = ()
    kind: str = 'none'
    calibration: Calibration = _NOTHING

    @property
    def threshold(self) -> float | None:
        """The threshold of the calibrated probability: it decides for the same clips."""
        if self.raw_threshold is None or self.kind == 'none':
            return self.raw_threshold
        return float(special.expit(self.calibration(special.logit(self.raw_threshold))))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities `[N, classes]` of logits `[N, K]`."""
        if self.kind == 'none':
            return metrics.probabilities(logits)
        return metrics.probabilities(self.calibration(logits))

    def judge(self, logits: np.ndarray) -> Judged:
        """What to say of clips with the logits `[N, K]`."""
        scores, probs = metrics.probabilities(logits), self.probabilities(logits)
        calibrated = self.calibration(logits)
        if self.raw_threshold is None:
            second, first = np.sort(calibrated, axis=1)[:, -2:].T
            return Judged(scores, probs, probs.argmax(axis=1), first - second)
        # Not of the probabilities, which round to 1.
        log_odds = calibrated[:, -1] - (calibrated[:, 0] if calibrated.shape[1] == 2 else 0)
        return Judged(
            scores,
            probs,
            (probs[:, 1] >= self.threshold).astype(np.int64),
            np.abs(log_odds - special.logit(self.threshold)),
        )


def check(config: ConfigDict) -> None:
    """Raises InputError for a key of `config.eval`, or of the loss beside it, that cannot work."""
    of = config.eval
    for key, allowed in (('threshold', RULES), ('calibration', CALIBRATIONS)):
        if of[key] not in allowed:
            raise InputError(f'eval.{key}: found {of[key]!r}, expected one of {", ".join(allowed)}')
    if of.calibration == 'platt' and config.train.loss == 'ce':
        raise InputError(
            'eval.calibration: found platt with train.loss=ce, which has a logit a class, '
            'expected temperature or none'
        )
    for key in ('recall', 'precision'):
        if not 0 < of[key] <= 1:
            raise InputError(f'eval.{key}: found {of[key]:g}, expected above 0, at most 1')
    for key in ('false_alarm_cost', 'miss_cost'):
        if not of[key] > 0:
            raise InputError(f'eval.{key}: found {of[key]:g}, expected above 0')
    if of.bootstrap < 0:
        raise InputError(f'eval.bootstrap: found {of.bootstrap}, expected 0 or more')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Threshold:
    """A threshold of the probability before calibration, and by which rule it was chosen, in words.

    None where no threshold does what the rule asks for, and with several classes.
    """

    rule: str
    threshold: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """What some clips suggest.

    Attributes:
      threshold: by the rule of the configuration, or of the highest F1 where no threshold does what
        that rule asks for.
      rules: by every rule; None with several classes.
      calibrations: of each kind, by name.
    """

    threshold: Threshold
    rules: dict[str, Threshold] | None
    calibrations: dict[str, Calibration]


def choose(logits: np.ndarray, label: np.ndarray, config: ConfigDict) -> Choice:
    """Thresholds by every rule and calibrations of every kind.

    Args:
      logits: `[N, K]` of clips that the classifier was not trained on.
      label: `[N]` class numbers.
      config: `config.eval`.
    """
    probs = metrics.probabilities(logits)
    calibrations = fit_calibrations(label, logits)
    if probs.shape[1] > 2:
        chosen = Threshold(rule='most probable class', threshold=None)
        return Choice(threshold=chosen, rules=None, calibrations=calibrations)
    points = {
        name: Threshold(rule=rule, threshold=find(label, probs[:, 1]))
        for name, (rule, find) in rules(config).items()
    }
    chosen = points[config.threshold]
    if chosen.threshold is None:
        best = points['f1']
        rule = f'{best.rule}, because no threshold reaches {chosen.rule}'
        chosen = dataclasses.replace(best, rule=rule)
    return Choice(threshold=chosen, rules=points, calibrations=calibrations)


def decide(choice: Choice, kind: str, *, chosen_on: str) -> Decision:
    """The decision that clips suggest.

    Args:
      choice: from `choose`.
      kind: which calibration to use, `config.eval.calibration`.
      chosen_on: which clips these were, in words.

    Raises:
      InputError: there is no calibration of this kind.
    """
    kind, correction = _of_kind(choice.calibrations, kind, chosen_on)
    return Decision(
        raw_threshold=choice.threshold.threshold,
        rule=choice.threshold.rule,
        chosen_on=chosen_on,
        kind=kind,
        calibration=correction,
    )


def rules(config: ConfigDict) -> thresholds.Rules:
    """`thresholds.rules` as `config.eval` has them."""
    costs = (config.false_alarm_cost, config.miss_cost)
    return thresholds.rules(recall=config.recall, precision=config.precision, costs=costs)


def fit_calibrations(label: np.ndarray, logits: np.ndarray) -> dict[str, Calibration]:
    """Each kind of calibration that these logits `[N, K]` allow, by name."""
    fitted = {'temperature': calibration.fit_temperature(logits, label)}
    if logits.shape[1] == 1:
        fitted['platt'] = calibration.fit_platt(logits, label)
    return fitted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """The clips that a choice was made on.

    Attributes:
      chosen_on: in words.
      clips: how many.
      train, val: `Clips.fingerprint`, of a training set judged out of fold or of validation clips.
      step: of the checkpoint that judged them.
      folds, seeds: of a cross-validation.
    """

    chosen_on: str
    clips: int
    train: Annotated[str | None, LEFT_OUT] = None
    val: Annotated[str | None, LEFT_OUT] = None
    step: Annotated[int | None, LEFT_OUT] = None
    folds: Annotated[int | None, LEFT_OUT] = None
    seeds: Annotated[int | None, LEFT_OUT] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredThreshold:
    """What a decision reads of thresholds.json."""

    threshold: float | None
    rule: str
    chosen_on: str
    train: str | None = None
    val: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredCalibrations:
    """What a decision reads of calibration.json."""

    temperature: Calibration | None = None
    platt: Calibration | None = None
    train: str | None = None
    val: str | None = None

    @property
    def kinds(self) -> dict[str, Calibration]:
        """Those that there are, by name."""
        found = {'temperature': self.temperature, 'platt': self.platt}
        return {kind: of for kind, of in found.items() if of}


def from_files(
    chosen: StoredThreshold, stored: StoredCalibrations | None, kind: str, *, where: str
) -> Decision:
    """What thresholds.json and calibration.json say.

    Args:
      chosen: thresholds.json.
      stored: calibration.json; None in a run from before there was one: nothing is corrected.
      kind: which calibration to use, `config.eval.calibration`.
      where: the file with the calibrations, for the message.

    Raises:
      InputError: there is no calibration of this kind.
    """
    kind, correction = _of_kind(stored.kinds, kind, where) if stored else ('none', _NOTHING)
    files = [chosen, *([stored] if stored and kind != 'none' else [])]
    known = [fingerprint for of in files for fingerprint in (of.train, of.val) if fingerprint]
    return Decision(
        raw_threshold=chosen.threshold,
        rule=chosen.rule,
        chosen_on=chosen.chosen_on,
        fingerprints=tuple(dict.fromkeys(known)),
        kind=kind,
        calibration=correction,
    )


def _of_kind(
    calibrations: Mapping[str, Calibration], kind: str, where: str
) -> tuple[str, Calibration]:
    """The kind, `auto` resolved, and its calibration."""
    if kind == 'none':
        return kind, _NOTHING
    if kind == 'auto':
        kind = 'platt' if 'platt' in calibrations else 'temperature'
    if kind not in calibrations:
        raise InputError(
            f'{where}: found no {kind!r}, expected eval.calibration to be one of '
            + ', '.join(k for k in CALIBRATIONS if k in ('auto', 'none', *calibrations))
        )
    return kind, calibrations[kind]
