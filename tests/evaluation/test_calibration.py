import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from posevid_jax.evaluation import calibration
from posevid_jax.evaluation.metrics import probabilities


def drawn(logits, seed=0):
    """Labels that come true as often as the logits say."""
    probs = probabilities(logits)
    return (probs.cumsum(1) < np.random.default_rng(seed).random((len(probs), 1))).sum(1)


@pytest.mark.parametrize('outputs', [1, 3])
def test_temperature_undoes_overconfidence(outputs):
    honest = np.random.default_rng(1).normal(size=(20_000, outputs)) * 2
    label = drawn(honest)
    fitted = calibration.fit_temperature(4 * honest, label)
    assert fitted.factor == pytest.approx(1 / 4, rel=0.05)
    assert fitted.offset == 0
    before, after = (calibration.log_loss(z, label) for z in (4 * honest, fitted(4 * honest)))
    assert after < before


def test_platt_is_logistic_regression_of_the_logit():
    honest = np.random.default_rng(2).normal(size=(2000, 1)) * 2
    label = drawn(honest)
    shifted = 3 * honest + 1
    fitted = calibration.fit_platt(shifted, label)
    sk = LogisticRegression(C=1e9).fit(shifted, label)
    assert fitted.factor == pytest.approx(sk.coef_[0, 0], rel=0.02)
    assert fitted.offset == pytest.approx(sk.intercept_[0], abs=0.02)
    gap = [
        calibration.reliability(label == 1, special.expit(z[:, 0])).expected_calibration_error
        for z in (shifted, fitted(shifted))
    ]
    assert gap[1] < gap[0] / 2


def test_classes_told_apart_and_the_wrong_way_round_keep_finite_numbers_and_the_order():
    logits = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    for label in (np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])):
        for fit in (calibration.fit_platt, calibration.fit_temperature):
            fitted = fit(logits, label)
            assert np.isfinite([fitted.factor, fitted.offset]).all()
            assert (np.diff(fitted(logits)[:, 0]) > 0).all()


def test_platt_refuses_several_logits():
    with pytest.raises(ValueError, match='shape'):
        calibration.fit_platt(np.zeros((4, 3)), np.zeros(4, int))


def test_brier_score_by_hand():
    probs = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert calibration.brier_score(probs, np.array([1, 0])) == pytest.approx((0.04 + 0.25) / 2)
    three = np.array([[0.2, 0.3, 0.5]])
    assert calibration.brier_score(three, np.array([2])) == pytest.approx(0.04 + 0.09 + 0.25)


def test_reliability_by_hand():
    prob = np.array([0.0, 0.04, 0.55, 0.58, 1.0])
    record = calibration.reliability(np.array([0, 1, 1, 1, 1]) == 1, prob)
    assert [b.clips for b in record.bins] == [2, 2, 1]
    assert [b.observed for b in record.bins] == [0.5, 1, 1]
    assert record.bins[1].predicted == pytest.approx(0.565)
    error = (2 * (0.5 - 0.02) + 2 * (1 - 0.565) + 0) / 5
    assert record.expected_calibration_error == pytest.approx(error)
